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

START = (
    "exec 3<&{fd} 4<&{second}; export LISTEN_FDS=2 LISTEN_PID=$$; exec {python} -m reflector serve"
)


@pytest.mark.parametrize("kind", ["embedded", "servers"])
def test_connections_wait_while_the_server_restarts(
    tmp_path: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    settings: dict[str, Any] = {}
    if kind == "servers":
        stack: Stack = request.getfixturevalue("stack")
        settings = stack.settings()
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_server(("127.0.0.1", 0)) as other,
    ):
        urls = [f"http://127.0.0.1:{each.getsockname()[1]}" for each in (listener, other)]

        def start() -> subprocess.Popen[bytes]:
            fds = {"fd": listener.fileno(), "second": other.fileno()}
            command = START.format(**fds, python=sys.executable)
            with (tmp_path / "log").open("ab") as log:
                return subprocess.Popen(
                    ["bash", "-c", command], pass_fds=list(fds.values()), stdout=log, stderr=log,
                    env=environment(tmp_path, settings), cwd=tmp_path,
                )  # fmt: skip

        def answers() -> list[int]:
            return [httpx2.get(f"{url}/health", timeout=60).status_code for url in urls]

        process = start()
        assert answers() == [200, 200]  # the requests wait for the server to come up
        process.terminate()
        wait_until(lambda: process.poll() is not None, "the server ends")
        again = start()
        assert answers() == [200, 200]
        again.terminate()
        assert again.wait(30) == 0
    if kind == "servers":
        stack.drop(settings)
