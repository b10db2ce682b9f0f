"""What the pages of the application say of the machine: a list in a file that it reads (NOTICES_FILE)."""

from __future__ import annotations

import json
from pathlib import Path

from appliance.effects.durable import write_durably
from appliance.environment import NOTICES
from appliance.slots.history import History, Outcome
from appliance.slots.machine import Running


def tell_pages(now: Running, history: History, root: Path = Path("/")) -> None:
    write_durably(root / NOTICES.lstrip("/"), json.dumps(of(now, history), indent=1) + "\n", 0o644)


def of(now: Running, history: History) -> list[str]:
    """Sentences: of the version that came last, where it is not the one that runs."""
    last = history.last()
    if last is None or last.version == now.version or last.outcome is not Outcome.FAILED:
        return []
    return [f"The update {last.sentence}. This machine went back to {now.version}."]
