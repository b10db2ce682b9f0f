"""Which errors of a database are worth another try: lost connections, and no others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from reflector.db import engine
from reflector.db.engine import Database, is_disconnect, retry_on_disconnect
from tests.real.stack import Stack


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'a.db'}")
    yield database
    database.close()


@pytest.fixture
def postgresql(stack: Stack) -> Iterator[Database]:
    values = stack.settings()
    database = Database(
        str(values["DATABASE_URL"]).replace("postgresql://", "postgresql+psycopg://")
    )
    yield database
    database.close()
    stack.drop(values)


def error_of(database: Database, query: str) -> DBAPIError:
    def run(session: Session) -> None:
        session.execute(text(query))

    with pytest.raises(DBAPIError) as raised, database.read() as session:
        run(session)
    return raised.value


def test_missing_table_is_no_lost_connection(sqlite: Database, postgresql: Database) -> None:
    for database in (sqlite, postgresql):
        assert not is_disconnect(error_of(database, "SELECT * FROM no_such_table"))


def test_error_that_stays_is_raised_at_once(sqlite: Database) -> None:
    tries = []

    def fail() -> None:
        tries.append(1)
        with sqlite.read() as session:
            session.execute(text("SELECT * FROM no_such_table"))

    with pytest.raises(DBAPIError):
        retry_on_disconnect(fail)
    assert len(tries) == 1


def test_cancelled_query_is_no_lost_connection(postgresql: Database) -> None:
    query = "SET statement_timeout = 1; SELECT pg_sleep(60)"
    assert not is_disconnect(error_of(postgresql, query))


def test_connection_that_the_server_ended_is_lost(postgresql: Database) -> None:
    assert is_disconnect(error_of(postgresql, "SELECT pg_terminate_backend(pg_backend_pid())"))


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://nobody@127.0.0.1:1/none",
        "sqlite:////no/such/folder/at/all.db",
    ],
)
def test_database_that_is_not_there_is_away(url: str) -> None:
    database = Database(url)
    assert is_disconnect(error_of(database, "SELECT 1"))
    database.close()


def test_locked_database_is_away_for_a_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0)
    first, second = (Database(f"sqlite:///{tmp_path / 'a.db'}") for _ in range(2))
    with first.write(), pytest.raises(DBAPIError) as raised, second.write():
        pass
    assert is_disconnect(raised.value)
    first.close()
    second.close()
