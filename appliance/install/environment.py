"""The application's virtual environment: from wheels whose sums are in the lock files.

Each is a folder of its own, named after all that it was made from, and a link says which is used: a new
one is complete before it is.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from appliance import units
from appliance.effects.ledger import Ledger
from appliance.errors import ApplianceError, CommandError
from appliance.install.target import Target, checkout
from appliance.run import run

FOLDER = "/usr/lib/reflector"
LINK = f"{FOLDER}/venv"
INBOX = "/var/cache/reflector-appliance/wheels"
PROJECT = "reflector_appliance"
SOURCES = ("pyproject.toml", "reflector", "appliance")
MADE = {"__pycache__"}


def install(target: Target, wheels: Path | None, torch_index: str | None) -> None:
    """ApplianceError where a wheel is missing or is not the one that the lock means."""
    source = checkout()
    name = f"venv-{_digest(source, target)}"
    folder = f"{FOLDER}/{name}"
    if target.path(f"{folder}/.complete").is_file():
        target.link(LINK, name)
        return
    target.say("installing the application")
    with _wheels_inside(target, wheels) as inbox:
        _project_wheel(source, target.path(INBOX))
        _make(target, source, folder, inbox, torch_index)
    target.path(f"{folder}/.complete").touch()
    link = target.path(LINK)
    # What runs now imports from there until it is started again
    in_use = link.readlink().name if link.is_symlink() else None
    target.link(LINK, name)
    for old in target.path(FOLDER).glob("venv-*"):
        if old.name not in {name, in_use}:
            shutil.rmtree(old)
    Ledger(target.root).wait_for(units.APPLICATION)
    target.did("installed the application")


def _make(
    target: Target, source: Path, folder: str, inbox: list[str], torch_index: str | None
) -> None:
    shutil.rmtree(target.path(folder), ignore_errors=True)
    target.path(FOLDER).mkdir(parents=True, exist_ok=True)
    target.run("python3", "-m", "venv", folder, minutes=5)
    locks = target.path(f"{INBOX}/locks")
    shutil.copytree(source / "requirements", locks, dirs_exist_ok=True)
    python = f"{folder}/bin/python"
    pip = [python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps"]
    try:
        target.run(*pip, *inbox, "--require-hashes", "-r", f"{INBOX}/locks/base.lock", minutes=30)
        _diarization(target, pip, inbox, torch_index)
        newest = max(target.path(INBOX).glob(f"{PROJECT}-*.whl"))
        target.run(*pip, "--no-index", f"{INBOX}/{newest.name}", minutes=5)
    except CommandError as error:
        raise ApplianceError(
            error.message,
            "Check the network, or that --wheels holds all that the lock files name "
            "(`appliance fetch --wheels DIR` fills it).",
        ) from error


def _diarization(target: Target, pip: list[str], inbox: list[str], torch_index: str | None) -> None:
    """torch has two publishers, so its lock has no sums; without a build of it that was asked for or
    handed over, everything else is installed, and that is said."""
    torch = target.path(f"{INBOX}/locks/torch.lock").read_text().split()[-1]
    has_wheel = any(target.path(INBOX).glob("torch-*.whl"))
    if not has_wheel and torch_index is None:
        target.say(
            "note: speakers will not be told apart: torch is not among the wheels, and no --torch-index "
            "names where to take it from."
        )
        return
    index = ["--index-url", torch_index] if torch_index and not has_wheel else inbox
    target.run(*pip, *index, torch, minutes=60)
    target.run(
        *pip, *inbox, "--require-hashes", "-r", f"{INBOX}/locks/diarization.lock", minutes=20
    )
    packages = target.path(pip[0]).parent.parent / "lib"
    if any(packages.glob("python3*/site-packages/torch-*+cpu.dist-info")):
        # torchaudio's compiled parts link CUDA and stop its import beside a CPU torch; without them it
        # does with Python what is needed of it. It can go when torchaudio has a CPU build of this version
        for library in packages.glob("python3*/site-packages/torchaudio/lib/*.so"):
            library.unlink()


@contextmanager
def _wheels_inside(target: Target, wheels: Path | None) -> Iterator[list[str]]:
    """Where pip finds wheels, as its options; what was copied into a tree does not stay there."""
    folder = target.path(INBOX)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        if wheels is None:
            yield []
            return
        for wheel in wheels.glob("*.whl"):
            (folder / wheel.name).symlink_to(
                wheel.absolute()
            ) if target.is_running else shutil.copy(wheel, folder)
        yield ["--no-index", f"--find-links={INBOX}"]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _project_wheel(source: Path, folder: Path) -> None:
    """Built by the Python that runs this, which has setuptools by the lock."""
    import sys

    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation",
               "--no-index", "--wheel-dir", str(folder), str(source)]  # fmt: skip
    run(command, seconds=300)


def _digest(source: Path, target: Target) -> str:
    """Of everything that the environment is made from."""
    found = hashlib.sha256()
    found.update(_python(target).encode())
    names = [*(source / "requirements").glob("*.lock")]
    for each in SOURCES:
        names += [source / each] if (source / each).is_file() else (source / each).rglob("*")
    for file in sorted(names):
        if file.is_file() and not MADE & set(file.parts):
            found.update(str(file.relative_to(source)).encode() + b"\0" + file.read_bytes())
    return found.hexdigest()[:16]


def _python(target: Target) -> str:
    said = target.run("python3", "--version").output
    found = re.search(r"3\.(\d+)", said)
    if not found or not 11 <= int(found[1]) <= 13:
        raise ApplianceError(
            f"{said.strip()} cannot be used.", "Python 3.11, 3.12 or 3.13 is needed."
        )
    return found[0]
