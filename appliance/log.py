"""Log what was done to a machine: /var/log/reflector-appliance.log."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from appliance.errors import ApplianceError

PATH = "var/log/reflector-appliance.log"
Say = Callable[[str], None]


@contextmanager
def logged(root: Path, say: Say) -> Iterator[Say]:
    """Yield a `say` that writes each line into the log as well.

    An error that ends the block is logged too. If the log cannot be written, that is said once, and
    the work continues.
    """
    file = root / PATH
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        log = file.open("a", buffering=1)
    except OSError as error:
        say(f"note: {file} cannot be written: {error.strerror}.")
        yield say
        return
    with log:
        file.chmod(0o640)

        def write(line: str) -> None:
            log.write(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} {line}\n")

        def both(line: str) -> None:
            write(line)
            say(line)

        # Options may hold a password; the first word alone never does
        write(f"appliance {' '.join(word for word in sys.argv[1:2] if word[0] != '-')}")
        try:
            yield both
        except ApplianceError as error:
            write(f"error: {error}")
            raise
