"""Read the machine and its configuration, for commands that change nothing."""

from __future__ import annotations

from pathlib import Path

from appliance.config import load
from appliance.configure import environment
from appliance.configure.placement import Placement, place
from appliance.configure.plan.view import View
from appliance.configure.run import authorities
from appliance.errors import ConfigError, PlanError
from appliance.machine.facts import gather
from appliance.machine.state import read_state

ROOT = Path("/")


def current() -> View:
    """Return the view of this machine. Raises ConfigError if it was never configured."""
    if not Path(environment.PATH).is_file():
        raise ConfigError("This machine is not configured yet.", "Run `appliance configure`.")
    facts, config = gather(), load()
    try:
        placement = place(facts, config)
    except PlanError:  # the report itself says this
        placement = Placement(None, None, False)
    return View(facts, config, placement, read_state(ROOT, config), authorities=authorities(config))
