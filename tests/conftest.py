"""Fixtures: services on a temporary folder, the tiny models, a real server as a process."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from reflector.app import create_app
from reflector.db.engine import Database
from reflector.events import relay
from reflector.runtime import settings as settings_module
from reflector.runtime.settings import Settings
from reflector.services import Services, open_services
from reflector.speech.registry import SpeechEngines
from tests.real.stack import REMEDY, Stack, description, missing
from tests.server import Server, running_server

EMBEDDED, SERVERS = "embedded", "servers"
FIXTURES = Path(__file__).parent / "fixtures"
WHISPER = FIXTURES / "models" / "whisper"
DIARIZER = FIXTURES / "models" / "diarizer"
SAMPLE = FIXTURES / "recordings" / "sample.flac"
HELD_OUT = FIXTURES / "recordings" / "held-out.flac"
# Each of hundreds of tests waits so long for the end of its relay
relay.POLL_SECONDS = 0.02
HAS_DIARIZATION = find_spec("pyannote") is not None and find_spec("torch") is not None

needs_diarization = pytest.mark.skipif(
    not HAS_DIARIZATION, reason="pyannote.audio is not installed: no CPU build of torch was found"
)


@dataclass(frozen=True)
class Reference:
    """What was said in a recording of the fixtures; times in seconds."""

    words: list[tuple[str, float, float, str]]
    turns: list[tuple[float, float, str]]
    duration: float

    @property
    def text(self) -> str:
        return " ".join(word[0] for word in self.words)


def reference(recording: Path) -> Reference:
    data = json.loads(recording.with_suffix(".json").read_text())
    return Reference(
        [tuple(word) for word in data["words"]],
        [tuple(turn) for turn in data["turns"]],
        data["duration"],
    )


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither the environment nor a .env file of the developer decides what is tested."""
    for name in [*Settings.model_fields, "CREDENTIALS_DIRECTORY", "NOTIFY_SOCKET"]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture
def make_settings(tmp_path: Path) -> Callable[..., Settings]:
    def make(**values: Any) -> Settings:
        chosen = {
            "DATA_DIR": tmp_path / "data",
            "WHISPER_MODEL": str(WHISPER),
            "DIARIZATION_MODEL": str(DIARIZER),
            "DIARIZATION_ENABLED": HAS_DIARIZATION,
            **values,
        }
        return settings_module.load(**chosen)

    return make


@pytest.fixture(scope="session")
def engines(tmp_path_factory: pytest.TempPathFactory) -> SpeechEngines:
    """The tiny models, loaded once: importing pyannote.audio alone takes some ten seconds."""
    return SpeechEngines(
        settings_module.load(
            DATA_DIR=tmp_path_factory.mktemp("engines"),
            WHISPER_MODEL=str(WHISPER),
            DIARIZATION_MODEL=str(DIARIZER),
            DIARIZATION_ENABLED=HAS_DIARIZATION,
        )
    )


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """PostgreSQL, Redis or Valkey, and S3; tests that need them are skipped where they are not."""
    if lacking := missing():
        pytest.skip(f"{', '.join(lacking)} missing: {REMEDY}")
    started = Stack(tmp_path_factory.mktemp("stack"))
    yield started
    started.stop()


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Today's tables in SQLite, to be copied: making them takes longer than many tests."""
    path = tmp_path_factory.mktemp("empty") / "reflector.db"
    database = Database(f"sqlite:///{path}")
    database.migrate()
    database.close()
    return path


OpenServices = Callable[..., Services]


@pytest.fixture
def open_with(
    make_settings: Callable[..., Settings],
    engines: SpeechEngines,
    empty_database: Path,
    request: pytest.FixtureRequest,
) -> Iterator[OpenServices]:
    """Opens services with the settings that it is given; all on one database and storage.

    Embedded; parametrised with SERVERS on PostgreSQL, Redis and S3.
    """
    real: Stack | None = None
    values: dict[str, Any] = {}
    if getattr(request, "param", EMBEDDED) == SERVERS:
        real = request.getfixturevalue("stack")
        values = real.settings()
    opened: list[Services] = []

    def open_one(**settings: Any) -> Services:
        chosen = make_settings(**{**values, **settings})
        database = chosen.DATA_DIR / empty_database.name
        if chosen.DATABASE_URL is None and not database.exists():
            with suppress(OSError):  # a folder that cannot be made is what some tests are about
                chosen.DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
                shutil.copyfile(empty_database, database)
        services = open_services(chosen)
        services.speech = engines
        opened.append(services)
        return services

    yield open_one
    for services in opened:
        services.close()
    if real is not None:
        real.drop(values)


@pytest.fixture
def services(open_with: OpenServices) -> Services:
    return open_with()


@pytest.fixture
def client(services: Services) -> TestClient:
    """The API without its worker: what is uploaded waits."""
    return client_of(services)


def client_of(
    services: Services,
    address: tuple[str, int] = ("testclient", 50000),
    base_url: str = "http://127.0.0.1:1250",
) -> TestClient:
    """`address`: of the client, as the server sees it."""
    if services.relay is not None and not services.relay.connected.is_set():
        services.relay.listen()
        assert services.relay.connected.wait(10)
    return TestClient(create_app(services), base_url=base_url, client=address)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server process with the tiny models, for all tests that only look at it."""
    with running_server(tmp_path_factory.mktemp("server")) as started:
        yield started


@pytest.fixture(scope="session")
def sample_id(server: Server) -> str:
    """The sample meeting, processed."""
    transcript_id = server.upload(SAMPLE)
    server.wait_for_status(transcript_id, "ended")
    return transcript_id


def pytest_report_header() -> str:
    return f"real servers: {description()}"


# What CI may leave out, by the beginning of the reason; the rest could have run there
ALLOWED_SKIPS = {
    "pyannote.audio is not installed": "There is no CPU build of torch for every Python.",
    "there is only one version of PostgreSQL": "Others come from packages of some platforms only.",
    "a compiler is needed": "The library that stands in for CUDA's is compiled.",
}


def unexplained(reasons: Iterable[str]) -> list[str]:
    """Reasons of skipped tests that no entry of ALLOWED_SKIPS explains."""
    plain = (reason.removeprefix("Skipped: ") for reason in reasons)
    return sorted(reason for reason in plain if not reason.startswith(tuple(ALLOWED_SKIPS)))


def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if "CI" not in os.environ or reporter is None or hasattr(session.config, "workerinput"):
        return
    skipped = [report.longrepr[2] for report in reporter.stats.get("skipped", [])]
    if found := unexplained(skipped):
        print(f"\nFAILED: tests were skipped that could have run here: {'; '.join(found)}")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    if skipped:
        terminalreporter.write_line(
            f"NOT RUN: {len(skipped)} tests; the reasons are above.", yellow=True
        )
