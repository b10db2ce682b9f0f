"""Migrations on PostgreSQL: from nothing, and from a database with a million events."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import func, select, text

from reflector.db.changes import settled, touch
from reflector.db.engine import Database
from reflector.db.models import Base, Event, Transcript
from tests.real.stack import Stack

EVENTS = 1_000_000


@pytest.fixture
def empty(stack: Stack) -> Iterator[Database]:
    url = stack.postgres.url()
    database = Database(url.replace("://", "+psycopg://"))
    yield database
    database.close()
    stack.postgres.drop(url)


@pytest.mark.filterwarnings("ignore:Did not recognize type 'xid8'")
def test_schema_of_the_migrations_is_that_of_the_models(empty: Database) -> None:
    empty.migrate()
    with empty.engine.connect() as connection:
        context = MigrationContext.configure(connection)
        found = compare_metadata(context, Base.metadata)
    # Columns that only PostgreSQL has, filled by triggers and by search
    own = {"change_xid", "config", "vector"}
    rest = [d for d in found if not (d[0] == "remove_column" and d[3].name in own)]
    rest = [d for d in rest if not (d[0] == "remove_index" and "search_document" in d[1].name)]
    assert rest == []


def test_a_million_events_are_still_there_afterwards(empty: Database) -> None:
    empty.migrate("0001")
    with empty.engine.begin() as connection:
        connection.execute(text(
            "INSERT INTO transcript (id, name, status, locked, duration, created_at, reviewed, share_mode,"
            " source_kind, change_seq, last_run) SELECT 't' || n, 'x', 'ended', false, 0, now(), false,"
            " 'private', 'file', n, 0 FROM generate_series(1, 1000) n"))  # fmt: skip
        connection.execute(text("UPDATE change_sequence SET value = 1000"))
        connection.execute(text(
            "INSERT INTO event (transcript_id, run, name, data, created_at) SELECT 't' || (n % 1000 + 1), 1,"
            f" 'TOPIC', json_build_object('n', n), now() FROM generate_series(1, {EVENTS}) n"))  # fmt: skip
    empty.migrate()
    with empty.write() as session:
        assert session.scalar(select(func.count()).select_from(Event)) == EVENTS
        assert session.scalar(select(func.max(Transcript.change_seq))) == 1000
        row = session.get_one(Transcript, "t5")
        row.name = "changed"
        session.flush()
        assert row.change_seq > 1000
        session.add(Event(transcript_id="t5", run=1, name="TITLE", data={}))
    with empty.read() as session:
        assert session.scalar(select(func.max(Event.id))) == EVENTS + 1


def test_processes_that_start_at_once_migrate_once(empty: Database) -> None:
    others = [Database(empty.url) for _ in range(4)]
    problems: list[Exception] = []

    def migrate(database: Database) -> None:
        try:
            database.migrate()
        except Exception as error:  # noqa: BLE001 - shown below
            problems.append(error)

    threads = [threading.Thread(target=migrate, args=(d,)) for d in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for database in others:
        database.close()
    assert problems == []


def test_feed_of_changes_leaves_nothing_out(empty: Database) -> None:
    """A number given out first and committed last must not be skipped by a reader in between."""
    empty.migrate()
    with empty.write() as session:
        session.add_all(Transcript(id=i, name="x", source_kind="file") for i in ("slow", "fast"))

    def feed(after: int) -> list[tuple[int, str]]:
        with empty.read() as session:
            only = settled(session)
            assert only is not None
            rows = session.execute(
                select(Transcript.change_seq, Transcript.id)
                .where(Transcript.change_seq > after, only)
                .order_by(Transcript.change_seq)
            )
            return [(row.change_seq, row.id) for row in rows]

    seen = max(number for number, _ in feed(0))
    with empty.write() as slow:
        slow.get_one(Transcript, "slow").name = "a"
        slow.flush()  # has its number, and is not committed
        with empty.write() as fast:
            fast.get_one(Transcript, "fast").name = "b"
        early = feed(seen)
    assert early == []  # "fast" has to wait for "slow"
    assert [name for _, name in feed(seen)] == ["slow", "fast"]


def test_change_in_another_table_is_in_the_feed(empty: Database) -> None:
    empty.migrate()
    with empty.write() as session:
        row = Transcript(name="x", source_kind="file")
        session.add(row)
        session.flush()
        session.refresh(row, ["change_seq"])
        before = row.change_seq
        touch(session, row)
        assert row.change_seq > before
