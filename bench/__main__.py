"""Measure every figure of docs/ and README in one run: `make bench` writes bench/results.json.

    python -m bench [PART…]     parts: pipeline, upload, list, api, viewers, pages, memory (takes the longest)

The figures are for the tiny models and this machine. They show what the program adds to the work of
its engines, and nothing about the speed of a real model.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from bench import api, listing, memory, pages, pipeline, upload, viewers
from bench.machine import describe

RESULTS = Path(__file__).parent / "results.json"
PARTS = {
    "pipeline": pipeline.measure,
    "upload": upload.measure,
    "list": listing.measure,
    "api": api.measure,
    "viewers": viewers.measure,
    "pages": pages.measure,
    "memory": memory.measure,
}


def main() -> None:
    chosen = sys.argv[1:] or list(PARTS)
    unknown = set(chosen) - set(PARTS)
    if unknown:
        raise SystemExit(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    results: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for name in chosen:
        started = time.time()
        print(f"{name} …", file=sys.stderr, flush=True)
        results[name] = {
            **PARTS[name](),
            "machine": describe(),
            "command": f"python -m bench {name}",
        }
        results[name]["measured_in_s"] = round(time.time() - started)
        print(json.dumps(results[name], indent=2), flush=True)
        RESULTS.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
