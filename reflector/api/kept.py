"""Answers kept for as long as the database stays as it is.

Pages and clients ask for the same lists again and again. PostgreSQL tells with one small question
which transactions a reader can see (`pg_current_snapshot`); while that is the same, so is every
answer that is made of the database alone, and the one made before is given again. Any write by
anybody ends that. On SQLite answers are made each time.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

from fastapi.responses import Response
from pydantic_core import to_json
from sqlalchemy.orm import Session

from reflector.auth.access import Caller
from reflector.db.engine import Database

MAX_BYTES = 16 << 20


class KeptAnswers:
    """JSON answers of one process, the least recently used given up beyond 16 MiB."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._lock = threading.Lock()
        self._answers: OrderedDict[Hashable, tuple[str, bytes]] = OrderedDict()
        self._size = 0

    def answer(self, caller: Caller, key: Hashable, make: Callable[[Session], Any]) -> Response:
        """What `make` builds for `caller`; it may use the database, `key` and `caller` only."""
        whole = (caller.user_id, key)
        snapshot = self._db.snapshot()
        with self._lock:
            kept = self._answers.get(whole)
            if kept is not None and kept[0] == snapshot:
                self._answers.move_to_end(whole)
                return _response(kept[1])
        with self._db.read_at_once() as (session, at):
            body = to_json(make(session))
        if at is not None:
            self._keep(whole, at, body)
        return _response(body)

    def _keep(self, key: Hashable, snapshot: str, body: bytes) -> None:
        with self._lock:
            if old := self._answers.pop(key, None):
                self._size -= len(old[1])
            self._answers[key] = (snapshot, body)
            self._size += len(body)
            while self._size > MAX_BYTES:
                _, (_, dropped) = self._answers.popitem(last=False)
                self._size -= len(dropped)


def _response(body: bytes) -> Response:
    return Response(body, media_type="application/json")
