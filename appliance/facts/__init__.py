"""What the machine is: the only thing besides the settings that a plan is made from."""

from appliance.facts.gather import gather
from appliance.facts.model import Card, Disk, Facts, Interface

__all__ = ["Card", "Disk", "Facts", "Interface", "gather"]
