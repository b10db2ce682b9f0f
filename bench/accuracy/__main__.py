"""Write tables of word and speaker errors to `bench/accuracy.json`: `python -m bench.accuracy`."""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from bench.accuracy.recordings import AUDIO, clean, hardships, load, without_words
from bench.accuracy.speakers import TurnErrors, conversations
from bench.accuracy.voices import pipeline_of
from bench.accuracy.ways import Score, score, ways
from bench.machine import describe
from reflector.media.decode import SAMPLE_RATE, PcmAudio
from reflector.runtime.settings import load as load_settings
from reflector.speech.diarizer import PyannoteDiarizer
from reflector.speech.engines import DiarizeOptions
from tools.real_models import fetch

OUT = Path(__file__).resolve().parents[1] / "accuracy.json"


def main() -> None:
    if not AUDIO.is_dir():
        raise SystemExit(f"error: {AUDIO} is not there, which has the recordings.")
    parts: dict[str, dict[str, tuple[Any, str]]] = {
        "clean": clean(),
        "hardships": hardships(),
        "without words": {name: (samples, "") for name, samples in without_words().items()},
        "meetings, words counted": {
            path.stem: (load(path), "") for path in sorted(AUDIO.glob("ami-*.flac"))
        },
    }
    result: dict[str, Any] = {
        "command": "make bench-accuracy",
        "machine": describe(),
        "model": "base",
    }
    with tempfile.TemporaryDirectory() as scratch:
        found = ways(fetch() / "whisper-base", Path(scratch))
        for part, recordings in parts.items():
            result[part] = {}
            for name, (samples, said) in recordings.items():
                scores = {way: score(do, samples, said) for way, do in found.items()}
                result[part][name] = {way: asdict(each) for way, each in scores.items()}
                print(_row(name, scores), file=sys.stderr, flush=True)
        result["speakers"] = _speakers(Path(scratch))
    OUT.write_text(json.dumps(result, indent=1) + "\n")


def _speakers(scratch: Path) -> dict[str, Any]:
    """Return diarization error rates in percent of speech.

    They are measured for turns with one speaker at a time, and for turns that may overlap.
    """
    diarizer = PyannoteDiarizer(
        load_settings(
            DATA_DIR=scratch,
            DIARIZATION_MODEL=str(pipeline_of(fetch(), scratch / "pipeline")),
            SPEECH_DEVICE="cpu",
        )
    )
    one, everyone, rows = TurnErrors(), TurnErrors(), {}
    for name, (samples, turns) in conversations().items():
        path = scratch / "a.s16"
        (samples * 32768).astype(np.int16).tofile(path)
        found = diarizer.diarize(PcmAudio(path), DiarizeOptions(), lambda _: None)
        seconds = len(samples) / SAMPLE_RATE
        one.add(turns, found.turns, seconds)
        everyone.add(turns, found.overlapping, seconds)
        people = len({turn.speaker for turn in turns})
        rows[name] = {"speakers": people, "found": found.speakers}
    return {
        "model": "segmentation-3.0 with GE2E",
        "one at a time": one.percent(),
        "all": everyone.percent(),
        **rows,
    }


def _row(name: str, scores: dict[str, Score]) -> str:
    cells = (
        f"{way} {each.errors:4} of {each.words} ({each.heard} heard, {each.seconds:5.1f} s)"
        for way, each in scores.items()
    )
    return f"{name:28} " + " | ".join(cells)


if __name__ == "__main__":
    main()
