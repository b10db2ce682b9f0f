"""Open one engine per process, provide sessions, and migrate the schema."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic_core import from_json, to_json
from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.exc import DBAPIError, DisconnectionError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session, sessionmaker

from reflector.errors import ConfigurationError, ReflectorError

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory

log = logging.getLogger(__name__)

BUSY_SECONDS = 30
CONNECT_SECONDS = 10
IDLE_SECONDS = 1.0
POOL_CONNECTIONS = 10
MORE_CONNECTIONS = 30
MIGRATION_LOCK = 7_315_001  # any number that only this program uses in its database
AFTER_COMMIT = "after commit"
RETRY_SECONDS = 60.0
RETRY_PAUSE = 0.25
START_SECONDS = 20.0
START_PAUSE = 1.0

SQLITE_AWAY = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
}
# Connection exceptions, too many connections, and server shutdown, crash or startup (PostgreSQL
# documentation, appendix A)
POSTGRESQL_AWAY = ("08", "53300", "57P")

MIGRATIONS = Path(__file__).parent / "migrations"

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class CacheValidator:
    """A PostgreSQL query that returns one text: the same text means the same data."""

    query: str
    parameters: tuple[str, ...] = ()

    def ask(self, connection: Connection) -> str | None:
        found = connection.exec_driver_sql(self.query, self.parameters).scalar()
        return None if found is None else str(found)


# The transactions that a reader sees: this changes with every write
ANY_WRITE = CacheValidator("SELECT pg_current_snapshot()::text")


def is_disconnect(error: BaseException | None) -> bool:
    """Return whether the database was unreachable or busy, so that a retry may work."""
    while error is not None:
        if isinstance(error, PoolTimeout):
            return True
        if isinstance(error, DBAPIError) and (error.connection_invalidated or _is_away(error.orig)):
            return True
        error = error.__cause__
    return False


def _is_away(error: BaseException | None) -> bool:
    """Return whether a driver's error means a lost or refused connection, or a locked database.

    Other errors, such as "no such table" and a cancelled query, are OperationalErrors too.
    """
    if isinstance(error, sqlite3.OperationalError):
        # The lowest byte of an extended code is the primary code (sqlite.org/rescode.html)
        return error.sqlite_errorcode & 0xFF in SQLITE_AWAY
    if type(error).__module__.partition(".")[0] == "psycopg":
        state = getattr(error, "sqlstate", None)
        if state is None:
            return type(error).__name__ == "OperationalError"  # libpq's own
        return str(state).startswith(POSTGRESQL_AWAY)
    return False


def after_commit(session: Session, do: Callable[[], None]) -> None:
    """Call `do` after the transaction of `Database.write` is committed; never after a rollback."""
    session.info.setdefault(AFTER_COMMIT, []).append(do)


def retry_on_disconnect(action: Callable[[], Answer], seconds: float = RETRY_SECONDS) -> Answer:
    """Retry `action` while the database is away, for at most `seconds`.

    A commit may have succeeded although its answer was lost: `action` has to check that itself.
    """
    deadline = time.monotonic() + seconds
    pause = RETRY_PAUSE
    while True:
        try:
            return action()
        except Exception as error:
            if not is_disconnect(error) or time.monotonic() + pause > deadline:
                raise
        time.sleep(pause)
        pause = min(2 * pause, 5.0)


def _may_come_up(error: OperationalError) -> bool:
    """Return whether the server is starting, or was there a moment ago and is started again.

    libpq tells the former only in words.
    """
    words = str(error.orig)
    signs = ("starting up", "shutting down", "not yet accepting", "refused", "recovery")
    return error.connection_invalidated or any(sign in words for sign in signs)


def _refused(error: SQLAlchemyError) -> ReflectorError:
    reason = str(getattr(error, "orig", None) or error).splitlines()[0]
    return ReflectorError(f"The database's schema cannot be brought up to date: {reason}")


def _is_usable(connection: Connection) -> bool:
    """Return whether this version can use the schema without a migration.

    That is so if its revision is the newest migration here, or a newer one that is compatible.
    Raises ConfigurationError if it is newer and not compatible.
    """
    newest = max(path.name for path in (MIGRATIONS / "versions").glob("[0-9]*.py")).partition("_")[
        0
    ]
    if not inspect(connection).has_table("alembic_version"):
        return False
    revision = str(connection.scalar(text("SELECT version_num FROM alembic_version")))
    if revision <= newest:
        return revision == newest
    oldest = str(connection.scalar(text("SELECT oldest FROM schema_reader")))
    if oldest > newest:
        raise ConfigurationError(
            f"the database was changed by a newer version (schema {revision}), and this one knows {newest}",
            "Start the newer version again, or restore the database as it was before it.",
        )
    log.warning("the database is of a newer version (schema %s), which this one can use", revision)
    return True


def _note_oldest_reader(connection: Connection, script: ScriptDirectory) -> None:
    """Store which versions can use the schema, for a machine that is rolled back.

    The value is the newest OLDEST_READER of the migrations.
    """
    named = [
        getattr(each.module, "OLDEST_READER", each.revision) for each in script.walk_revisions()
    ]
    connection.execute(text("DELETE FROM schema_reader"))
    connection.execute(
        text("INSERT INTO schema_reader (oldest) VALUES (:oldest)"), {"oldest": max(named)}
    )


def _note_checkin(_connection: Any, record: Any) -> None:
    record.info["checked_in"] = time.monotonic()


def _to_json(value: Any) -> str:
    return to_json(value).decode()


def _sqlite_pragmas(connection: Any, _record: object) -> None:
    # Disable the driver's transaction control, which begins transactions too late (SQLAlchemy
    # documentation, "Serializable isolation / Savepoints / Transactional DDL" of SQLite).
    connection.isolation_level = None
    # Its own knows the letters of ASCII only
    connection.create_function("lower", 1, _lower, deterministic=True)
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")  # an acknowledged write survives a power failure
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _lower(value: str | None) -> str | None:
    return None if value is None else str(value).lower()


class Database:
    """Provide sessions on one database URL.

    `read()` and `write()` are context managers; `write()` commits at its end. On SQLite, a writer
    takes the write lock at once (BEGIN IMMEDIATE), so that two writers wait for each other instead
    of failing half-way.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        options: dict[str, Any] = {"json_serializer": _to_json, "json_deserializer": from_json}
        if self.is_sqlite:
            options["connect_args"] = {"timeout": BUSY_SECONDS}
        else:
            options |= {
                "connect_args": {"connect_timeout": CONNECT_SECONDS, "options": "-c timezone=UTC"},
                "pool_size": POOL_CONNECTIONS,
                "max_overflow": MORE_CONNECTIONS,
                "pool_use_lifo": True,
            }
        # Error texts reach the log: keep hashes, names and words out of it
        self.engine: Engine = create_engine(url, hide_parameters=True, **options)
        if self.is_sqlite:
            event.listen(self.engine, "connect", _sqlite_pragmas)
        else:
            event.listen(self.engine, "checkin", _note_checkin)
            event.listen(self.engine, "checkout", self._ping_if_idle)
        self._autocommit = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)

    def _ping_if_idle(self, connection: Any, record: Any, _proxy: object) -> None:
        """Ping a connection that was idle, to find those that a server restart has closed.

        SQLAlchemy's own `pool_pre_ping` pings before each use, which costs a round trip for every
        request. Raises DisconnectionError if the connection is dead.
        """
        if time.monotonic() - record.info.get("checked_in", 0.0) < IDLE_SECONDS:
            return
        try:
            alive = self.engine.dialect.do_ping(connection)
        except (DBAPIError, self.engine.dialect.loaded_dbapi.Error) as error:
            raise DisconnectionError from error
        if not alive:
            raise DisconnectionError

    @contextmanager
    def read(self) -> Iterator[Session]:
        with self._sessions() as session:
            yield session

    def state(self, validator: CacheValidator) -> str | None:
        """Return the current answer of `validator`; None on SQLite."""
        if self.is_sqlite:
            return None
        with self._autocommit.connect() as connection:
            return validator.ask(connection)

    @contextmanager
    def read_at_once(self, validator: CacheValidator) -> Iterator[tuple[Session, str | None]]:
        """Yield a session whose queries all see one snapshot, and the answer of `validator` in it.

        The answer is None on SQLite.
        """
        with self._sessions() as session:
            if self.is_sqlite:
                session.connection().exec_driver_sql("BEGIN")
                yield session, None
                return
            connection = session.connection(
                execution_options={"isolation_level": "REPEATABLE READ"}
            )
            yield session, validator.ask(connection)

    @contextmanager
    def write(self) -> Iterator[Session]:
        with self._sessions() as session:
            if self.is_sqlite:
                session.connection().exec_driver_sql("BEGIN IMMEDIATE")
            yield session
            session.commit()
        for do in session.info.pop(AFTER_COMMIT, ()):
            do()

    def migrate(self, revision: str = "head") -> None:
        """Bring the schema to `revision`.

        If several processes start at once, one migrates and the others wait. This also waits for a
        server that is still starting, for example after a power failure. Raises ConfigurationError
        if the database cannot be opened, and ReflectorError if it refuses a step.
        """
        if self.is_sqlite and self.engine.url.database:
            Path(self.engine.url.database).parent.mkdir(parents=True, exist_ok=True)
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self._migrate(revision)
                return
            except OperationalError as error:
                if not is_disconnect(error):
                    raise _refused(error) from error
                if not _may_come_up(error) or time.monotonic() > deadline:
                    raise ConfigurationError(
                        f"the database cannot be opened: {error.orig}",
                        "Check DATABASE_URL, or that DATA_DIR can be written.",
                    ) from error
            except SQLAlchemyError as error:
                raise _refused(error) from error
            log.warning("the database does not answer yet; waiting")
            time.sleep(START_PAUSE)

    def _migrate(self, revision: str) -> None:
        with self.engine.connect() as connection:
            if revision == "head" and _is_usable(connection):
                return
            from alembic import command  # too slow to import at each start of each process
            from alembic.config import Config
            from alembic.script import ScriptDirectory

            config = Config()
            config.set_main_option("script_location", str(MIGRATIONS))
            if not self.is_sqlite:
                connection.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
            if revision == "head":
                _note_oldest_reader(connection, ScriptDirectory.from_config(config))
            connection.commit()

    def check(self) -> None:
        """Raise ConfigurationError if a newer version left a schema that this one cannot use."""
        with self.engine.connect() as connection:
            _is_usable(connection)

    def close(self) -> None:
        self.engine.dispose()
