"""`reflector models`: what speech models are on this machine, and how they get there."""

from __future__ import annotations

import json
from pathlib import Path

import click

from reflector import settings
from reflector.errors import ModelUnavailable
from reflector.speech.manifest import Manifest, ModelEntry, import_models
from reflector.units import in_words

WHISPER_LICENCE = "MIT"


@click.group()
def models() -> None:
    """Speech models in MODELS_DIR."""


def _manifest() -> Manifest:
    return Manifest(settings.load().models_dir)


@models.command("list")
@click.option("--json", "as_json", is_flag=True, help="As data.")
def list_models(as_json: bool) -> None:
    """Show names, sizes and licences."""
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
        click.echo(f"{entry.name}  {in_words(entry.size)}  {entry.licence or 'licence not known'}")
    for name in unlisted:
        click.echo(f"{name}  put there by hand: `reflector models verify` cannot check it")
    if not entries and not unlisted:
        click.echo(f"There are no models in {manifest.folder}.")


@models.command()
@click.argument("name")
def pull(name: str) -> None:
    """Fetch the Whisper model NAME from the hub; a download that broke off is gone on with."""
    from reflector.speech.models import fetch_whisper, known_whisper_names

    chosen = settings.load()
    found = fetch_whisper(chosen, name)
    manifest = Manifest(chosen.models_dir)
    if found.path.parent != manifest.folder:
        click.echo(f"{name} is on this machine already: {found.path}")
        return
    _report(manifest.add(name, WHISPER_LICENCE if name in known_whisper_names() else None))


@models.command()
@click.argument("names", nargs=-1)
def verify(names: tuple[str, ...]) -> None:
    """Compare models with the sums that were written down; all, or NAMES."""
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
    """Copy models from FOLDER: one model, or another machine's whole models folder."""
    found = import_models(
        _manifest(), folder, name, licence, lambda each: click.echo(f"copying {each}")
    )
    for entry in found:
        _report(entry)


def _report(entry: ModelEntry) -> None:
    click.echo(f"{entry.name}: {len(entry.files)} files, {in_words(entry.size)}")
