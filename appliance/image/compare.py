"""Compare two builds of an image, and report which files and sections differ."""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from appliance.configure.effects.downloads import sha256
from appliance.image.tools import Tools

# The part of a kernel image that differs because signatures hold the time at which they were made
SIGNED = "signature"


def differences(tools: Tools, one: Path, two: Path, scratch: Path) -> list[str]:
    """Return what differs between two `updates` folders of one version; empty if nothing does."""
    names = sorted({file.name for folder in (one, two) for file in folder.glob("reflector_*")})
    different = [name for name in names if _sum(one / name) != _sum(two / name)]
    found = []
    usr = [_only(folder, "*.usr.*.raw") for folder in (one, two)]
    if _sum(usr[0]) != _sum(usr[1]):
        found += list(_system(tools, usr[0], usr[1], scratch))
    kernel = [_only(folder, "*.efi") for folder in (one, two)]
    if _sum(kernel[0]) != _sum(kernel[1]):
        found += list(_kernel(tools, kernel[0], kernel[1]))
    return found or different


def _system(tools: Tools, one: Path, two: Path, scratch: Path) -> Iterator[str]:
    listings = []
    for number, file in enumerate((one, two)):
        to = scratch / str(number)
        shutil.rmtree(to, ignore_errors=True)
        to.mkdir(parents=True)
        tools.run(
            "fsck.erofs",
            f"--extract={to}",
            "--overwrite",
            file,
            sees=(scratch, file.parent),
            seconds=1800,
        )
        listings.append(_listing(to))
    first, second = listings
    for path in sorted(first.keys() | second.keys()):
        if first.get(path) != second.get(path):
            yield f"/usr/{path}: {_how(first.get(path), second.get(path))}"
    if first == second:
        yield "the system partition: the same files in another layout"
    shutil.rmtree(scratch)


def _listing(tree: Path) -> dict[str, tuple[object, ...]]:
    """Return content, mode, owner and time of each path in a tree."""
    found: dict[str, tuple[object, ...]] = {}
    for parent, folders, files in os.walk(tree):
        for name in [*folders, *files]:
            path = Path(parent) / name
            info = path.lstat()
            content: object = None
            if stat.S_ISLNK(info.st_mode):
                content = os.readlink(path)
            elif stat.S_ISREG(info.st_mode):
                content = sha256(path)
            found[str(path.relative_to(tree))] = (
                content, oct(info.st_mode), f"{info.st_uid}:{info.st_gid}", int(info.st_mtime),
            )  # fmt: skip
    return found


def _how(one: tuple[object, ...] | None, two: tuple[object, ...] | None) -> str:
    if one is None or two is None:
        return "is in only one of them"
    names = ("content", "mode", "owner", "time")
    return ", ".join(name for name, a, b in zip(names, one, two, strict=True) if a != b)


def _kernel(tools: Tools, one: Path, two: Path) -> Iterator[str]:
    first, second = (
        json.loads(tools.run("ukify", "--json=short", "inspect", file, sees=(file.parent,)).output)
        for file in (one, two)
    )
    names = sorted(
        name for name in first.keys() | second.keys() if first.get(name) != second.get(name)
    )
    for name in names:
        yield f"the kernel image: {name}"
    if not names:
        yield f"the kernel image: its {SIGNED}"


def _only(folder: Path, pattern: str) -> Path:
    return next(iter(folder.glob(pattern)))


def _sum(file: Path) -> str | None:
    return sha256(file) if file.is_file() else None
