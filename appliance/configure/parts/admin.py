"""Plan the administrator's account: create it once, and never change it later."""

from __future__ import annotations

from appliance.configure.plan.changes import KeepPassword
from appliance.configure.plan.view import Note, Planned, View
from appliance.errors import PlanError
from appliance.machine import units
from appliance.secrets.store import credential_line
from reflector.accounts.strength import weakness

STEP = "admin"
HASH = "ADMIN_PASSWORD_HASH"
PASSWORD = "password"  # noqa: S105 - the name under which a run is handed it


def plan(view: View) -> Planned:
    """Plan the password: the application makes the account when it starts, from ADMIN_EMAIL and the hash."""
    if view.config.access.public:
        yield Note(
            STEP,
            "access.public is set. Everyone who can reach this machine can read and change every meeting.",
        )
        return
    password = view.given.get(PASSWORD)
    kept = HASH in view.state.credentials
    if kept and password is not None:
        yield Note(
            STEP,
            "The administrator already has a password, which is not changed. "
            "To change it, run `appliance admin set-password`.",
        )
    elif password is not None:
        if problem := weakness(password, view.config.access.admin):
            raise PlanError(problem, "Choose another one.")
        yield KeepPassword(
            step=STEP, reason=f"{view.config.access.admin} logs in", password=password,
            restarts=(units.API,),
        )  # fmt: skip
    elif not kept and not view.offline:
        raise PlanError(
            "The administrator has no password.",
            "Give --password-file FILE (- reads standard input), or set access.public = true to run "
            "without logins.",
        )
    line = credential_line(view.facts, HASH)
    text = f"# Written by `appliance configure`.\n[Service]\n{line}\n"
    path = units.drop_in(units.API).replace("50-appliance", "51-admin")
    if kept or password is not None:
        yield from view.file(STEP, path, text, "the hash, for the API only", restarts=(units.API,))
