"""What systemd is told, at a socket as its own."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from reflector.runtime import sd_notify


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(tmp_path / "notify"))
        heard.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield heard


def said(manager: socket.socket) -> list[str]:
    lines: list[str] = []
    while True:
        try:
            lines += manager.recv(4096).decode().splitlines()
        except BlockingIOError:
            return lines


def test_states_are_told(manager: socket.socket) -> None:
    sd_notify.ready()
    sd_notify.stopping()
    assert said(manager) == ["READY=1", "STOPPING=1"]


def test_signs_of_life_are_told_no_more_often_than_needed(
    manager: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "30000000")
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    clock = [100.0]
    monkeypatch.setattr("reflector.runtime.sd_notify.time.monotonic", lambda: clock[0])
    watchdog = sd_notify.Watchdog()
    for clock[0] in (100.0, 101.0, 109.0, 110.5, 111.0, 121.0):
        watchdog.pat()
    assert said(manager) == ["WATCHDOG=1"] * 3


@pytest.mark.parametrize("environment", [{}, {"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}])
def test_nobody_is_told_where_nobody_watches(
    manager: socket.socket, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    sd_notify.Watchdog().pat()
    assert said(manager) == []


def test_manager_that_has_gone_is_no_reason_to_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "none"))
    sd_notify.ready()
    assert "READY=1" in caplog.text
