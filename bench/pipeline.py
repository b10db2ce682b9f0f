"""Measure what the pipeline costs in addition to its engines, step by step."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from faster_whisper import BatchedInferencePipeline, WhisperModel

from bench.recordings import repeated
from tests.server import FIXTURES, Server, running_server

MINUTES = 10.0
# The goal of the project: under 5 % of what an engine of 0.02 × real time takes
GOAL = 0.05 * 0.02
ENGINES = ("transcribe", "diarize")


def measure() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name, running_server(Path(name)) as server:
        folder = Path(name)
        # The engines are loaded once per process, which is not part of a recording's cost
        _through(server, repeated(folder / "warm.wav", 0.2))
        result: dict[str, Any] = {"minutes": MINUTES, "goal_s": round(GOAL * MINUTES * 60, 2)}
        for suffix in ("wav", "mp3"):
            recording = repeated(folder / f"long.{suffix}", MINUTES)
            result[suffix] = _through(server, recording)
        words = [w["text"] for w in result["wav"].pop("words")]
        result["mp3"].pop("words")
        direct, seconds = _direct(folder / "long.wav")
    result["same_words_as_faster_whisper"] = words == direct
    result["faster_whisper_alone_s"] = seconds
    return result


def _through(server: Server, recording: Path) -> dict[str, Any]:
    started = time.monotonic()
    transcript_id = server.upload(recording)
    uploaded = time.monotonic()
    server.wait_for_status(transcript_id, "ended")
    total = time.monotonic() - uploaded
    steps = server.steps(transcript_id)
    # Both engines work in parallel on the decoded file: the slower one is the critical path
    engines = max(steps[n]["engine"]["elapsed"] for n in ENGINES if steps[n]["engine"])
    return {
        "upload_s": round(uploaded - started, 3),
        "processing_s": round(total, 3),
        "engines_s": round(engines, 3),
        "overhead_s": round(total - engines, 3),
        "steps_s": {name: step["seconds"] for name, step in steps.items()},
        "engine_s": {
            n: round(steps[n]["engine"]["elapsed"], 3) for n in ENGINES if steps[n]["engine"]
        },
        "words": server.get(f"/v1/transcripts/{transcript_id}/words"),
    }


def _direct(recording: Path) -> tuple[list[str], float]:
    model = WhisperModel(str(FIXTURES / "models" / "whisper"), device="cpu", compute_type="int8")
    pipeline = BatchedInferencePipeline(model)
    started = time.monotonic()
    segments, _ = pipeline.transcribe(
        str(recording), language="en", batch_size=4, word_timestamps=True
    )
    words = [word.word for segment in segments for word in segment.words]
    return words, round(time.monotonic() - started, 3)
