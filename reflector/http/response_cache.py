"""Cache responses for as long as the data that they were made of is unchanged.

Pages and clients ask for the same data again and again. One small PostgreSQL query tells which
transactions a reader can see (`pg_current_snapshot`). While that is unchanged, so is every response
that is made of the database alone, and the cached one is reused. Any write invalidates it. A
response made of one transcript has a query of its own, so that other writes do not invalidate it.
On SQLite, nothing is cached.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

from fastapi.responses import Response
from pydantic_core import to_json
from sqlalchemy.orm import Session

from reflector.accounts.access import Caller
from reflector.db.engine import ANY_WRITE, CacheValidator, Database

MAX_BYTES = 16 << 20
# `xmin` is the transaction that last wrote a row. The query covers everything that a response about
# a transcript is made of: its rights, people, words and topics
TRANSCRIPT_STATE = """
SELECT concat(
    t.xmin, ' ', r.xmin, ' ', m.xmin, ' ',
    (SELECT w.xmin FROM words w WHERE w.transcript_id = t.id AND w.run = t.shown_run), ' ',
    (SELECT string_agg(concat(p.xmin, ':', u.xmin), ',' ORDER BY p.id)
        FROM participant p LEFT JOIN "user" u ON u.id = p.user_id WHERE p.transcript_id = t.id), ' ',
    (SELECT string_agg(concat(s.user_id, ':', s.xmin), ',' ORDER BY s.user_id)
        FROM transcript_share s WHERE s.transcript_id = t.id), ' ',
    (SELECT string_agg(concat(o.xmin), ',' ORDER BY o.position, o.id)
        FROM topic o WHERE o.transcript_id = t.id AND o.run = t.shown_run)
)
FROM transcript t
LEFT JOIN room r ON r.id = t.room_id
LEFT JOIN meeting m ON m.id = t.meeting_id
WHERE t.id = %s
"""


def state_of(transcript_id: str) -> CacheValidator:
    return CacheValidator(TRANSCRIPT_STATE, (transcript_id,))


class ResponseCache:
    """Cache JSON responses of one process, up to 16 MiB; the least recently used are dropped."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._lock = threading.Lock()
        self._answers: OrderedDict[Hashable, tuple[str, bytes]] = OrderedDict()
        self._size = 0

    def answer(
        self,
        caller: Caller,
        key: Hashable,
        make: Callable[[Session], Any],
        validator: CacheValidator = ANY_WRITE,
    ) -> Response:
        """Return what `make` builds for `caller`, from the cache if it is still valid.

        `make` may use only `key`, `caller`, and the part of the database that `validator` covers.
        """
        whole = (caller, key)
        state = self._db.state(validator)
        with self._lock:
            cached = self._answers.get(whole)
            if cached is not None and cached[0] == state:
                self._answers.move_to_end(whole)
                return _response(cached[1])
        with self._db.read_at_once(validator) as (session, at):
            body = to_json(make(session))
        if at is not None:
            self._store(whole, at, body)
        return _response(body)

    def _store(self, key: Hashable, state: str, body: bytes) -> None:
        with self._lock:
            if old := self._answers.pop(key, None):
                self._size -= len(old[1])
            self._answers[key] = (state, body)
            self._size += len(body)
            while self._size > MAX_BYTES:
                _, (_, dropped) = self._answers.popitem(last=False)
                self._size -= len(dropped)


def _response(body: bytes) -> Response:
    return Response(body, media_type="application/json")
