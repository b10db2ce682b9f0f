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
    """`root`: / or the tree. `artifacts`: a folder to take downloads from. `say`: progress, a line."""

    root: Path
    facts: Facts
    ledger: Ledger
    artifacts: Path | None = None
    say: Callable[[str], None] = lambda line: None

    @property
    def is_running(self) -> bool:
        return self.root == Path("/")

    def path(self, path: str) -> Path:
        """Return where `path` of the machine is for this process."""
        return self.root / path.lstrip("/")


@singledispatch
def apply(change: Change, machine: Machine) -> None:
    """Make it happen; ApplianceError where that fails."""
    raise NotImplementedError(type(change).__name__)
