"""The application's virtual environment: from wheels whose sums are in the lock files.

Each is a folder of its own, named after all that it was made from, and a link says which is used: a new
one is complete before it is.
"""

from __future__ import annotations

import hashlib
import platform
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from appliance.errors import ApplianceError, CommandError
from appliance.install.target import Target, checkout
from appliance.install.wheels import download_wheels
from appliance.machine import units
from appliance.machine.ledger import Ledger
from appliance.machine.run import run

FOLDER = "/usr/lib/reflector"
LINK = f"{FOLDER}/venv"
INBOX = "/var/cache/reflector-appliance/wheels"
LOCKS = f"{INBOX}/locks"
TORCH_INDEX = f"{FOLDER}/torch-index"
A_WHEEL = "a wheel"
PROJECT = "reflector_appliance"
SOURCES = ("pyproject.toml", "reflector", "appliance")
MADE = {"__pycache__"}
# The time in the wheel (2000-01-01), so that the same source gives the same one
WHEEL_EPOCH = "946684800"


def install(target: Target, wheels: Path | None, torch_index: str | None, cuda: bool) -> None:
    """Install the virtual environment.

    `cuda` adds what CTranslate2 needs on a card. Raises ApplianceError if a wheel is missing or not
    the one in the lock, or if a feature that this machine has would be lost.
    """
    source = checkout()
    torch = torch_from(target, wheels, torch_index)
    name = f"venv-{_digest(source, target, [str(cuda), torch or 'no torch'])}"
    folder = f"{FOLDER}/{name}"
    if target.path(f"{folder}/.complete").is_file():
        target.link(LINK, name)
        return
    target.say("installing the application")
    with _wheels_inside(target, wheels, cuda, diarization=torch is not None) as inbox:
        _project_wheel(source, target.path(INBOX))
        _make(target, source, folder, inbox, torch, cuda)
    if torch not in {None, A_WHEEL}:
        target.put(TORCH_INDEX, f"{torch}\n")
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


def torch_from(target: Target, wheels: Path | None, index: str | None) -> str | None:
    """Return an index, A_WHEEL, or None for an application that tells no speakers apart.

    torch has two publishers, so its lock has no sums, and it is only taken from where it was asked for
    or handed over. The index of an earlier installation counts for later ones.
    """
    if wheels is not None and any(wheels.glob("torch-*.whl")):
        return A_WHEEL
    saved = target.path(TORCH_INDEX)
    chosen = index or (saved.read_text().strip() if saved.is_file() else None)
    has_torch = any(target.path(LINK).glob("lib/python3*/site-packages/torch-*.dist-info"))
    if chosen is None and has_torch:
        raise ApplianceError(
            "The installed version has speaker diarization, but the new one would not, because torch is missing.",
            "Put its wheel into the folder of --wheels, or give an index with --torch-index.",
        )
    if chosen is None:
        target.say(
            "note: there will be no speaker diarization, because torch is neither among the wheels "
            "nor at a --torch-index."
        )
    return chosen


def _make(
    target: Target, source: Path, folder: str, inbox: list[str], torch: str | None, cuda: bool
) -> None:
    shutil.rmtree(target.path(folder), ignore_errors=True)
    target.path(FOLDER).mkdir(parents=True, exist_ok=True)
    target.run("python3", "-m", "venv", folder, minutes=5)
    shutil.copytree(source / "requirements", target.path(LOCKS), dirs_exist_ok=True)
    pip = [f"{folder}/bin/python", "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    locked = [*pip, "--no-deps", *inbox, "--require-hashes", "-r"]
    try:
        target.run(*locked, f"{LOCKS}/base.lock", minutes=30)
        if cuda:
            target.run(*locked, f"{LOCKS}/cuda.lock", minutes=30)
        if torch is not None:
            _diarization(target, folder, pip, inbox, torch)
            target.run(*locked, f"{LOCKS}/diarization.lock", minutes=20)
        if torch is not None and _is_cpu_build(target, folder):
            _drop_cuda_extensions(target, folder)
        newest = max(target.path(INBOX).glob(f"{PROJECT}-*.whl"))
        target.run(*pip, "--no-deps", "--no-index", f"{INBOX}/{newest.name}", minutes=5)
    except CommandError as error:
        raise ApplianceError(
            error.message,
            "Check the network, or fill the folder of --wheels with "
            "`appliance fetch --wheels DIR`.",
        ) from error


def _diarization(target: Target, folder: str, pip: list[str], inbox: list[str], torch: str) -> None:
    """Install torch and what needs it. A CUDA build of torch requires NVIDIA's libraries itself."""
    wanted = target.path(f"{LOCKS}/torch.lock").read_text().split()[-1]
    source = inbox if torch == A_WHEEL else ["--index-url", torch]
    target.run(*pip, "--no-deps", *source, wanted, minutes=60)
    if not _is_cpu_build(target, folder):
        target.run(*pip, *source, wanted, minutes=60)


def _is_cpu_build(target: Target, folder: str) -> bool:
    return any(target.path(folder).glob("lib/python3*/site-packages/torch-*+cpu.dist-info"))


def _drop_cuda_extensions(target: Target, folder: str) -> None:
    """Remove torchaudio's compiled extensions, which link CUDA.

    Beside a CPU build of torch they stop its import. What is needed of torchaudio works without
    them. Remove this when torchaudio has a CPU build of this version.
    """
    for library in target.path(folder).glob("lib/python3*/site-packages/torchaudio/lib/*.so"):
        library.unlink()


@contextmanager
def _wheels_inside(
    target: Target, wheels: Path | None, cuda: bool, *, diarization: bool
) -> Iterator[list[str]]:
    """Yield pip's options for where to find wheels; at the end remove those copied into the tree.

    A tree has no access to this machine's index (a mirror, a proxy, certificates), so this
    machine's pip downloads for it.
    """
    folder = target.path(INBOX)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        if wheels is None and target.is_running:
            yield []
            return
        if wheels is None:
            download_wheels(folder, _python(target), platform.machine(), cuda, diarization)
        else:
            for wheel in wheels.glob("*.whl"):
                _put_in(target, wheel, folder)
        yield ["--no-index", f"--find-links={INBOX}"]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _put_in(target: Target, wheel: Path, folder: Path) -> None:
    if target.is_running:
        (folder / wheel.name).symlink_to(wheel.absolute())
    else:
        shutil.copy(wheel, folder)


def _project_wheel(source: Path, folder: Path) -> None:
    """Build the project's wheel with this Python, whose lock has setuptools.

    An earlier `build/lib` is removed first, as files that are no longer in the source would be
    packed.
    """
    shutil.rmtree(source / "build" / "lib", ignore_errors=True)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation",
               "--no-index", "--wheel-dir", str(folder), str(source)]  # fmt: skip
    run(command, seconds=300, environment={"SOURCE_DATE_EPOCH": WHEEL_EPOCH})


def _digest(source: Path, target: Target, choices: list[str]) -> str:
    """Return the digest of everything that the environment is made from."""
    found = hashlib.sha256()
    found.update("\0".join([_python(target), *choices]).encode())
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
            f"{said.strip()} is not supported.", "Python 3.11, 3.12 or 3.13 is needed."
        )
    return found[0]
