"""Hold Alembic's folder, and the statements that differ between the two databases."""
