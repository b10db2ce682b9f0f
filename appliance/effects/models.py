"""Speech models."""

from __future__ import annotations

from appliance import application
from appliance.effects import secrets
from appliance.effects.machine import Machine, apply
from appliance.plan.changes import ImportModels, PullModel
from appliance.run import run


@apply.register
def _(change: PullModel, machine: Machine) -> None:
    kept = sorted({"HF_TOKEN", "SECRET_KEY"} & secrets.names(machine.root))
    arguments = ("models", "pull", change.name)
    application.watch(machine.facts, kept, machine.say, *arguments, user="reflector")


@apply.register
def _(change: ImportModels, machine: Machine) -> None:
    """By root, because a USB stick is often readable by nobody else."""
    arguments = ("models", "import", change.folder)
    application.watch(machine.facts, ["SECRET_KEY"], machine.say, *arguments, user="root")
    run(["chown", "--recursive", "reflector:reflector", f"{change.target}/models"])
