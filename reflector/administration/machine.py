"""Tell administrators what the server consists of and keeps: storage, models, versions."""

from __future__ import annotations

import json
import platform
from pathlib import Path
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from reflector import __version__
from reflector.administration.schemas import Model, StorageShare, Update, Versions
from reflector.db.models import Transcript, User
from reflector.errors import InvalidInput, NotFound
from reflector.runtime.settings import Settings
from reflector.services import Services
from reflector.speech.manifest import Manifest


def storage(services: Services) -> list[StorageShare]:
    """Return what each account's recordings take, the largest first; lists the whole storage.

    What belongs to no recording any more is a share without an account, like recordings without an
    owner. It is deleted by itself.
    """
    sizes = services.storage.sizes()
    with services.db.read() as session:
        rows = session.execute(
            select(Transcript.id, Transcript.user_id, User.email).outerjoin(
                User, User.id == Transcript.user_id
            )
        ).all()
    shares: dict[str | None, StorageShare] = {}

    def add(user_id: str | None, email: str | None, recordings: int, size: int) -> None:
        share = shares.setdefault(
            user_id, StorageShare(user_id=user_id, email=email, recordings=0, bytes=0)
        )
        share.recordings += recordings
        share.bytes += size

    for transcript_id, user_id, email in rows:
        add(user_id, email, 1, sizes.pop(transcript_id, 0))
    if left := sum(sizes.values()):
        add(None, None, 0, left)
    return sorted(shares.values(), key=lambda share: -share.bytes)


def models(settings: Settings) -> list[Model]:
    """Return the speech models in MODELS_DIR."""
    manifest = Manifest(settings.models_dir)
    listed = [
        Model(name=entry.name, bytes=entry.size, licence=entry.licence, can_be_verified=True)
        for entry in manifest.entries().values()
    ]
    by_hand = [
        Model(name=name, bytes=None, licence=None, can_be_verified=False)
        for name in manifest.unlisted()
    ]
    return [*listed, *by_hand]


def verify(settings: Settings, name: str) -> list[str]:
    """Compare a model with its recorded checksums; return what is wrong. Reads all its files."""
    manifest = Manifest(settings.models_dir)
    entry = manifest.entries().get(name)
    if entry is None:
        raise NotFound("There is no such model in the list.")
    return manifest.problems(entry)


def versions(session: Session, settings: Settings) -> Versions:
    return Versions(
        reflector=__version__,
        python=platform.python_version(),
        system=platform.platform(),
        schema_revision=str(session.scalar(text("SELECT version_num FROM alembic_version"))),
        updates=_updates(settings.VERSIONS_FILE),
    )


def _updates(file: Path) -> list[Update]:
    """Return the versions that this machine was given, the newest first; none off an appliance."""
    try:
        rows: list[dict[str, Any]] = json.loads(file.read_text())
        return [
            Update(**{name: row[name] for name in Update.model_fields if name in row})
            for row in reversed(rows)
        ]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError) as error:
        raise InvalidInput(
            "{file} cannot be read.",
            "Move it away. It contains only the history of updates.",
            file=str(file),
        ) from error
