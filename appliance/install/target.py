"""Describe what is installed into: this machine, or a tree that becomes one."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from appliance.errors import ApplianceError
from appliance.machine.durable import write_durably
from appliance.machine.run import CompletedCommand, run

CHECKOUT = Path(__file__).parent.parent.parent
MINUTES = 60.0


@dataclass
class Target:
    """`changed`: what this run did, a sentence each; a second run does nothing."""

    root: Path
    say: Callable[[str], None]
    changed: list[str] = field(default_factory=list)

    @property
    def is_running(self) -> bool:
        return self.root == Path("/")

    def path(self, path: str) -> Path:
        return self.root / path.lstrip("/")

    def did(self, what: str) -> None:
        self.changed.append(what)
        self.say(what)

    def run(self, *command: str | Path, minutes: float = 1, **environment: str) -> CompletedCommand:
        return run(command, root=self.root, seconds=minutes * MINUTES, environment=environment)

    def put(self, path: str, text: str, mode: int = 0o644) -> bool:
        """Return whether the file had to be written."""
        file = self.path(path)
        if file.is_file() and not file.is_symlink() and file.read_text() == text:
            return False
        if file.is_symlink():
            file.unlink()
        write_durably(file, text, mode)
        return True

    def link(self, path: str, to: str) -> bool:
        link = self.path(path)
        if link.is_symlink() and os.readlink(link) == to:
            return False
        link.parent.mkdir(parents=True, exist_ok=True)
        fresh = link.with_name(f".{link.name}.new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(to)
        os.replace(fresh, link)
        return True


def checkout() -> Path:
    """Raise ApplianceError if this program does not run from its source."""
    if not (CHECKOUT / "units" / "reflector.target").is_file():
        raise ApplianceError(
            "This program is not in a checkout, so it has no source to install from.",
            "Run `make install`, or .venv/bin/appliance install, in a checkout.",
        )
    return CHECKOUT
