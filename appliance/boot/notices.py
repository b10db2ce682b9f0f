"""Write the notices about the machine that the application's pages show (NOTICES_FILE)."""

from __future__ import annotations

import json
from pathlib import Path

from appliance.boot.history import History, Outcome
from appliance.boot.machine import Running
from appliance.configure.environment import NOTICES
from appliance.machine.durable import write_durably


def tell_pages(now: Running, history: History, root: Path = Path("/")) -> None:
    write_durably(root / NOTICES.lstrip("/"), json.dumps(of(now, history), indent=1) + "\n", 0o644)


def of(now: Running, history: History) -> list[str]:
    """Return the notices: one sentence if the newest version failed and another one runs."""
    last = history.last()
    if last is None or last.version == now.version or last.outcome is not Outcome.FAILED:
        return []
    return [f"The update {last.sentence}. This machine went back to {now.version}."]
