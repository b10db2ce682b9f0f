"""`appliance image`: build and check disk images."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any, TypeVar

import click

from appliance.commands.image_answers import inject, validate
from appliance.commands.install import into_tree
from appliance.errors import ApplianceError
from appliance.image import build as builder
from appliance.image import keys as key_files
from appliance.image import output
from appliance.image.build import Profile, Request
from appliance.image.compare import differences
from appliance.image.driver import Modules, Publisher
from appliance.image.keys import Keys
from appliance.image.sources import sources
from appliance.image.tools import GENERATION, Tools, prepared
from appliance.image.version import version
from appliance.install.target import checkout
from appliance.update.manifest import SUMS

Command = TypeVar("Command", bound=Callable[..., Any])
FOLDER = click.Path(path_type=Path, file_okay=False)
THERE = click.Path(path_type=Path, file_okay=False, exists=True)
OWN = "reflector-appliance"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / OWN / "image"
CONFIG = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / OWN / "keys"
WORK = click.option(
    "--work", type=FOLDER, default=CACHE, show_default=False,
    help="Folder for tools and trees between builds.",
)  # fmt: skip
KEYS = click.option(
    "--keys", type=FOLDER, default=CONFIG, show_default=False, help="The builder's keys."
)
MIRROR = click.option(
    "--mirror", metavar="URL", help="Mirror of Debian. Default: the one of this machine's apt."
)
OPTIONS = [
    click.option(
        "--profile", type=click.Choice([p.value for p in Profile]), default="cpu", show_default=True,
        help="gpu includes NVIDIA's driver.",
    ),
    click.option("--dev", is_flag=True, help="Log in at the console without a password. Never use this on a real machine."),
    click.option("--output", "to", type=FOLDER, default=Path("build/image"), show_default=True),
    click.option("--version", "wanted", help="Default: the release and the commit's time."),
    click.option("--wheels", type=THERE, help="Folder with all wheels for Python 3.13."),
    click.option("--torch-index", metavar="URL", help="Index with torch, which speaker diarization needs."),
    click.option("--snapshot", metavar="TIME", help="Use Debian as of this moment, like 20261101T000000Z; --mirror names the snapshot service."),
    click.option(
        "--with-models", "models", multiple=True, type=THERE,
        help="Folder with a speech model to include. Can be repeated.",
    ),
    click.option(
        "--artifacts", type=THERE,
        help="Folder to include, with Ollama, Garage (`appliance fetch --artifacts`) and `ollama-models`.",
    ),
    click.option(
        "--driver", type=click.Choice([p.value for p in Publisher]), default="debian", show_default=True,
        help="Source of NVIDIA's driver: Debian has 550 (CUDA 12), NVIDIA has 580 and newer (CUDA 13).",
    ),
    click.option(
        "--modules", type=click.Choice([m.value for m in Modules]), default="open", show_default=True,
        help="Use closed for cards older than Turing.",
    ),
    click.option("--nvidia-repository", metavar="URL", help="Address of NVIDIA's packages for Debian 13."),
    click.option(
        "--nvidia-key", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Of NVIDIA's repository."
    ),
    WORK, KEYS, MIRROR,
]  # fmt: skip


def with_options(command: Command) -> Command:
    for option in reversed(OPTIONS):
        command = option(command)
    return command


@click.group()
def image() -> None:
    """Build the disk image, and prepare it for a machine."""


image.add_command(validate)
image.add_command(inject)


@image.command()
@with_options
@click.option("--compress", is_flag=True, help="Write IMAGE.zst too.")
def build(compress: bool, **flags: Any) -> None:
    """Build the image: as a disk, and as the files that machines update themselves from.

    The first build fetches some 2 GB. Keys are made where there are none.
    """
    request, tools = _request(flags)
    disk = builder.build(request, _install(flags))
    if compress:
        click.echo(str(output.compress(tools, disk)))


@image.command()
@with_options
def compare(**flags: Any) -> None:
    """Build the image twice, each time from nothing, and say what differs. Exit code 1 where something does."""
    request, tools = _request(flags)
    folders, sums = [], set()
    for name in ("compare-1", "compare-2"):
        work = request.work / name
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        (work / GENERATION).symlink_to(tools.tree)
        to = work / "result"
        disk = builder.build(replace(request, work=work, output=to), _install(flags))
        sums.add(disk.with_name(f"{disk.name}.sha256").read_text())
        disk.unlink()
        folders.append(to / "updates")
    found = differences(tools, folders[0], folders[1], request.work / "compare-files")
    if not found and len(sums) > 1:
        found = ["the disk: the boot partition apart from the kernel image"]
    for line in found:
        click.echo(line)
    if found:
        raise ApplianceError(
            f"{len(found)} differences between two builds of {request.version.text}."
        )
    click.echo(f"Both builds of {request.version.text} are identical.")


@image.command()
@WORK
@KEYS
@MIRROR
def keys(work: Path, keys: Path, mirror: str | None) -> None:
    """Make the keys that sign images and updates. Machines take updates from no others."""
    tools = prepared(work.absolute(), sources(mirror), click.echo)
    key_files.make(Keys(keys.absolute()), tools, click.echo)


@image.command()
@click.argument("folder", type=THERE)
@WORK
@KEYS
@MIRROR
def renew(folder: Path, work: Path, keys: Path, mirror: str | None) -> None:
    """Sign the list of updates in FOLDER anew: its signature ends after 400 days."""
    sums = folder.absolute() / SUMS
    if not sums.is_file():
        raise ApplianceError(
            f"{folder} does not contain {SUMS}.", "Give the folder `updates` of a build."
        )
    found = Keys(keys.absolute())
    if not found.are_there:
        raise ApplianceError(
            f"There are no keys in {keys}.", "Give the keys of the build with --keys."
        )
    tools = prepared(work.absolute(), sources(mirror), click.echo)
    key_files.sign(found, tools, sums)
    click.echo(f"The signature of {sums} is valid for {key_files.VALID_DAYS} days.")


def _request(flags: dict[str, Any]) -> tuple[Request, Tools]:
    """Read the flags; keys are made if there are none."""
    request = Request(
        version(checkout(), installed_version(OWN), flags["wanted"]), Profile(flags["profile"]), flags["dev"],
        Keys(flags["keys"].absolute()), sources(flags["mirror"], flags["snapshot"]), flags["work"].absolute(),
        flags["to"].absolute(), click.echo, flags["models"], flags["artifacts"], Publisher(flags["driver"]), Modules(flags["modules"]),
        flags["nvidia_repository"], flags["nvidia_key"],
    )  # fmt: skip
    tools = prepared(request.work, request.sources, click.echo)
    if not request.keys.are_there:
        key_files.make(request.keys, tools, click.echo)
    return request, tools


def _install(flags: dict[str, Any]) -> Callable[[Path], None]:
    cuda = flags["profile"] == Profile.GPU
    return lambda tree: into_tree(tree, flags["wheels"], flags["torch_index"], cuda)
