"""The machine as it is and as it is configured, for commands that only look."""

from __future__ import annotations

from pathlib import Path

from appliance import environment
from appliance.config import load
from appliance.configuring import authorities
from appliance.errors import ConfigError, PlanError
from appliance.facts import gather
from appliance.here import read_state
from appliance.placement import Placement, place
from appliance.plan.view import View

ROOT = Path("/")


def current() -> View:
    """ConfigError where this machine was never configured."""
    if not Path(environment.PATH).is_file():
        raise ConfigError("This machine is not configured yet.", "Run `appliance configure`.")
    facts, config = gather(), load()
    try:
        placement = place(facts, config)
    except PlanError:  # told by the report itself
        placement = Placement(None, None, False)
    return View(facts, config, placement, read_state(ROOT, config), authorities=authorities(config))
