"""Define one line of a report."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True)
class Finding:
    """The result of a check. `remedy` says what to do if something is wrong."""

    check: str
    status: Status
    summary: str
    remedy: str | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def ok(check: str, summary: str) -> Finding:
    return Finding(check, Status.OK, summary)


def warning(check: str, summary: str, remedy: str) -> Finding:
    return Finding(check, Status.WARNING, summary, remedy)


def failed(check: str, summary: str, remedy: str) -> Finding:
    return Finding(check, Status.FAILED, summary, remedy)


def worst(findings: list[Finding]) -> Status:
    found = {finding.status for finding in findings}
    return next((s for s in (Status.FAILED, Status.WARNING) if s in found), Status.OK)
