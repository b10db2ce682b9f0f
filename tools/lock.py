"""Write `requirements/*.lock`: every version with the SHA-256 of its files.

    python tools/lock.py [--sums]     --sums: only the checksums, of the versions that are locked

The versions come from an installation of the newest that fit. There are several files, because they
are installed in different ways (see install.py): `base` (server and Whisper), `torch`,
`diarization` (what pyannote.audio adds), `cuda` (what CTranslate2 needs on a card) and `dev`. torch
has no checksums: two publishers have its builds with and without CUDA under one version.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TORCH = "torch==2.13.0"
# Installed without their requirements: the wheels want the CUDA libraries of torch's PyPI build
WITHOUT_DEPENDENCIES = ["torchaudio==2.11.0", "torchcodec==0.17.0"]
CUBLAS = "nvidia-cublas-cu12==12.9.3.13"
BUILD = ["setuptools>=77", "wheel"]
# redis needs it before Python 3.11.3. Debian 12 has such a Python, and this machine a newer one
OLD_PYTHON = ["async-timeout>=5"]
PYTHONS = ("3.11", "3.12", "3.13")
ARCHITECTURES = ("x86_64", "aarch64")
GLIBC = (*range(34, 4, -1),)


def main() -> None:
    if "--sums" not in sys.argv:
        versions()
    for name in ("base", "diarization", "cuda", "dev"):
        write_sums(ROOT / "requirements" / f"{name}.lock")


def write_sums(lock: Path) -> None:
    """Write the checksums of the wheels that pip would choose for each Python and architecture."""
    wanted = [line.split()[0] for line in lock.read_text().splitlines() if "==" in line]
    sums: dict[str, set[str]] = {each: set() for each in wanted}
    for python in PYTHONS:
        for architecture in ARCHITECTURES:
            for requirement, found in sums_for(wanted, python, architecture).items():
                sums[requirement].add(found)
    if without := [each for each, found in sums.items() if not found]:
        raise SystemExit(f"no wheel of {', '.join(without)}")
    lines = [
        " \\\n    ".join([each, *(f"--hash=sha256:{found}" for found in sorted(sums[each]))])
        for each in wanted
    ]
    lock.write_text("\n".join(lines) + "\n")
    print(f"{lock.name}: {sum(map(len, sums.values()))} sums", file=sys.stderr)


def sums_for(wanted: list[str], python: str, architecture: str) -> dict[str, str]:
    """Return checksums by requirement. A package without a wheel for this platform is left out."""
    platforms = [f"manylinux_2_{minor}_{architecture}" for minor in GLIBC]
    platforms += [f"manylinux{year}_{architecture}" for year in (2014, 2010, 1)]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed",
               "--no-deps", "--report", "-", "--target", "nowhere", "--only-binary=:all:",
               f"--python-version={python}", *(f"--platform={each}" for each in platforms)]  # fmt: skip
    result = subprocess.run([*command, *wanted], capture_output=True, text=True, check=False)
    if result.returncode:
        if len(wanted) == 1:
            return {}
        middle = len(wanted) // 2
        return sums_for(wanted[:middle], python, architecture) | sums_for(
            wanted[middle:], python, architecture
        )
    by_name = {
        each.partition("==")[0].lower().replace("_", "-").replace(".", "-"): each for each in wanted
    }
    found = {}
    for item in json.loads(result.stdout)["install"]:
        name = item["metadata"]["name"].lower().replace("_", "-").replace(".", "-")
        found[by_name[name]] = item["download_info"]["archive_info"]["hashes"]["sha256"]
    return found


def versions() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = project["project"]["optional-dependencies"]
    base = [*project["project"]["dependencies"], *extras["speech"], *BUILD, *OLD_PYTHON]
    known: set[str] = set()
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder) / "bin" / "python"
        known = step(python, "base", known, [base])
        known = step(python, "torch", known, [[TORCH]], only="torch==")
        groups = [["--no-deps", *WITHOUT_DEPENDENCIES], [extras["diarization"][0]]]
        known = step(python, "diarization", known, groups)
        step(python, "dev", known, [project["dependency-groups"]["dev"]])
    (ROOT / "requirements" / "cuda.lock").write_text(f"{CUBLAS}\n")


def step(
    python: Path, name: str, known: set[str], installs: list[list[str]], only: str = ""
) -> set[str]:
    """Install requirements, and write the new packages to the lock file `name`.

    With `only`, all others are left to the next file. Returns the known versions.
    """
    for requirements in installs:
        subprocess.run(
            [python, "-m", "pip", "install", "--quiet", "--upgrade", *requirements], check=True
        )
    frozen = subprocess.run(
        [python, "-m", "pip", "list", "--format=freeze", "--exclude", "pip"],
        check=True, capture_output=True, text=True,
    ).stdout.split()  # fmt: skip
    current = {line.partition("+")[0] for line in frozen}
    new = sorted((line for line in current - known if line.startswith(only)), key=str.lower)
    (ROOT / "requirements" / f"{name}.lock").write_text("\n".join(new) + "\n")
    print(f"{name}: {len(new)}", file=sys.stderr)
    return known | set(new)


if __name__ == "__main__":
    main()
