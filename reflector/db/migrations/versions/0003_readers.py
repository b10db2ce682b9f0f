"""Which versions of the program can use the schema.

A machine whose update did not work goes back to the version before, with the database as the newer one left it.
Each migration from here on says by OLDEST_READER which revision a program has to know at least to use the schema
after it: its own, where it takes away or renames something that programs before it read or write.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
OLDEST_READER = "0003"


def upgrade() -> None:
    op.create_table("schema_reader", sa.Column("oldest", sa.String(), primary_key=True))
