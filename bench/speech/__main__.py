"""Measure the speech service beside faster-whisper: `make bench-speech` writes results-DEVICE.json.

    python -m bench.speech [--sizes tiny,base,…] [--minutes 10,60] [--parts alone,two,speakers]

`alone` runs a file through the service, then through faster-whisper's batched pipeline called
directly, then as Reflector's model service calls faster-whisper. `two` runs two files at once, and
one after the other. `speakers` runs words and speakers of one file at once, and each alone.

The models have real dimensions and made-up weights (models.py). Results of other sizes and lengths
stay in the file.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ctranslate2
from platformdirs import user_cache_path

from bench.machine import describe, gpu
from bench.recordings import repeated
from bench.speech.measure import alone, speakers, two
from bench.speech.models import SIZES, model_folder

BENCH = Path(__file__).parent.parent
PARTS: dict[str, Callable[[Path, Path, str], dict[str, Any]]] = {
    "alone": alone,
    "two": two,
    "speakers": speakers,
}


def main() -> None:
    arguments = _arguments()
    card = gpu() if ctranslate2.get_cuda_device_count() else None
    device = "cuda" if card else "cpu"
    if not card:
        print("There is no CUDA card here: the CPU is measured.", file=sys.stderr)
    name = card["name"].lower().replace(" ", "-") if card else "cpu"
    file = BENCH / f"results-{name}.json"
    results: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    cache = user_cache_path("reflector") / "bench-models"
    with tempfile.TemporaryDirectory() as folder:
        for minutes in arguments.minutes:
            recording = repeated(Path(folder) / f"{minutes}.flac", minutes)
            for size in arguments.sizes:
                model = model_folder(cache, size)
                for part in arguments.parts:
                    place = results.setdefault(size, {}).setdefault(f"{minutes:g} minutes", {})
                    print(f"{size}, {minutes:g} minutes, {part} …", file=sys.stderr, flush=True)
                    place[part] = {**PARTS[part](model, recording, device), "machine": describe()}
                    print(json.dumps(place[part], indent=2), flush=True)
                    file.write_text(json.dumps(results, indent=2) + "\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.speech")
    parser.add_argument("--sizes", type=_listed, default=list(SIZES))
    parser.add_argument(
        "--minutes", type=lambda text: [float(n) for n in _listed(text)], default=[10.0, 60.0]
    )
    parser.add_argument("--parts", type=_listed, default=list(PARTS))
    arguments = parser.parse_args()
    for chosen, known in ((arguments.sizes, SIZES), (arguments.parts, PARTS)):
        if unknown := set(chosen) - set(known):
            parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    return arguments


def _listed(text: str) -> list[str]:
    return text.split(",")


if __name__ == "__main__":
    main()
