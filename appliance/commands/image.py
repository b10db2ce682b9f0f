"""`appliance image`: the disk image that a machine is made of."""

from __future__ import annotations

import os
from importlib.metadata import version as installed_version
from pathlib import Path

import click

from appliance.commands.install import into_tree
from appliance.image import build as builder
from appliance.image import keys as key_files
from appliance.image import output
from appliance.image.build import Profile, Request
from appliance.image.keys import Keys
from appliance.image.sources import sources
from appliance.image.tools import prepared
from appliance.image.version import version
from appliance.install.target import checkout

FOLDER = click.Path(path_type=Path, file_okay=False)
CACHE = (
    Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    / "reflector-appliance"
    / "image"
)
CONFIG = (
    Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    / "reflector-appliance"
    / "keys"
)
WORK = click.option(
    "--work",
    type=FOLDER,
    default=CACHE,
    show_default=False,
    help="Where tools and trees are kept between builds.",
)
KEYS = click.option(
    "--keys", type=FOLDER, default=CONFIG, show_default=False, help="The builder's keys."
)
MIRROR = click.option(
    "--mirror", metavar="URL", help="Debian's packages; unset: as this machine's apt."
)


@click.group()
def image() -> None:
    """Build the disk image, and prepare it for a machine."""


@image.command()
@click.option(
    "--profile", type=click.Choice([p.value for p in Profile]), default="cpu", show_default=True,
    help="gpu: with NVIDIA's driver.",
)  # fmt: skip
@click.option(
    "--dev", is_flag=True, help="A console that asks for no password. Never for real use."
)
@click.option("--output", "to", type=FOLDER, default=Path("build/image"), show_default=True)
@click.option("--version", "wanted", help="Unset: the release and the commit's time.")
@click.option("--wheels", type=FOLDER, help="A folder with all wheels for Python 3.13.")
@click.option(
    "--torch-index", metavar="URL", help="Where to take torch from, to tell speakers apart."
)
@click.option(
    "--snapshot", metavar="TIME", help="The archive of that moment, like 20261101T000000Z."
)
@click.option(
    "--with-models", "models", multiple=True, type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A folder with a speech model that comes with the image; more than once for several.",
)  # fmt: skip
@click.option("--compress", is_flag=True, help="Write IMAGE.zst too.")
@WORK
@KEYS
@MIRROR
def build(
    profile: str, dev: bool, to: Path, wanted: str | None, wheels: Path | None, torch_index: str | None,
    snapshot: str | None, models: tuple[Path, ...], compress: bool, work: Path, keys: Path, mirror: str | None,
) -> None:  # fmt: skip
    """Build the image: as a disk, and as the files that machines update themselves from.

    The first build fetches some 2 GB. Keys are made where there are none.
    """
    from_where = sources(mirror, snapshot)
    request = Request(
        version(checkout(), installed_version("reflector-appliance"), wanted), Profile(profile), dev,
        Keys(keys.absolute()), from_where, work.absolute(), to.absolute(), click.echo, models,
    )  # fmt: skip
    request.work.mkdir(parents=True, exist_ok=True)
    tools = prepared(request.work, from_where, click.echo)
    if not request.keys.are_there:
        key_files.make(request.keys, tools, click.echo)
    disk = builder.build(
        request, lambda tree: into_tree(tree, wheels, torch_index, profile == "gpu")
    )
    if compress:
        click.echo(str(output.compress(tools, disk)))


@image.command()
@WORK
@KEYS
@MIRROR
def keys(work: Path, keys: Path, mirror: str | None) -> None:
    """Make the keys that sign images and updates. Machines take updates from no others."""
    work.mkdir(parents=True, exist_ok=True)
    key_files.make(
        Keys(keys.absolute()), prepared(work.absolute(), sources(mirror), click.echo), click.echo
    )
