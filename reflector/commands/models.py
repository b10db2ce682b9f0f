"""List, pull, verify and import speech models: `reflector models`."""

from __future__ import annotations

import json
import re
from pathlib import Path

import click

from reflector.errors import ModelUnavailable
from reflector.runtime import settings
from reflector.runtime.sizes import readable_size
from reflector.speech.hub import fetch_snapshot
from reflector.speech.manifest import Manifest, ModelEntry, folder_name, import_models

WHISPER_LICENCE = "MIT"
DIARIZATION = "diarization"
HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")


@click.group()
def models() -> None:
    """Manage the speech models in MODELS_DIR."""


def _manifest() -> Manifest:
    return Manifest(settings.load().models_dir)


@models.command("list")
@click.option("--json", "as_json", is_flag=True, help="As data.")
def list_models(as_json: bool) -> None:
    """List models with their sizes and licences."""
    manifest = _manifest()
    entries, unlisted = manifest.entries(), manifest.unlisted()
    if as_json:
        body = [
            {"name": e.name, "bytes": e.size, "licence": e.licence, "files": len(e.files)}
            for e in entries.values()
        ]
        click.echo(json.dumps({"models": body, "unlisted": unlisted}, indent=2))
        return
    for entry in entries.values():
        click.echo(
            f"{entry.name}  {readable_size(entry.size)}  {entry.licence or 'licence not known'}"
        )
    for name in unlisted:
        click.echo(f"{name}  put there by hand: `reflector models verify` cannot check it")
    if not entries and not unlisted:
        click.echo(f"There are no models in {manifest.folder}.")


@models.command()
@click.argument("name")
def pull(name: str) -> None:
    """Fetch the model NAME from the hub.

    NAME is the short name of a Whisper model, `owner/model`, or `diarization` for the pipeline that
    tells speakers apart. An interrupted download is resumed.
    """
    chosen = settings.load()
    name, path, licence = _fetch(chosen, name)
    if path.parent != chosen.models_dir:
        click.echo(f"{name} is on this machine already: {path}")
        return
    _report(Manifest(chosen.models_dir).add(name, licence))


def _fetch(chosen: settings.Settings, name: str) -> tuple[str, Path, str | None]:
    """Fetch the model; return its name, its path, and its licence if known."""
    from reflector.speech.models import fetch_whisper, known_whisper_names
    from reflector.speech.pipelines import LICENCES, fetch_pipeline

    if name == DIARIZATION or name in LICENCES:
        if name != DIARIZATION:
            chosen = chosen.model_copy(update={"DIARIZATION_MODEL": name})
        pipeline = fetch_pipeline(chosen)
        return pipeline.name, pipeline.path, LICENCES.get(pipeline.name)
    if not HUB_NAME.fullmatch(name) or Path(name).exists():
        found = fetch_whisper(chosen, name)
        return name, found.path, WHISPER_LICENCE if name in known_whisper_names() else None
    target = chosen.models_dir / folder_name(name)
    if not target.exists():
        part = chosen.models_dir / f".{folder_name(name)}.part"
        fetch_snapshot(chosen, name, part)
        part.rename(target)
    return name, target, None


@models.command()
@click.argument("names", nargs=-1)
def verify(names: tuple[str, ...]) -> None:
    """Compare models with their recorded checksums: all models, or NAMES."""
    manifest = _manifest()
    entries = manifest.entries()
    if unknown := set(names) - set(entries):
        raise ModelUnavailable(f"Not in the list of models: {', '.join(sorted(unknown))}.")
    damaged = []
    for entry in entries.values():
        if names and entry.name not in names:
            continue
        problems = manifest.problems(entry)
        click.echo(f"{entry.name}: {'; '.join(problems) if problems else 'as it was'}")
        if problems:
            damaged.append(entry.name)
    if damaged:
        raise ModelUnavailable(
            f"Damaged: {', '.join(damaged)}.", "Import or pull them again; the files are replaced."
        )


@models.command("import")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--name", help="The model's name; default: the folder's.")
@click.option("--licence", help="Its licence, for the list.")
def import_(folder: Path, name: str | None, licence: str | None) -> None:
    """Copy models from FOLDER: a single model, or the whole models folder of another machine."""
    found = import_models(
        _manifest(), folder, name, licence, lambda each: click.echo(f"copying {each}")
    )
    for entry in found:
        _report(entry)


def _report(entry: ModelEntry) -> None:
    click.echo(f"{entry.name}: {len(entry.files)} files, {readable_size(entry.size)}")
