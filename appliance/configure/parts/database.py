"""Plan PostgreSQL: a separate cluster with a Unix socket and peer authentication."""

from __future__ import annotations

from appliance.configure import environment
from appliance.configure.plan.changes import MakeCluster, MakeDatabase
from appliance.configure.plan.view import Planned, View
from appliance.errors import PlanError
from appliance.machine import units
from appliance.render import render

STEP = "database"
NAME = "reflector"
MIB = 1 << 20


def plan(view: View) -> Planned:
    version = view.state.postgresql
    if version is None:
        raise PlanError("PostgreSQL is not installed.", "Run `appliance install`.")
    unit = units.postgresql(version)
    cluster = f"{version}-{NAME}"
    if cluster not in view.state.clusters and not view.offline:
        yield MakeCluster(
            step=STEP, reason="the application's database", version=version, name=NAME
        )
    yield from view.file(
        STEP, f"/etc/postgresql/{version}/{NAME}/conf.d/50-appliance.conf", _tuned(view, version),
        "Unix socket only, tuned to the memory", restarts=(unit,),
    )  # fmt: skip
    text = render("postgresql-unit.conf.j2", version=version, hardening=units.hardening())
    yield from view.file(STEP, units.drop_in(unit), text, "hardened, watched", restarts=(unit,))
    if "database" not in view.state.done and not view.offline:
        yield MakeDatabase(step=STEP, reason="role and database of the application", unit=unit)


def _tuned(view: View, version: str) -> str:
    """Return a configuration that uses a sixteenth of the memory.

    The models need memory more. The system's cache gets the rest.
    """
    memory = view.facts.memory // MIB
    return render(
        "postgresql.conf.j2",
        version=version,
        socket_folder=environment.DATABASE_FOLDER,
        shared_buffers=max(128, min(memory // 16, 2048)),
        cache=memory // 2,
        work_mem=max(4, min(memory // 1024, 32)),
        maintenance=max(64, min(memory // 64, 512)),
    )
