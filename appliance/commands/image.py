"""`appliance image`: the disk image that a machine is made of."""

from __future__ import annotations

import os
from importlib.metadata import version as installed_version
from pathlib import Path

import click

from appliance import given
from appliance.commands.install import into_tree
from appliance.image import build as builder
from appliance.image import keys as key_files
from appliance.image import output
from appliance.image.answers import Prepared
from appliance.image.build import Profile, Request
from appliance.image.driver import Modules, Publisher
from appliance.image.keys import Keys
from appliance.image.sources import sources
from appliance.image.tools import prepared
from appliance.image.version import version
from appliance.install.target import checkout
from appliance.steps.admin import PASSWORD

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
@click.option(
    "--driver", type=click.Choice([p.value for p in Publisher]), default="debian", show_default=True,
    help="Whose packages of NVIDIA's driver: Debian's have 550 (CUDA 12), NVIDIA's 580 and newer (CUDA 13, Blackwell).",
)  # fmt: skip
@click.option(
    "--modules", type=click.Choice([m.value for m in Modules]), default="open", show_default=True,
    help="closed: for cards before Turing.",
)  # fmt: skip
@click.option(
    "--nvidia-key",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Of NVIDIA's repository.",
)
@click.option("--compress", is_flag=True, help="Write IMAGE.zst too.")
@WORK
@KEYS
@MIRROR
def build(
    profile: str, dev: bool, to: Path, wanted: str | None, wheels: Path | None, torch_index: str | None,
    snapshot: str | None, models: tuple[Path, ...], driver: str, modules: str,
    nvidia_key: Path | None, compress: bool, work: Path, keys: Path, mirror: str | None,
) -> None:  # fmt: skip
    """Build the image: as a disk, and as the files that machines update themselves from.

    The first build fetches some 2 GB. Keys are made where there are none.
    """
    from_where = sources(mirror, snapshot)
    request = Request(
        version(checkout(), installed_version("reflector-appliance"), wanted), Profile(profile), dev,
        Keys(keys.absolute()), from_where, work.absolute(), to.absolute(), click.echo, models,
        Publisher(driver), Modules(modules), nvidia_key,
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


PASSWORD_FILE = click.option(
    "--password-file", metavar="FILE", help="The administrator's password, its first line."
)
SECRET = click.option(
    "--secret", "secret_files", multiple=True, metavar="NAME=FILE", help="A key, like HF_TOKEN."
)
MODELS_FOLDER = click.option(
    "--models",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A folder with speech models.",
)
TOML = click.argument("toml", type=click.Path(path_type=Path))


@image.command()
@TOML
@PASSWORD_FILE
@SECRET
@MODELS_FOLDER
def validate(
    toml: Path, password_file: str | None, secret_files: tuple[str, ...], models: Path | None
) -> None:
    """Check the answers for a machine's first start, before it has them."""
    _prepared(toml, password_file, secret_files, models)
    click.echo(f"{toml} can be used.")


@image.command()
@click.argument(
    "disk", metavar="IMAGE", type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
@TOML
@PASSWORD_FILE
@SECRET
@MODELS_FOLDER
def inject(
    disk: Path,
    toml: Path,
    password_file: str | None,
    secret_files: tuple[str, ...],
    models: Path | None,
) -> None:
    """Write the answers for the first start into an image: whoever starts it is asked nothing.

    Password and secrets lie there readable until the machine has taken them over.
    """
    _prepared(toml, password_file, secret_files, models).inject(disk)
    click.echo(f"{disk} has the answers of {toml}.")


def _prepared(
    toml: Path, password_file: str | None, secret_files: tuple[str, ...], models: Path | None
) -> Prepared:
    handed = given.from_files(secret_files)
    if password_file:
        handed[PASSWORD] = given.read(password_file, "password")
    prepared_ = Prepared(toml, handed, models)
    for remark in prepared_.check():
        click.secho(f"note: {remark}", fg="yellow")
    return prepared_
