"""Check what works, for `/health/ready`."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import httpx2
from sqlalchemy import text

from reflector.pipeline.queue.broker import CeleryDispatcher
from reflector.pipeline.step import Queue
from reflector.runtime.settings import Settings
from reflector.runtime.sizes import readable_size
from reflector.services import Services

SERVICE_SECONDS = 3.0
LLM_SECONDS = 3.0
REMEMBER_SECONDS = 5.0


class CheckStatus(StrEnum):
    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True)
class Check:
    """The result of one check. If `needed`, the server can serve nothing without it."""

    name: str
    status: CheckStatus
    summary: str
    remedy: str | None = None
    needed: bool = False

    def view(self) -> dict[str, Any]:
        return asdict(self)


def ok(name: str, summary: str, needed: bool = False) -> Check:
    return Check(name, CheckStatus.OK, summary, None, needed)


class Health:
    """Run the checks at most every five seconds, however often they are requested.

    The checks may take seconds if a server does not answer. Requests meanwhile get the last result.
    """

    def __init__(self, services: Services, dispatcher: CeleryDispatcher) -> None:
        self._services, self._dispatcher = services, dispatcher
        self._lock = threading.Lock()
        self._until = 0.0
        self._checks: list[Check] = []

    def checks(self) -> list[Check]:
        if not self._lock.acquire(blocking=not self._checks):
            return self._checks
        try:
            if time.monotonic() >= self._until:
                self._checks = [check() for check in self._all()]
                self._until = time.monotonic() + REMEMBER_SECONDS
            return self._checks
        finally:
            self._lock.release()

    def _all(self) -> list[Callable[[], Check]]:
        return [self._database, self._broker, self._storage, self._space, self._speech, self._llm]

    def _database(self) -> Check:
        try:
            with self._services.db.read() as session:
                session.execute(text("SELECT count(*) FROM alembic_version"))
        except Exception as error:  # noqa: BLE001 - any error is the result
            return Check(
                "database", CheckStatus.FAILED, f"does not answer: {_short(error)}",
                "Start PostgreSQL, or correct DATABASE_URL.", needed=True,
            )  # fmt: skip
        return ok("database", "answers", needed=True)

    def _broker(self) -> Check:
        if self._services.settings.has_own_worker:
            return ok("broker", "within this process")
        try:
            waiting = self._dispatcher.waiting()
            if self._services.relay is not None:
                self._services.relay.ping()
        except Exception as error:  # noqa: BLE001
            return Check(
                "broker", CheckStatus.FAILED, f"does not answer: {_short(error)}",
                "Start Valkey or Redis; uploads are kept and worked on afterwards.",
            )  # fmt: skip
        total = sum(waiting.values()) if waiting else 0
        return ok("broker", f"{total} messages are waiting")

    def _storage(self) -> Check:
        try:
            self._services.storage.check()
        except Exception as error:  # noqa: BLE001
            return Check(
                "storage", CheckStatus.FAILED, _short(error),
                "Check TRANSCRIPT_STORAGE_AWS_* and the storage server, or DATA_DIR.", needed=True,
            )  # fmt: skip
        return ok("storage", "answers", needed=True)

    def _space(self) -> Check:
        settings = self._services.settings
        try:
            free = shutil.disk_usage(settings.uploads_dir).free
        except OSError as error:
            return Check("space", CheckStatus.FAILED, _short(error), "Check DATA_DIR.", needed=True)
        if free < settings.MIN_FREE_BYTES:
            return Check(
                "space", CheckStatus.FAILED, f"only {readable_size(free)} are free",
                "Free some space: no recording is taken until then.",
            )  # fmt: skip
        return ok("space", f"{readable_size(free)} are free")

    def _speech(self) -> Check:
        services = self._services
        if services.settings.has_own_worker:
            if services.speech.notices:
                summary = " ".join(services.speech.notices)
                return Check("speech", CheckStatus.WARNING, summary, "See the message.")
            return self._speech_service() or ok("speech", "within this process")
        queues = services.relay.queues_served() if services.relay is not None else None
        if queues is None:
            return Check("speech", CheckStatus.WARNING, "cannot be told without the broker",
                         "Start Valkey or Redis.")  # fmt: skip
        missing = sorted({queue.value for queue in Queue} - queues)
        if missing:
            return Check(
                "speech", CheckStatus.FAILED, f"no worker serves the queues {', '.join(missing)}",
                f"Start one: reflector worker {' '.join(f'--queue {q}' for q in missing)}",
            )  # fmt: skip
        return self._speech_service() or ok("speech", "workers serve all queues")

    def _speech_service(self) -> Check | None:
        """Return what is wrong with the speech services in the settings; None if nothing."""
        settings = self._services.settings
        found = [
            settings.TRANSCRIPT_URL if settings.TRANSCRIPT_BACKEND == "modal" else None,
            settings.DIARIZATION_URL if settings.DIARIZATION_BACKEND == "modal" else None,
        ]
        for url in sorted({url for url in found if url}):
            try:
                answer = httpx2.get(f"{url.rstrip('/')}/health", timeout=SERVICE_SECONDS)
            except httpx2.HTTPError as error:
                return Check(
                    "speech", CheckStatus.FAILED, f"{url} does not answer: {_short(error)}",
                    "Start the speech service, or correct its address; recordings wait until then.",
                )  # fmt: skip
            if answer.status_code == 503:  # the reference's service has no such path: 404
                return Check(
                    "speech", CheckStatus.WARNING, _notices(answer, url), "See the message."
                )
        return None

    def _llm(self) -> Check:
        settings = self._services.settings
        if not settings.LLM_URL:
            return ok("llm", "not set up: titles and summaries are extracted")
        try:
            response = httpx2.get(
                f"{settings.LLM_URL.rstrip('/')}/models",
                timeout=LLM_SECONDS,
                headers=_key(settings),
            )
            if response.status_code >= 500 or response.status_code in {401, 403}:
                raise httpx2.HTTPError(f"it answers {response.status_code}")
        except httpx2.HTTPError as error:
            return Check(
                "llm", CheckStatus.WARNING, f"does not answer at LLM_URL: {_short(error)}",
                "Start it, or correct LLM_URL and LLM_API_KEY; the analysis can be repeated then.",
            )  # fmt: skip
        return ok("llm", f"answers, model {settings.LLM_MODEL}")


def _notices(answer: httpx2.Response, url: str) -> str:
    """Return what the service says is missing; a proxy before it answers 503 with a page."""
    try:
        return " ".join(answer.json()["notices"])
    except (ValueError, KeyError, TypeError):
        return f"{url} is not ready: it answers 503."


def _key(settings: Settings) -> dict[str, str]:
    if settings.LLM_API_KEY is None:
        return {}
    return {"Authorization": f"Bearer {settings.LLM_API_KEY.get_secret_value()}"}


def _short(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:200]


def can_serve(checks: list[Check]) -> bool:
    return all(c.status is not CheckStatus.FAILED for c in checks if c.needed)
