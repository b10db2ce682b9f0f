"""Facts, settings and state in, changes out: the cases are data, in `cases/`.

what      the case, in words
machine   "new", or "configured" (default): by an earlier run without a card
facts     what differs from the machine of `planning.py`
config    tables of appliance.toml          flags     of the command line
state     fields of State                   edit      files that an operator changed, by path
given     secrets of this run               force     --force
changes   kind and target of all, in order  notes     part of each note that is expected
settings  some of reflector.env             error     part of the sentence that refuses
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from appliance.configure.parts.build import Plan, build
from appliance.configure.plan.changes import WriteFile
from appliance.configure.plan.state import State, Unit
from appliance.errors import ApplianceError, PlanError
from tests.appliance.planning import (
    LOCKED,
    MACHINE,
    after,
    cases,
    config_of,
    configured,
    facts_of,
    kind_and_target,
    view_of,
)

CASES = cases()
KNOWN = {"what", "machine", "facts", "config", "flags", "state", "edit", "given", "force",
         "changes", "notes", "settings", "error", "texts"}  # fmt: skip
ENVIRONMENT = "/etc/reflector/reflector.env"


def state_of(case: dict[str, Any]) -> State:
    pristine = frozenset({"/etc/caddy/Caddyfile"})
    state = (
        configured()
        if case.get("machine", "configured") == "configured"
        else State(pristine=pristine)
    )
    values = dict(case.get("state", {}))
    for name, value in values.items():
        if isinstance(value, list):
            values[name] = frozenset(value)
    if "listening" in values:
        values["listening"] = {int(port): program for port, program in values["listening"].items()}
    if "units" in values:
        values["units"] = {**state.units, **{n: Unit(**u) for n, u in values["units"].items()}}
    return replace(state, files={**state.files, **case.get("edit", {})}, **values)


def plan_of(case: dict[str, Any], state: State) -> Plan:
    facts = facts_of(case.get("facts", {}))
    config = config_of(case.get("config", {}), case.get("flags"))
    return build(
        view_of(facts, config, state, given=case.get("given", {}), force=case.get("force", False))
    )


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_plan_is_what_the_case_says(case: dict[str, Any]) -> None:
    assert set(case) <= KNOWN
    state = state_of(case)
    if "error" in case:
        with pytest.raises(ApplianceError) as refused:
            plan_of(case, state)
        assert case["error"] in refused.value.message
        assert refused.value.hint
        return
    plan = plan_of(case, state)
    if "changes" in case:
        assert [kind_and_target(change) for change in plan.changes] == case["changes"]
    for expected in case.get("notes", []):
        assert any(expected in note.text for note in plan.notes), [n.text for n in plan.notes]
    files = {change.path: change.text for change in plan.changes if isinstance(change, WriteFile)}
    for name, value in case.get("settings", {}).items():
        found = re.search(rf'^{name}="(.*)"$', files.get(ENVIRONMENT, ""), re.MULTILINE)
        assert (found and found[1]) == value, name
    for path, parts in case.get("texts", {}).items():
        for part in parts:
            assert part in files[path], files[path]


@pytest.mark.parametrize(
    "case", [c for c in CASES.values() if "error" not in c], ids=lambda c: str(c["what"])
)
def test_second_run_plans_nothing(case: dict[str, Any]) -> None:
    state = state_of(case)
    again = plan_of({**case, "given": {}, "force": False}, after(state, plan_of(case, state)))
    assert [kind_and_target(change) for change in again.changes] == []


@pytest.mark.parametrize("flags", [{"ollama_cpu": True}, {"garage": True}], ids=str)
def test_program_that_the_lock_cannot_vouch_for_is_refused_before_anything_changes(
    flags: dict[str, bool],
) -> None:
    bare = {name: replace(each, sha256={}) for name, each in LOCKED.items()}
    view = view_of(MACHINE, config_of({}, flags), configured(), artifacts=bare)
    with pytest.raises(PlanError, match="has no SHA-256"):
        build(view)
