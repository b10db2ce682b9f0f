"""What is logged under systemd arrives with its fields."""

from __future__ import annotations

import logging
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reflector.runtime import log
from reflector.runtime.journald import JournalHandler

LINE = "import logging; from reflector.runtime import log; log.setup(); logging.getLogger('x').warning('said')"


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "socket"))
        listener.settimeout(5)
        yield listener


@pytest.fixture
def logger(journal: socket.socket) -> Iterator[logging.Logger]:
    found = logging.Logger("reflector.test")
    handler = JournalHandler(journal.getsockname())
    handler.addFilter(log.with_fields)
    found.addHandler(handler)
    yield found
    handler.close()


def fields(datagram: bytes) -> dict[str, str]:
    """As systemd reads them."""
    found = {}
    while datagram:
        line, _, datagram = datagram.partition(b"\n")
        name, separator, value = line.partition(b"=")
        if not separator:
            (length,) = struct.unpack("<Q", datagram[:8])
            value, datagram = datagram[8 : 8 + length], datagram[9 + length :]
        found[name.decode()] = value.decode()
    return found


def test_transcript_is_a_field(journal: socket.socket, logger: logging.Logger) -> None:
    with log.about(transcript="t1"), log.about(step="decode"):
        logger.error("broke off")
    logger.info("later")
    first, second = fields(journal.recv(65536)), fields(journal.recv(65536))
    assert (first["MESSAGE"], first["PRIORITY"]) == ("broke off", "3")
    assert (first["REFLECTOR_TRANSCRIPT"], first["REFLECTOR_STEP"]) == ("t1", "decode")
    assert not [name for name in second if name.startswith("REFLECTOR_")]


def test_lines_of_a_traceback_stay_together(journal: socket.socket, logger: logging.Logger) -> None:
    logger.warning("first\nsecond=2\n\nlast")
    assert fields(journal.recv(65536))["MESSAGE"] == "first\nsecond=2\n\nlast"


def test_what_the_journal_does_not_take_is_not_lost(
    journal: socket.socket, logger: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    os.unlink(journal.getsockname())
    logger.warning("nobody listens")
    assert "nobody listens" in capsys.readouterr().err


def test_without_systemd_lines_go_to_standard_error() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LINE], capture_output=True, text=True, check=True,
        env={**os.environ, "JOURNAL_STREAM": "1:2"},
    )  # fmt: skip
    assert done.stderr.endswith("WARNING x: said\n")
