"""Plan Valkey, or Redis if Debian has no Valkey: a separate instance on a Unix socket."""

from __future__ import annotations

from appliance.configure import environment
from appliance.configure.plan.view import Planned, View
from appliance.errors import PlanError
from appliance.machine import units
from appliance.render import render

STEP = "broker"
MIB = 1 << 20


def plan(view: View) -> Planned:
    kind = view.state.broker
    if kind is None:
        raise PlanError("Neither Valkey nor Redis is installed.", "Run `appliance install`.")
    unit = units.broker(kind)
    text = render(
        "broker.conf.j2",
        kind=kind,
        socket=environment.broker_socket(kind),
        memory=max(64, min(view.facts.memory // MIB // 32, 512)),
    )
    yield from view.file(
        STEP, f"/etc/{kind}/{kind}-reflector.conf", text, "Unix socket only, no persistence",
        mode=0o640, owner=f"root:{kind}", restarts=(unit,),
    )  # fmt: skip
    yield from view.file(
        STEP, units.drop_in(unit), render("broker-unit.conf.j2"), "no network", restarts=(unit,)
    )
