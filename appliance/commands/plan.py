"""`appliance plan`: show what the configuration means on this machine."""

from __future__ import annotations

import difflib
import json
from pathlib import Path
from typing import Any

import click

from appliance.config import PATH, load
from appliance.config.flags import with_flags, with_options
from appliance.configure import environment
from appliance.configure.placement import Placement, place
from appliance.machine.facts import gather


@click.command()
@click.option(
    "--config", "file", type=click.Path(path_type=Path), default=PATH, show_default=True,
    help="The configuration.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="As data.")
@with_options
def plan(file: Path, as_json: bool, **flags: Any) -> None:
    """Show which models would run where, and the application's settings that follow from that.

    Flags are tried out on top of the configuration; nothing is changed.
    """
    facts, config = gather(), with_flags(load(file), flags)
    placement = place(facts, config)
    values = environment.settings_of(facts, config, placement)
    if as_json:
        body = {
            "speech_device": placement.speech_device,
            "whisper_model": placement.whisper_model,
            "language_model_on_card": placement.language_model_on_card,
            "remarks": placement.remarks,
            "settings": values,
        }
        click.echo(json.dumps(body, indent=2))
        return
    _tell(placement)
    click.echo("".join(_difference(Path(environment.PATH), environment.render(values))))


def _tell(placement: Placement) -> None:
    device = placement.speech_device or "another machine"
    click.echo(
        f"speech: {device}, {placement.whisper_model or 'a model that it can run in real time'}"
    )
    for remark in placement.remarks:
        click.echo(f"note: {remark}")


def _difference(path: Path, text: str) -> list[str]:
    """Return a unified diff from the file as it is to `text`."""
    there = path.read_text() if path.is_file() else ""
    lines = difflib.unified_diff(
        there.splitlines(keepends=True), text.splitlines(keepends=True), str(path), str(path)
    )
    return list(lines) or [f"{path} needs no change.\n"]
