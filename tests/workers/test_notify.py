"""Each program tells systemd that it is ready and that its work goes on, and nothing while it stands."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.stack import Stack
from tests.waiting import PATIENCE, wait_until
from tests.workers.cluster import environment

WATCH_SECONDS = 3.0


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(tmp_path / "notify"))
        yield heard


def wait_for(manager: socket.socket, line: str) -> None:
    manager.settimeout(PATIENCE)
    while line not in manager.recv(4096).decode().splitlines():
        pass


def heard_now(manager: socket.socket) -> None:
    """Forget what was told already."""
    manager.setblocking(False)
    try:
        while True:
            manager.recv(4096)
    except BlockingIOError:
        return


@pytest.mark.parametrize(
    "arguments",
    [
        ["serve", "--port", "0"],
        ["worker", "--queue", "default"],
        ["beat"],
        ["speech", "--port", "0"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_program_tells_that_it_is_ready_alive_and_ending(
    tmp_path: Path, stack: Stack, manager: socket.socket, arguments: list[str]
) -> None:
    settings = stack.settings()
    watched = {
        "NOTIFY_SOCKET": str(tmp_path / "notify"),
        "WATCHDOG_USEC": str(int(WATCH_SECONDS * 1_000_000)),
    }
    with (tmp_path / "log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "reflector", *arguments],
            stdout=log, stderr=log, cwd=tmp_path, env={**environment(tmp_path, settings), **watched},
        )  # fmt: skip
    try:
        wait_for(manager, "READY=1")
        for _ in range(2):
            wait_for(manager, "WATCHDOG=1")
        os.kill(process.pid, signal.SIGSTOP)
        heard_now(manager)
        manager.settimeout(WATCH_SECONDS)
        with pytest.raises(TimeoutError):
            manager.recv(4096)
        os.kill(process.pid, signal.SIGCONT)
        wait_for(manager, "WATCHDOG=1")
        process.terminate()
        wait_for(manager, "STOPPING=1")
        wait_until(lambda: process.poll() is not None, "it ends")
    finally:
        process.kill()
        process.wait(30)
        stack.drop(settings)
