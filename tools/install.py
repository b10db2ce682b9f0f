"""Create `.venv` with the locked versions, and with CUDA's gigabytes only on request.

    python tools/install.py .venv [--dev]

torch is the difficulty: its build on PyPI for Linux is the one with CUDA, and the CPU build is
published on a separate index. So pip is asked first which build it would take. A CPU build is
installed. The other one is installed only with CUDA=1. Otherwise everything except diarization is
installed, and a message says so.

Uses only the standard library, with Python 3.11 to 3.13.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "requirements"
NO_TORCH = """
Speakers will not be told apart: pip finds only the build of torch with CUDA (several gigabytes).
  With a CPU build:  make {target} TORCH_INDEX=URL   (the index that pytorch.org names for "CPU")
  With CUDA:         make {target} CUDA=1
"""


def main() -> None:
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        stop(f"Python 3.11, 3.12 or 3.13 is needed, this is {platform.python_version()}.",
             "Install python3.11 or newer with python3-venv, or give PYTHON=/path/to/python3.")  # fmt: skip
    folder = Path(sys.argv[1])
    python = make_venv(folder)
    if "--dev" in sys.argv:
        say("Installing what the tests need")
        pip(python, "install", "--no-deps", "-r", str(LOCKS / "dev.lock"))
        (folder / ".installed-dev").touch()
        return
    say("Installing the locked versions (some minutes the first time)")
    pip(python, "install", "--no-deps", "-r", str(LOCKS / "base.lock"))
    if os.environ.get("CUDA") == "1":
        pip(python, "install", "--no-deps", "-r", str(LOCKS / "cuda.lock"))
    install_diarization(python)
    pip(python, "install", "--no-deps", "--no-build-isolation", "-e", str(ROOT))
    (folder / ".installed").touch()


def make_venv(folder: Path) -> Path:
    python = folder / "bin" / "python"
    if not python.exists():
        say(f"Making {folder} with Python {platform.python_version()}")
        try:
            venv.create(folder, with_pip=True, clear=True)
        except subprocess.CalledProcessError:
            stop("This Python cannot make virtual environments.", "apt install python3-venv")
    return python


def install_diarization(python: Path) -> None:
    torch = (LOCKS / "torch.lock").read_text().split()[-1]
    options = (
        ["--extra-index-url", os.environ["TORCH_INDEX"]] if os.environ.get("TORCH_INDEX") else []
    )
    build = chosen_build(python, torch, options)
    if "+cpu" not in build and os.environ.get("CUDA") != "1":
        print(NO_TORCH.format(target="demo"), file=sys.stderr)
        return
    dependencies = [] if "+cpu" not in build else ["--no-deps"]
    pip(python, "install", *dependencies, *options, torch)
    pip(python, "install", "--no-deps", "-r", str(LOCKS / "diarization.lock"))
    if "+cpu" in build:
        drop_cuda_extensions(python)


def chosen_build(python: Path, torch: str, options: list[str]) -> str:
    """Return the version that pip would take, `2.13.0+cpu` or `2.13.0`, without a download.

    Returns an empty string if pip finds none.
    """
    command = [str(python), "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed",
               "--no-deps", "--report", "-", *options, torch]  # fmt: skip
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        return ""
    item = json.loads(result.stdout)["install"][0]
    version, url = item["metadata"]["version"], item["download_info"]["url"]
    # A wheel's file name may name the build although its metadata does not
    return f"{version}+cpu" if "cpu" in url.rpartition("/")[2] and "+" not in version else version


def drop_cuda_extensions(python: Path) -> None:
    """Delete torchaudio's compiled parts, which link CUDA and so fail to import with a CPU torch.

    Without them it does in Python what we need of it (feature extraction).
    """
    for library in python.parent.parent.glob("lib/python3*/site-packages/torchaudio/lib/*.so"):
        library.unlink()


def pip(python: Path, *arguments: str) -> None:
    command = [str(python), "-m", "pip", "--disable-pip-version-check", *arguments, "--quiet"]
    if subprocess.run(command, check=False).returncode:
        stop("pip could not install everything (see above).",
             "Check the network, or pip's own settings, and run the same command again.")  # fmt: skip


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def stop(problem: str, remedy: str) -> None:
    print(f"error: {problem}\n  {remedy}", file=sys.stderr)
    raise SystemExit(1)


if __name__ == "__main__":
    main()
