"""`appliance fetch`: download an installation for a machine without a network."""

from __future__ import annotations

import platform
import shutil
from pathlib import Path

import click

from appliance.artifacts import LOCK, read
from appliance.configure.effects.downloads import fetch as fetch_artifact
from appliance.errors import ConfigError
from appliance.install.lock import with_sums
from appliance.install.wheels import download_wheels

FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command()
@click.option("--wheels", type=FOLDER, help="Fill this folder with the application's wheels.")
@click.option(
    "--python",
    default="3.13",
    show_default=True,
    help="Python version of the target machine: 3.13 on Debian 13, 3.11 on Debian 12.",
)
@click.option("--cuda", is_flag=True, help="Include the wheels that an NVIDIA card needs.")
@click.option("--artifacts", type=FOLDER, help="Fill this folder with Ollama and Garage.")
@click.option(
    "--lock",
    is_flag=True,
    help="Write the publishers' checksums of Ollama and Garage to the lock file.",
)
@click.option(
    "--architecture",
    default=platform.machine(),
    show_default=True,
    type=click.Choice(["x86_64", "aarch64"]),
)
def fetch(
    wheels: Path | None,
    python: str,
    cuda: bool,
    artifacts: Path | None,
    lock: bool,
    architecture: str,
) -> None:
    """Fetch what another machine needs to be installed without a network.

    Speech models: `reflector models pull` on a machine with a network fills a folder for
    `appliance configure --models`.
    """
    if not (wheels or artifacts or lock):
        raise ConfigError(
            "Nothing to fetch was named.", "Give --wheels DIR, --artifacts DIR or --lock."
        )
    if lock:
        LOCK.write_text(with_sums(LOCK.read_text(), click.echo))
        click.echo(f"The checksums are in {LOCK}.")
    if wheels:
        wheels.mkdir(parents=True, exist_ok=True)
        count = download_wheels(wheels, python, architecture, cuda)
        click.echo(f"{count} wheels for Python {python} are in {wheels}.")
    if artifacts:
        for artifact in read().values():
            fetch_artifact(artifact, architecture, artifacts, click.echo)
        size = sum(file.stat().st_size for file in artifacts.iterdir()) >> 20
        free = shutil.disk_usage(artifacts).free >> 30
        click.echo(f"{artifacts} has {size} MiB; {free} GiB are free there.")
