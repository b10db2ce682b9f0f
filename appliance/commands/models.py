"""`appliance models` and `appliance llm`."""

from __future__ import annotations

from pathlib import Path

import click

from appliance import application
from appliance.config import load
from appliance.config.model import LanguageModelOn
from appliance.configure.apply import exclusive_lock, execute
from appliance.configure.effects.machine import Machine
from appliance.configure.plan.changes import Change, ImportModels, PullLanguageModel, PullModel
from appliance.errors import ConfigError
from appliance.machine.facts import gather
from appliance.machine.ledger import Ledger
from appliance.machine.state import offered
from appliance.secrets import store

ROOT = Path("/")


@click.group()
def models() -> None:
    """Manage speech models."""


@models.command("list")
def list_() -> None:
    """Show names, sizes and licences."""
    click.echo(_ask("models", "list"))


@models.command()
@click.argument("names", nargs=-1)
def verify(names: tuple[str, ...]) -> None:
    """Compare models with the sums that were written down; all, or NAMES."""
    click.echo(_ask("models", "verify", *names))


@models.command()
@click.argument("name")
def pull(name: str) -> None:
    """Fetch NAME from the hub: a Whisper model, owner/model, or `diarization`."""
    _do(PullModel(step="models", reason="asked for", name=name))


@models.command("import")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
def import_(folder: Path) -> None:
    """Take over models from FOLDER, a USB stick say."""
    found = set(offered(folder.absolute()).values())
    if not found:
        raise ConfigError(
            f"There is no speech model in {folder}.",
            "Give a folder of models, or the folder of one model.",
        )
    target = str(load().storage.folder)
    for each in sorted(found):
        _do(ImportModels(step="models", reason="asked for", folder=str(each), target=target))


@click.group()
def llm() -> None:
    """Manage the language model."""


@llm.command("pull")
@click.argument("name", required=False)
def llm_pull(name: str | None) -> None:
    """Pull NAME into Ollama, by default the configured model; `llm.model` chooses what is used."""
    config = load()
    if config.llm.on not in {LanguageModelOn.OLLAMA_CPU, LanguageModelOn.OLLAMA_GPU}:
        raise ConfigError(
            "There is no Ollama on this machine.",
            "Run `appliance configure --ollama-cpu` or --ollama-gpu.",
        )
    _do(PullLanguageModel(step="llm", reason="asked for", name=name or config.llm.model))


def _ask(*arguments: str) -> str:
    return application.ask(gather(), _kept(), *arguments).strip()


def _kept() -> list[str]:
    return sorted({"SECRET_KEY"} & store.names(ROOT))


def _do(change: Change) -> None:
    with exclusive_lock(ROOT):
        execute([change], Machine(ROOT, gather(), Ledger(ROOT), say=click.echo))
