"""Read what the machine is. A plan depends on this, the settings and the state."""

from appliance.machine.facts.gather import gather
from appliance.machine.facts.model import Card, Disk, Facts, Interface

__all__ = ["Card", "Disk", "Facts", "Interface", "gather"]
