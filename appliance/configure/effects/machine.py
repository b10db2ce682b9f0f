"""Describe the machine that is changed: this one, or a tree that becomes one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import singledispatch
from pathlib import Path

from appliance.configure.plan.changes import Change
from appliance.machine.facts.model import Facts
from appliance.machine.ledger import Ledger


@dataclass(frozen=True)
class Machine:
    """The machine that changes are made on.

    `root` is / or the tree. `artifacts` is a folder to take downloads from. `say` reports progress,
    one line a call.
    """

    root: Path
    facts: Facts
    ledger: Ledger
    artifacts: Path | None = None
    say: Callable[[str], None] = lambda line: None

    @property
    def is_running(self) -> bool:
        return self.root == Path("/")

    def path(self, path: str) -> Path:
        """Return where this process finds `path` of the machine."""
        return self.root / path.lstrip("/")


@singledispatch
def apply(change: Change, machine: Machine) -> None:
    """Make the change on the machine. Raises ApplianceError if that fails."""
    raise NotImplementedError(type(change).__name__)
