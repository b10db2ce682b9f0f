"""A socket that systemd would hand over: no connection is refused while the server restarts."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.real.stack import Stack
from tests.waiting import wait_until
from tests.workers.cluster import environment

START = "exec 3<&{fd}; export LISTEN_FDS=1 LISTEN_PID=$$; exec {python} -m reflector serve"


@pytest.mark.parametrize("kind", ["embedded", "servers"])
def test_connections_wait_while_the_server_restarts(
    tmp_path: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    settings: dict[str, Any] = {}
    if kind == "servers":
        stack: Stack = request.getfixturevalue("stack")
        settings = stack.settings()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"

        def start() -> subprocess.Popen[bytes]:
            command = START.format(fd=listener.fileno(), python=sys.executable)
            with (tmp_path / "log").open("ab") as log:
                return subprocess.Popen(
                    ["bash", "-c", command], pass_fds=[listener.fileno()], stdout=log, stderr=log,
                    env=environment(tmp_path, settings), cwd=tmp_path,
                )  # fmt: skip

        def answer() -> int:
            return httpx2.get(f"{url}/health", timeout=60).status_code

        process = start()
        assert answer() == 200  # the request waits for the server to come up
        process.terminate()
        wait_until(lambda: process.poll() is not None, "the server ends")
        again = start()
        assert answer() == 200
        again.terminate()
        assert again.wait(30) == 0
    if kind == "servers":
        stack.drop(settings)
