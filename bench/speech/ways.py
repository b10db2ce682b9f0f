"""Run one file through faster-whisper in a separate process.

    python -m bench.speech.ways WAY MODEL FILE DEVICE

`batched` calls its batched pipeline directly. `reference` calls it as Reflector's model service
does: window after window, a beam of 5, voice activity detection with 500 ms, under a lock.

Prints JSON: seconds to the first result and to the last, CPU seconds, peak memory in MiB, words.
"""

from __future__ import annotations

import json
import resource
import sys
import threading
import time
from collections.abc import Iterable
from typing import Any

from faster_whisper import BatchedInferencePipeline, WhisperModel

BEAM = 5
CPU_BATCH, CARD_BATCH = 4, 16


def batched(model: WhisperModel, file: str, card: bool) -> Iterable[Any]:
    segments, _ = BatchedInferencePipeline(model).transcribe(
        file,
        language="en",
        beam_size=BEAM,
        batch_size=CARD_BATCH if card else CPU_BATCH,
        word_timestamps=True,
    )
    yield from segments


def reference(model: WhisperModel, file: str, card: bool) -> Iterable[Any]:
    lock = threading.Lock()
    with lock:
        segments, _ = model.transcribe(
            file,
            language="en",
            beam_size=BEAM,
            word_timestamps=True,
            vad_filter=True,
            vad_parameters={"min_silence_duration_ms": 500},
        )
    yield from segments


def main() -> None:
    way, folder, file, device = sys.argv[1:5]
    card = device == "cuda"
    # All else has its default, as in the reference
    model = WhisperModel(folder, device=device, compute_type="float16" if card else "int8")
    started, cpu = time.monotonic(), time.process_time()
    first, words = None, 0
    for segment in {"batched": batched, "reference": reference}[way](model, file, card):
        first = first or time.monotonic() - started
        words += len(segment.words)
    print(json.dumps({
        "seconds": round(time.monotonic() - started, 2),
        "first_s": round(first or 0.0, 2),
        "cpu_s": round(time.process_time() - cpu, 2),
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "words": words,
    }))  # fmt: skip


if __name__ == "__main__":
    main()
