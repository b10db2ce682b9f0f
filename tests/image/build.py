"""Images for tests: one of this checkout, and newer versions of it that differ in one thing."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib.metadata import version as installed_version
from pathlib import Path

from appliance.commands.install import into_tree
from appliance.image import build, keys
from appliance.image.build import Profile, Request
from appliance.image.keys import Keys
from appliance.image.sources import sources
from appliance.image.tools import Tools, prepared
from appliance.image.version import Version, version
from tests.boot.tree import CACHE, ROOT, exclusive_lock, has_torch, run, wheels
from tests.conftest import WHISPER

WORK = CACHE / "image"
PROGRAMS = ["mmdebstrap", "unshare", "mount", "ssh", "ssh-keygen"]


def missing() -> list[str]:
    """What keeps this machine from building an image."""
    found = [] if os.geteuid() == 0 else ["root"]
    return found + [name for name in PROGRAMS if shutil.which(name) is None]


@dataclass(frozen=True)
class Images:
    """`tree`: what is in the image. `disk`: the image. `folder`: for newer versions."""

    request: Request
    tools: Tools
    tree: Path
    disk: Path
    folder: Path

    @property
    def version(self) -> str:
        return self.request.version.text

    def newer(self, number: int, change: Callable[[Path], None], *options: str) -> Path:
        """The updates folder of a newer version: the same, but for what `change` does to its tree and the
        `options` do to its disk."""
        text = f"{self.version}.{number}"
        to = self.folder / text
        if (to / "updates/SHA256SUMS.gpg").is_file():
            return to / "updates"
        request = replace(
            self.request, version=Version(text, self.request.version.epoch), output=to
        )
        # The work folder has one set of definitions, which each build makes anew
        with exclusive_lock(), changed(self.tree, self.folder / f"{text}.layers") as tree:
            change(tree)
            disk = build.disk(request, tree, *options)
        disk.unlink()  # only machines that are new need it
        return to / "updates"


def images(folder: Path) -> Images:
    """Built anew from this checkout, with what does not depend on it from the cache."""
    with exclusive_lock():
        from_where = sources()
        tools = prepared(WORK, from_where, _say)
        signing = Keys(folder / "keys")
        keys.make(signing, tools, _say)
        request = Request(
            version(ROOT, installed_version("reflector-appliance")), Profile.CPU, True, signing, from_where, WORK,
            folder / "out", _say, (WHISPER,),
        )  # fmt: skip
        made = build.tree(request, install)
        # The work folder has one tree; that of another run would take its place
        tree = folder / "tree"
        shutil.rmtree(tree, ignore_errors=True)
        made.rename(tree)
        disk = build.disk(request, tree)
    return Images(request, tools, tree, disk, folder)


def install(tree: Path) -> None:
    """By the command of this checkout, which has an own process for click's context."""
    run(
        sys.executable, "-c", "import sys; from tests.image.build import install_here; install_here(*sys.argv[1:])",
        str(tree), *([str(wheels())] if has_torch("13") else []),
    )  # fmt: skip


def install_here(tree: str, wheels: str | None = None) -> None:
    from click import Context

    from appliance.cli import cli

    with Context(cli):
        into_tree(Path(tree), Path(wheels) if wheels else None, None, False)


@contextlib.contextmanager
def changed(tree: Path, layers: Path) -> Iterator[Path]:
    """The tree, for changes that it does not see."""
    for name in ("upper", "work", "root"):
        (layers / name).mkdir(parents=True, exist_ok=True)
    options = f"lowerdir={tree},upperdir={layers}/upper,workdir={layers}/work"
    run("mount", "-t", "overlay", "overlay", "-o", options, str(layers / "root"))
    try:
        yield layers / "root"
    finally:
        run("umount", str(layers / "root"))
        shutil.rmtree(layers)


def _say(line: str) -> None:
    print(line, flush=True)
