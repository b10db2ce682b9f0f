"""Build the whole plan: the changes of each part, in an order that works."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from appliance.configure.parts import (
    admin,
    application,
    broker,
    data_disk,
    database,
    language_model,
    login,
    models,
    network,
    proxy,
    running,
    storage,
)
from appliance.configure.plan.changes import Change
from appliance.configure.plan.view import Note, Planned, View

STEPS: list[Callable[[View], Planned]] = [
    data_disk.plan,
    database.plan,
    broker.plan,
    application.plan,
    storage.plan,
    language_model.plan,
    models.plan,
    proxy.plan,
    network.plan,
    admin.plan,
    login.plan,
]


@dataclass(frozen=True)
class Plan:
    changes: list[Change]
    notes: list[Note]

    def as_json(self) -> dict[str, Any]:
        return {
            "changes": [change.as_json() for change in self.changes],
            "notes": [{"step": note.step, "text": note.text} for note in self.notes],
        }


def build(view: View) -> Plan:
    """Return the whole plan. Raises PlanError if this machine cannot do what is configured."""
    found = [item for step in STEPS for item in step(view)]
    changes = [item for item in found if isinstance(item, Change)]
    found += running.plan(view, changes)
    notes = [Note("speech", remark) for remark in view.placement.remarks]
    return Plan(
        [item for item in found if isinstance(item, Change)],
        notes + [item for item in found if isinstance(item, Note)],
    )
