"""`appliance install-to-disk`, `factory-reset`, `recovery-key`: the disks of a machine made from an image."""

from __future__ import annotations

import click

from appliance.disks import recovery, reset
from appliance.disks.install import install, least
from appliance.disks.listing import Disk, others
from appliance.errors import CheckError, ConfigError
from appliance.machine.run import run

ERASE = "ERASE"


@click.command("install-to-disk")
@click.argument("disk", required=False)
@click.option("--yes", is_flag=True, help="Do not ask. Everything on the disk is lost.")
def install_to_disk(disk: str | None, yes: bool) -> None:
    """Write the image that runs to a disk of this machine; the boot menu of a stick calls it."""
    needed = least()
    found = others(needed)
    if not found:
        raise CheckError(
            f"There is no disk of {needed / 1e9:.0f} GB or more beside the one that this machine was started from.",
            "Add a disk, or check with `lsblk` that Linux sees it.",
        )
    chosen = _named(found, disk) if disk else _asked(found)
    if not yes:
        click.echo(f"Everything on {chosen.described} will be lost.")
        if click.prompt(f"Type {chosen.path} again to confirm") != str(chosen.path):
            raise click.Abort
    install(chosen, click.echo)


@click.command("factory-reset")
@click.option("--yes", is_flag=True, help="Do not ask.")
def factory_reset(yes: bool) -> None:
    """Erase all recordings, transcripts, accounts and settings, and start anew. The system stays as it is."""
    if (
        not yes
        and click.prompt(f"All data on this machine will be lost. Type {ERASE} to confirm") != ERASE
    ):
        raise click.Abort
    reset.request()
    click.echo("The data is erased at the next start, which begins now.")
    run(["systemctl", "reboot"])


@click.command("recovery-key")
def recovery_key() -> None:
    """Make a key that opens the encrypted disk without this machine's TPM, and show it, once."""
    click.echo(recovery.renew())
    click.echo(
        "Keep it away from this machine. Earlier keys no longer open the disk.",
        err=True,
    )


def _named(found: list[Disk], name: str) -> Disk:
    for each in found:
        if str(each.path) == name:
            return each
    known = ", ".join(str(each.path) for each in found)
    raise ConfigError(
        f"{name} is not a disk that Reflector can be installed on.", f"There is {known}."
    )


def _asked(found: list[Disk]) -> Disk:
    click.echo("Disks of this machine:")
    for number, each in enumerate(found, 1):
        click.echo(f"  {number}  {each.described}")
    return found[click.prompt("Install to", type=click.IntRange(1, len(found))) - 1]
