"""A server that starts together with its database."""

from __future__ import annotations

import threading
import time

import pytest
from sqlalchemy import Connection, text

from reflector.db import engine
from reflector.db.engine import Database
from reflector.errors import ConfigurationError
from tests.conftest import SERVERS, OpenServices
from tests.real.stack import Stack
from tests.waiting import wait_until

pytestmark = pytest.mark.parametrize("open_with", [SERVERS], indirect=True)


def test_database_that_comes_up_late_is_waited_for(open_with: OpenServices, stack: Stack) -> None:
    services = open_with()
    services.close()
    late = Database(services.settings.database_url)
    waiting = threading.Thread(target=late.migrate, daemon=True)
    stack.postgres.server.stop()
    try:
        waiting.start()
        waiting.join(0.5)
        assert waiting.is_alive()
    finally:
        stack.postgres.server.start()
    wait_until(lambda: not waiting.is_alive(), "it starts", 30)
    with late.read() as session:
        assert session.connection().exec_driver_sql("SELECT 1").scalar() == 1
    late.close()


def test_database_that_stays_away_is_a_sentence(
    open_with: OpenServices, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = open_with()
    services.close()
    monkeypatch.setattr(engine, "START_SECONDS", 0.1)
    stack.postgres.server.stop()
    try:
        with pytest.raises(ConfigurationError, match="cannot be opened"):
            Database(services.settings.database_url).migrate()
    finally:
        stack.postgres.server.start()


def test_database_that_is_not_there_is_told_at_once(open_with: OpenServices) -> None:
    settings = open_with().settings
    wrong = settings.database_url.rpartition("/")[0] + "/no_such_database"
    started = time.monotonic()
    with pytest.raises(ConfigurationError, match="no_such_database"):
        Database(wrong).migrate()
    assert time.monotonic() - started < engine.START_SECONDS / 2


def test_database_that_is_started_again_in_the_middle_is_waited_for(
    open_with: OpenServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it ends connections when it is stopped: with 57P01, "terminating connection"."""
    asked = []
    look = engine._is_usable

    def cut_off_at_first(connection: Connection) -> bool:
        asked.append(connection)
        if len(asked) == 1:
            connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        return look(connection)

    monkeypatch.setattr(engine, "_is_usable", cut_off_at_first)
    open_with()
    assert len(asked) == 2
