"""Read what the machine is. Besides the settings, a plan depends on nothing else."""

from appliance.machine.facts.gather import gather
from appliance.machine.facts.model import Card, Disk, Facts, Interface

__all__ = ["Card", "Disk", "Facts", "Interface", "gather"]
