"""Plan root's ssh keys."""

from __future__ import annotations

from appliance.configure.plan.view import Planned, View

STEP = "login"
KEYS = "/root/.ssh/authorized_keys"
HEADER = "# Written by `appliance configure` from access.ssh_keys"


def plan(view: View) -> Planned:
    keys = view.config.access.ssh_keys
    if keys:
        text = "\n".join([HEADER, *keys, ""])
        yield from view.file(STEP, KEYS, text, "access.ssh_keys", mode=0o600)
    else:
        yield from view.no_file(STEP, KEYS, "access.ssh_keys is empty now")
