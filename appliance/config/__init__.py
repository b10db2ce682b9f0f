"""Define and load `appliance.toml`, the one file that an operator edits."""

from appliance.config.load import PATH, load, parse
from appliance.config.model import ApplianceConfig

__all__ = ["PATH", "ApplianceConfig", "load", "parse"]
