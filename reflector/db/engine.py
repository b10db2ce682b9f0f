"""One engine per process, sessions from it, and the schema brought up to date."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from reflector.errors import ConfigurationError

BUSY_SECONDS = 30


def _sqlite_pragmas(connection: Any, _record: object) -> None:
    # Take transaction control from the driver, which would begin too late (SQLAlchemy's
    # documentation, "Serializable isolation / Savepoints / Transactional DDL" of SQLite).
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")  # an acknowledged write survives a power cut
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


class Database:
    """Sessions on one database URL.

    `read()` and `write()` are context managers; `write()` commits at its end. On SQLite a writer
    takes the write lock at once (BEGIN IMMEDIATE), so that two writers wait for each other
    instead of failing half-way.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        arguments: dict[str, Any] = {"timeout": BUSY_SECONDS} if self.is_sqlite else {}
        self.engine: Engine = create_engine(
            url, connect_args=arguments, pool_pre_ping=not self.is_sqlite
        )
        if self.is_sqlite:
            event.listen(self.engine, "connect", _sqlite_pragmas)
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)

    @contextmanager
    def read(self) -> Iterator[Session]:
        with self._sessions() as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        with self._sessions() as session:
            if self.is_sqlite:
                session.connection().exec_driver_sql("BEGIN IMMEDIATE")
            yield session
            session.commit()

    def migrate(self) -> None:
        """Bring the schema to the newest revision; a ConfigurationError if it cannot be opened."""
        if self.is_sqlite and self.engine.url.database:
            Path(self.engine.url.database).parent.mkdir(parents=True, exist_ok=True)
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        try:
            with self.engine.connect() as connection:
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
                connection.commit()
        except OperationalError as error:
            raise ConfigurationError(
                f"the database cannot be opened: {error.orig}",
                "Check DATABASE_URL, or that DATA_DIR can be written.",
            ) from error

    def close(self) -> None:
        self.engine.dispose()
