"""Notify systemd that a process is ready, stopping, or still working.

The protocol is a datagram to the socket in NOTIFY_SOCKET (sd_notify(3)). Without it, nothing is
sent.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time

log = logging.getLogger(__name__)

MICROSECONDS = 1_000_000


def notify(*lines: str) -> None:
    """Send `lines` such as `READY=1`. A failure is logged, not raised."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]  # abstract socket names of Linux
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as told:
            told.connect(address)
            told.sendall("\n".join(lines).encode())
    except OSError as error:
        log.warning("systemd cannot be told %s: %s", lines[0], error)


def ready() -> None:
    notify("READY=1")


def stopping() -> None:
    notify("STOPPING=1")


def watchdog_seconds() -> float | None:
    """Return the interval after which systemd kills a silent process; None if it does not watch."""
    microseconds = os.environ.get("WATCHDOG_USEC", "")
    meant = os.environ.get("WATCHDOG_PID") in {None, str(os.getpid())}
    return int(microseconds) / MICROSECONDS if microseconds.isdigit() and meant else None


class Watchdog:
    """Notify systemd's watchdog from the loop that does the work: each round calls `pat`.

    A separate thread that only sleeps and notifies would continue while the work hangs.
    """

    def __init__(self) -> None:
        seconds = watchdog_seconds()
        self._every = seconds / 3 if seconds else None
        self._told = 0.0
        self._lock = threading.Lock()

    def pat(self) -> None:
        if self._every is None:
            return
        with self._lock:
            now = time.monotonic()
            if now - self._told < self._every:
                return
            self._told = now
        notify("WATCHDOG=1")
