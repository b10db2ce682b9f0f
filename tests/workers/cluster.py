"""The processes of a larger server: API, workers, beat, on real PostgreSQL, Redis and S3."""

from __future__ import annotations

import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.environment import inherited
from tests.server import FIXTURES, Server
from tests.waiting import wait_until


def environment(data: Path, settings: dict[str, Any]) -> dict[str, str]:
    kept = inherited()
    return {
        **kept,
        "DATA_DIR": str(data),
        "WHISPER_MODEL": str(FIXTURES / "models" / "whisper"),
        "DIARIZATION_MODEL": str(FIXTURES / "models" / "diarizer"),
        "DIARIZATION_ENABLED": str(find_spec("pyannote") is not None),
        "HF_HUB_OFFLINE": "1",
        "MIN_FREE_BYTES": "0",
        "PYTHONPATH": str(FIXTURES.parent.parent),
        **{name: str(value) for name, value in settings.items()},
    }


class Process:
    """`reflector …` as a process that can be killed and started again."""

    def __init__(self, data: Path, settings: dict[str, Any], *arguments: str) -> None:
        self._data, self._settings, self._arguments = data, settings, arguments
        self.log = data / f"{arguments[0]}-{id(self)}.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "reflector", *self._arguments],
                stdout=log, stderr=log, cwd=self._data, env=environment(self._data, self._settings),
            )  # fmt: skip

    def _end(self, number: signal.Signals) -> int:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(60)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        return self._end(signal.SIGTERM)


class Api(Server):
    """`reflector serve` with a database and a broker; stopping it leaves the workers alone."""

    def __init__(self, data: Path, settings: dict[str, Any], port: int = 0) -> None:
        super().__init__(data, port, **environment(data, settings))

    def ready(self) -> dict[str, Any]:
        answer = self.http.get("/health/ready")
        body: dict[str, Any] = answer.json()
        return body

    def wait_for_workers(self) -> None:
        def up() -> bool:
            checks = {check["name"]: check for check in self.ready()["checks"]}
            return bool(checks["speech"]["status"] == "ok")

        wait_until(up, "workers report", 60)
