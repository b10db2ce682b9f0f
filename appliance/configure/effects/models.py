"""Fetch and import speech models."""

from __future__ import annotations

from appliance import application
from appliance.configure.effects.machine import Machine, apply
from appliance.configure.plan.changes import ImportModels, PullModel
from appliance.machine.run import run
from appliance.secrets import store


@apply.register
def pull_model(change: PullModel, machine: Machine) -> None:
    kept = sorted({"HF_TOKEN", "SECRET_KEY"} & store.names(machine.root))
    arguments = ("models", "pull", change.name)
    application.watch(machine.facts, kept, machine.say, *arguments, user="reflector")


@apply.register
def import_models(change: ImportModels, machine: Machine) -> None:
    """Import models as root, because often only root can read a USB stick."""
    arguments = ("models", "import", change.folder)
    application.watch(machine.facts, ["SECRET_KEY"], machine.say, *arguments, user="root")
    run(["chown", "--recursive", "reflector:reflector", f"{change.target}/models"])
