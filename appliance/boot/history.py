"""Record which versions this machine was given and how each trial ended, in one file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from appliance.errors import ApplianceError
from appliance.machine.durable import write_durably

PATH = "var/lib/reflector-appliance/versions.json"
MODE = 0o644
SILENT = (
    "it stopped before it could report a reason: check its kernel, its disk and the first services"
)


class Outcome(StrEnum):
    WAITING = "waiting"
    """For a start in which it works."""
    PROVEN = "proven"
    FAILED = "failed"
    LEFT = "left"
    """By the operator's wish."""


@dataclass(frozen=True)
class Event:
    """`before`: the version that ran when this one came, None for the machine's first. `reasons`: why its
    starts were not good, of those that could say. Times are ISO 8601, UTC."""

    version: str
    before: str | None
    came: str
    outcome: Outcome = Outcome.WAITING
    decided: str | None = None
    reasons: list[str] = field(default_factory=list)

    @property
    def reason(self) -> str:
        return self.reasons[-1] if self.reasons else SILENT

    @property
    def sentence(self) -> str:
        match self.outcome:
            case Outcome.WAITING:
                return f"{self.version} was installed on {self.came} and is not proven yet"
            case Outcome.PROVEN:
                return f"{self.version} was installed on {self.came} and works"
            case Outcome.FAILED:
                return f"{self.version} did not work: {self.reason}"
            case Outcome.LEFT:
                return f"{self.version} was rolled back on {self.decided}"


class History:
    def __init__(self, root: Path = Path("/")) -> None:
        self._file = root / PATH

    def events(self) -> list[Event]:
        """Return the oldest first. ApplianceError where the file cannot be read."""
        try:
            rows = json.loads(self._file.read_text())
            return [Event(**{**row, "outcome": Outcome(row["outcome"])}) for row in rows]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise ApplianceError(
                f"{self._file} cannot be read: {error}.",
                "Move it away. It contains only the history of updates.",
            ) from error

    def last(self, version: str | None = None) -> Event | None:
        """Return the newest event of `version`, or of any version."""
        return next((e for e in reversed(self.events()) if version in {None, e.version}), None)

    def came(self, version: str, before: str | None) -> None:
        self._write([*self.events(), Event(version, before, _now())])

    def decide(self, version: str, outcome: Outcome) -> None:
        self._change(version, outcome=outcome, decided=_now())

    def start_failed(self, version: str, reason: str) -> None:
        """Record a start of it; systemd-boot decides about a retry. `reason` becomes the end of a sentence."""
        event = self.last(version)
        reasons = [*(event.reasons if event else []), reason.removesuffix(".")]
        self._change(version, reasons=reasons)

    def _change(self, version: str, **values: object) -> None:
        events = self.events()
        if not any(event.version == version for event in events):
            events.append(Event(version, None, _now()))
        last = max(i for i, event in enumerate(events) if event.version == version)
        events[last] = replace(events[last], **values)  # type: ignore[arg-type]
        self._write(events)

    def _write(self, events: list[Event]) -> None:
        text = json.dumps([asdict(event) for event in events], indent=1) + "\n"
        write_durably(self._file, text, MODE)


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
