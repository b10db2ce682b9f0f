"""Write `requirements/*.lock`: every version, from an install of the newest that fit.

    python tools/lock.py

Four files, because they are installed in different ways (see install.py): `base` (server and
Whisper), `torch`, `diarization` (what pyannote.audio adds), `dev`.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TORCH = "torch==2.13.0"
# Installed without what they ask for: their wheels want the CUDA libraries of torch's PyPI build
WITHOUT_DEPENDENCIES = ["torchaudio==2.11.0", "torchcodec==0.17.0"]
BUILD = ["setuptools>=77", "wheel"]


def main() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = project["project"]["optional-dependencies"]
    base = [*project["project"]["dependencies"], *extras["speech"], *BUILD]
    known: set[str] = set()
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder) / "bin" / "python"
        known = step(python, "base", known, [base])
        known = step(python, "torch", known, [[TORCH]], only="torch==")
        groups = [["--no-deps", *WITHOUT_DEPENDENCIES], [extras["diarization"][0]]]
        known = step(python, "diarization", known, groups)
        step(python, "dev", known, [project["dependency-groups"]["dev"]])


def step(
    python: Path, name: str, known: set[str], installs: list[list[str]], only: str = ""
) -> set[str]:
    """Install, and write what came new; with `only` the rest is left to the next file."""
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
