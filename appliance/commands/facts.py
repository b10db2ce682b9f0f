"""`appliance facts`: print what this machine is."""

from __future__ import annotations

import json
from collections.abc import Iterator

import click

from appliance.machine.facts import Facts, gather

GIB = 1 << 30


@click.command()
@click.option("--json", "as_json", is_flag=True, help="As data.")
def facts(as_json: bool) -> None:
    """Show what this machine is: processor, memory, disks, addresses, cards, firmware."""
    found = gather()
    if as_json:
        click.echo(json.dumps(found.as_json(), indent=2))
        return
    for label, value in described(found):
        click.echo(f"{label:<12}{value}")


def described(facts: Facts) -> Iterator[tuple[str, str]]:
    """Yield a line for each fact, for people."""
    yield "system", f"{facts.release.name}, {facts.processor.architecture}"
    yield "processor", f"{facts.processor.name}, {facts.processor.cores} cores"
    yield "memory", _gib(facts.memory)
    for disk in facts.disks:
        yield "disk", f"{disk.mount}: {_gib(disk.free)} of {_gib(disk.total)} free ({disk.device})"
    yield "name", facts.host_name
    yield "addresses", ", ".join(facts.addresses) or "none"
    yield from _cards(facts)
    yield (
        "machine",
        {None: "not known", "none": "metal"}.get(
            facts.virtualization, f"virtual ({facts.virtualization})"
        ),
    )
    yield "secure boot", _yes(facts.secure_boot)
    yield "TPM", _yes(facts.tpm)
    yield "clock", f"synchronised: {_yes(facts.clock_synchronized)}"


def _cards(facts: Facts) -> Iterator[tuple[str, str]]:
    if not facts.cards:
        yield "cards", "no NVIDIA card"
    for card in facts.cards:
        if card.name and card.memory and card.compute:
            capability = ".".join(map(str, card.compute))
            yield "card", f"{card.name}, {_gib(card.memory)}, compute capability {capability}"
        else:
            yield "card", f"NVIDIA 10de:{card.device_id} at {card.pci}, without a driver"
    driver = facts.driver
    if driver.version and driver.cuda:
        yield "driver", f"{driver.version}, up to CUDA {'.'.join(map(str, driver.cuda))}"
    elif driver.problem:
        yield "driver", driver.problem


def _gib(size: int) -> str:
    return f"{size / GIB:.1f} GiB"


def _yes(fact: bool | None) -> str:
    return {True: "yes", False: "no", None: "not known"}[fact]
