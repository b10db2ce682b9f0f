"""`appliance status` and `appliance doctor`."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

import click

from appliance.boot.machine import image_version
from appliance.commands.view import current
from appliance.configure.environment import public_url
from appliance.configure.plan.view import View
from appliance.diagnose import services, system
from appliance.diagnose.finding import Finding, Status, worst
from appliance.diagnose.versions import findings as of_image

MIB = 1 << 20
MARKS = {
    Status.OK: ("ok", "green"),
    Status.WARNING: ("warning", "yellow"),
    Status.FAILED: ("FAILED", "red"),
}
# In the order in which they are looked for
EXIT_CODES = {Status.OK: 0, Status.WARNING: 0, Status.FAILED: 1}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="As data.")
def status(as_json: bool) -> None:
    """Show what runs on this machine, and how well. Exit code 1 where something has failed."""
    view = current()
    found = services.services(services.configured_units(view))
    findings = _findings(view)
    if as_json:
        body = {
            "status": worst(findings),
            "url": public_url(view.facts, view.config),
            "versions": versions(view),
            "cards": [asdict(card) for card in view.facts.cards],
            "services": [service.as_json() for service in found],
            "checks": [finding.as_json() for finding in findings],
        }
        click.echo(json.dumps(body, indent=2))
        sys.exit(EXIT_CODES[worst(findings)])
    click.echo(
        f"Reflector {version('reflector-appliance')} at {public_url(view.facts, view.config)}"
    )
    click.echo("  ".join(f"{name} {text}" for name, text in versions(view).items() if text) + "\n")
    for service in found:
        memory = f"{service.memory / MIB:7.0f} MiB" if service.memory is not None else " " * 11
        click.echo(f"  {service.unit:<36}{service.state:<22}{memory}  {service.description}")
    click.echo()
    names = {service.unit for service in found}
    tell([f for f in findings if f.check not in names or f.status is not Status.OK])
    sys.exit(EXIT_CODES[worst(findings)])


@click.command()
@click.option("--json", "as_json", is_flag=True, help="As data.")
def doctor(as_json: bool) -> None:
    """Look for what is wrong, and say what to do about it. Exit code 1 where something has failed."""
    view = current()
    findings = _findings(view)
    if as_json:
        click.echo(json.dumps([finding.as_json() for finding in findings], indent=2))
    else:
        wrong = [finding for finding in findings if finding.status is not Status.OK]
        tell(wrong)
        click.echo(f"{len(findings)} checks, {len(wrong)} of them need attention.")
    sys.exit(EXIT_CODES[worst(findings)])


def _findings(view: View) -> list[Finding]:
    return [*services.findings(view), *system.findings(view), *of_image()]


def tell(findings: list[Finding]) -> None:
    for finding in findings:
        mark, colour = MARKS[finding.status]
        click.echo(f"  {click.style(f'{mark:<9}', fg=colour)}{finding.check}: {finding.summary}")
        if finding.remedy and finding.status is not Status.OK:
            click.echo(f"  {'':<9}→ {finding.remedy}")


def versions(view: View) -> dict[str, Any]:
    return {
        "reflector": version("reflector-appliance"),
        "image": image_version(),
        "postgresql": view.state.postgresql,
        "broker": view.state.broker,
        "driver": view.facts.driver.version,
        **view.state.artifacts,
    }
