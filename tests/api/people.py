"""Callers of the tests: accounts, tokens, keys, and transcripts of theirs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from reflector.accounts import keys, users
from reflector.db.models import Transcript
from reflector.services import Services

SECRET = "a-secret-of-the-tests-only"
PASSWORD = "correct horse battery"
HASH = "pbkdf2:sha256:1000$00112233445566778899aabbccddeeff$" + "0" * 64


@dataclass
class Person:
    """Somebody with an account; `headers` by how they come."""

    id: str
    email: str
    bearer: dict[str, str] = field(default_factory=dict)
    key: dict[str, str] = field(default_factory=dict)


def make_person(services: Services, email: str, password_hash: str = HASH) -> Person:
    with services.db.write() as session:
        user = users.create(session, email, password_hash)
        _, key = keys.create(session, services.settings, user.id, "test")
    token = services.identity.signer.login(user.id, user.email, 0)
    return Person(user.id, user.email, {"Authorization": f"Bearer {token}"}, {"X-API-Key": key})


def make_transcript(services: Services, **values: Any) -> str:
    with services.db.write() as session:
        transcript = Transcript(**{"name": "x", "source_kind": "file", **values})
        session.add(transcript)
        session.flush()
        return transcript.id
