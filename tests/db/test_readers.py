"""A database that a newer version changed, under the version that a machine went back to."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from reflector.cli import NEWER_DATABASE, cli
from reflector.db.engine import MIGRATIONS, Database
from reflector.errors import ConfigurationError, ReflectorError


@pytest.fixture(params=["sqlite"])
def newer(tmp_path: Path) -> Database:
    """As revision 9999 leaves it, which programs from `oldest` on can use."""
    database = Database(f"sqlite:///{tmp_path / 'data.db'}")
    database.migrate()
    return database


def change(database: Database, oldest: str) -> None:
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        connection.execute(text("UPDATE schema_reader SET oldest = :oldest"), {"oldest": oldest})


def test_newer_schema_that_this_version_may_use_is_used(newer: Database) -> None:
    change(newer, "0003")
    newer.migrate()
    newer.check()
    with newer.engine.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "9999"


def test_newer_schema_that_it_cannot_use_is_refused(newer: Database) -> None:
    change(newer, "9999")
    with pytest.raises(ConfigurationError, match="changed by a newer version"):
        newer.migrate()


def test_machine_learns_it_by_an_exit_code_of_its_own(
    newer: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", newer.url)
    assert CliRunner().invoke(cli, ["migrate", "--check"]).exit_code == 0
    change(newer, "9999")
    result = CliRunner().invoke(cli, ["migrate", "--check"])
    assert result.exit_code == NEWER_DATABASE


def test_schema_that_cannot_be_made_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken.sqlite").write_bytes(b"no database at all " * 100)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/broken.sqlite")
    result = CliRunner().invoke(cli, ["migrate"])
    assert isinstance(result.exception, ReflectorError)
    assert str(result.exception).endswith("cannot be brought up to date: file is not a database")


def test_every_migration_says_who_can_use_what_it_leaves() -> None:
    for file in sorted((MIGRATIONS / "versions").glob("[0-9]*.py")):
        if file.name > "0003":
            assert "OLDEST_READER" in file.read_text(), file.name
