"""Fetch wheels for another machine, for its Python and architecture, and check them against the lock."""

from __future__ import annotations

import sys
from pathlib import Path

from appliance.errors import ApplianceError, CommandError
from appliance.install.target import checkout
from appliance.machine.run import run

# The newest C library that Debian 12 can take (2.36), and all before it
GLIBC = range(36, 4, -1)
SECONDS = 30 * 60


def platforms(architecture: str) -> list[str]:
    """Return the platform tags of wheels that this machine can use (PEP 600 and older ones)."""
    named = [f"manylinux_2_{minor}_{architecture}" for minor in GLIBC]
    return [*named, *(f"manylinux{year}_{architecture}" for year in (2014, 2010, 1))]


def download_wheels(
    folder: Path, python: str, architecture: str, cuda: bool, diarization: bool = True
) -> int:
    """Download the wheels; return how many there are then; ApplianceError where one cannot be had or has another sum.

    `cuda`: with what words on a card need, `diarization`: with what speakers need. torch is not among them: which
    of its builds is wanted depends on the machine (see the lock files).
    """
    locks = checkout() / "requirements"
    names = ["base", *(["diarization"] if diarization else []), *(["cuda"] if cuda else [])]
    files = [option for name in names for option in ("-r", str(locks / f"{name}.lock"))]
    options = [f"--platform={each}" for each in platforms(architecture)]
    command = [
        sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps",
        "--only-binary=:all:", f"--python-version={python}", *options, "--require-hashes", *files, "--dest", str(folder),
    ]  # fmt: skip
    try:
        run(command, seconds=SECONDS)
    except CommandError as error:
        raise ApplianceError(
            f"The wheels could not be downloaded: {error.message.partition('): ')[2] or error.message}",
            "Check the network and pip's settings. Downloaded wheels are kept.",
        ) from error
    return len(list(folder.glob("*.whl")))
