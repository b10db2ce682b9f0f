"""Log to journald with fields, so that logs can be searched by transcript.

Uses its native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL). systemd sets JOURNAL_STREAM to device
and inode if standard error is connected to the journal.
"""

from __future__ import annotations

import logging
import os
import socket
import struct
import sys

SOCKET = "/run/systemd/journal/socket"
# syslog(3)
PRIORITIES = {
    logging.DEBUG: 7,
    logging.INFO: 6,
    logging.WARNING: 4,
    logging.ERROR: 3,
    logging.CRITICAL: 2,
}


def is_our_stream() -> bool:
    """Return whether standard error goes to the journal."""
    try:
        found = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"


class JournalHandler(logging.Handler):
    """Send each record as a datagram. What the journal does not accept goes to standard error."""

    def __init__(self, address: str = SOCKET) -> None:
        super().__init__()
        self._address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            message = self.format(record)
        except Exception:  # noqa: BLE001 - as logging's own handlers do
            self.handleError(record)
            return
        fields = {
            "MESSAGE": message,
            "PRIORITY": str(PRIORITIES.get(record.levelno, 6)),
            "LOGGER": record.name,
            "CODE_FILE": record.pathname,
            "CODE_LINE": str(record.lineno),
            **getattr(record, "fields", {}),
        }
        try:
            self._socket.sendto(b"".join(map(_encoded, fields.items())), self._address)
        except OSError:  # too long for a datagram, or the journal is restarting
            sys.stderr.write(f"{message}\n")

    def close(self) -> None:
        self._socket.close()
        super().close()


def _encoded(field: tuple[str, str]) -> bytes:
    """Encode a field; a value of several lines is preceded by its length."""
    name, value = field[0].encode(), field[1].encode(errors="replace")
    if b"\n" in value:
        return name + b"\n" + struct.pack("<Q", len(value)) + value + b"\n"
    return name + b"=" + value + b"\n"
