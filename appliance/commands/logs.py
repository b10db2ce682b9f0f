"""`appliance logs`: show the journal, by part of the appliance."""

from __future__ import annotations

import click

from appliance.commands.view import current
from appliance.configure.parts.running import wanted
from appliance.machine import units
from appliance.machine.run import replace_by

PARTS = {
    "api": [units.API, units.API_SOCKET],
    "live": [units.LIVE],
    "worker": list(units.WORKERS),
    "schedule": [units.BEAT],
    "speech": [units.TRANSCRIPTION],
    "migrate": [units.MIGRATE],
    "caddy": [units.CADDY],
    "llm": [units.OLLAMA],
    "storage": [units.GARAGE],
    "firewall": [units.FIREWALL],
}
OF_THE_MACHINE = ["database", "broker"]
# The field that the application gives to what it says of one transcript
TRANSCRIPT = "REFLECTOR_TRANSCRIPT"


@click.command()
@click.argument("part", required=False, type=click.Choice([*PARTS, *OF_THE_MACHINE]))
@click.option("-f", "--follow", is_flag=True, help="Follow new lines.")
@click.option(
    "-n",
    "--lines",
    type=int,
    default=200,
    show_default=True,
    help="Number of lines, counted from the end.",
)
@click.option("--transcript", metavar="ID", help="Show only lines about this transcript.")
@click.option(
    "--since",
    metavar="TIME",
    help="Show lines since then, in journalctl's form: today, -2h, 2026-01-31 12:00.",
)
def logs(
    part: str | None, follow: bool, lines: int, transcript: str | None, since: str | None
) -> None:
    """Show what the parts of the appliance have written, or only PART."""
    view = current()
    found = (
        [unit for unit, on in wanted(view).items() if on] + list(units.WORKERS) + [units.MIGRATE]
    )
    if part == "database" and view.state.postgresql:
        found = [units.postgresql(view.state.postgresql)]
    elif part == "broker" and view.state.broker:
        found = [units.broker(view.state.broker)]
    elif part:
        found = PARTS[part]
    command = ["journalctl", f"--lines={lines}", *(f"--unit={unit}" for unit in found)]
    command += ["--follow"] if follow else ["--no-pager"]
    command += [f"--since={since}"] if since else []
    command += [f"{TRANSCRIPT}={transcript}"] if transcript else []
    replace_by(command)
