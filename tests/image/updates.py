"""A folder of updates behind HTTP, and what a machine does with it."""

from __future__ import annotations

import contextlib
import functools
import json
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.image.machine import SERVER, VirtualMachine
from tests.waiting import wait_until

ADDRESS = f"http://{SERVER}"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """pytest has no use for it."""


class Served:
    """`folder` may be changed while it is served."""

    def __init__(self) -> None:
        self.folder = Path("/nonexistent")
        outer = self

        class Handler(Quiet):
            def translate_path(self, path: str) -> str:
                self.directory = str(outer.folder)
                return super().translate_path(path)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler))
        self.port = self._server.server_address[1]

    def __enter__(self) -> Served:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def apply(machine: VirtualMachine, *flags: str, check: bool = True) -> str:
    return machine.run("appliance", "update", "apply", "--from", ADDRESS, *flags, check=check)


def history(machine: VirtualMachine) -> dict[str, Any]:
    found = json.loads(machine.run("appliance", "update", "history", "--json"))
    found["by_version"] = {event["version"]: event for event in found["events"]}
    return dict(found)


def kernels(machine: VirtualMachine) -> list[str]:
    return sorted(
        machine.run("ls", "/boot/EFI/Linux").split(), key=lambda name: name.removesuffix(".efi")
    )


def reboot(machine: VirtualMachine) -> None:
    """As far as the machine's going down."""
    before = machine.boot_id()
    machine.run("systemctl", "reboot", check=False)
    wait_until(lambda: machine.boot_id() != before, "the machine going down", 600)


def wait_for_version(machine: VirtualMachine, version: str, seconds: float = 2400) -> None:
    """Until that version has started, whatever has to fail before."""

    def runs() -> bool:
        with contextlib.suppress(AssertionError):
            return machine.boot_id() != "" and machine.version() == version
        return False

    wait_until(runs, f"a start of {version}", seconds, lambda: machine.console()[-3000:], every=5)
    machine.wait_until_up()


@contextlib.contextmanager
def served() -> Iterator[Served]:
    with Served() as found:
        yield found
