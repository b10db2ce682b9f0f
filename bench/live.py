"""Measure live text on real speech: `python -m bench.live [--model base] [--streams 2] [--minutes 5]`.

Writes `bench/live.json`, or `bench/live-CARD.json`. The recogniser runs for real; the clock of the
meeting is simulated: it advances by the time that each pass took, or to the next sound. So ten
minutes of speech take as long as their passes, and the delays are those of a meeting.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import time
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from itertools import cycle
from pathlib import Path
from typing import Any

import jiwer
import numpy as np

from bench.accuracy.recordings import AUDIO, PAUSE, Samples, clean, load, telephone_call
from bench.machine import describe
from reflector.live.captions import STEP_SECONDS
from reflector.media.decode import SAMPLE_RATE, PcmAudio
from reflector.runtime.settings import load as load_settings
from reflector.speech.engines import TranscribeOptions
from reflector.speech.streaming.whisper import WhisperLive
from reflector.speech.whisper import WhisperTranscriber
from reflector.transcript.words import Word, plain_text
from tools.real_models import fetch

FOLDER = Path(__file__).resolve().parent
FIXTURES = FOLDER.parent / "tests" / "fixtures" / "recordings"
SLOW_SECONDS = 3.0
NEAR_SECONDS = 0.6
# What the browser's pieces and the network add: MediaRecorder gives one each second
PIECE_SECONDS = 1.0


@dataclass
class Stream:
    """One meeting: its recogniser, and what was seen of its words and when."""

    live: WhisperLive
    samples: Samples
    final: list[tuple[Word, float]] = field(default_factory=list)
    first: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    added: int = 0
    passes: int = 0
    seconds: float = 0.0
    changed: int = 0
    shown: list[str] = field(default_factory=list)

    @property
    def is_over(self) -> bool:
        return self.added >= len(self.samples)

    def next_at(self) -> float:
        """Return when there is enough new sound for a pass."""
        return min(len(self.samples), self.added + int(STEP_SECONDS * SAMPLE_RATE)) / SAMPLE_RATE

    def run(self, now: float) -> float:
        """Make a pass at `now`; return when it has ended."""
        until = min(len(self.samples), int(now * SAMPLE_RATE))
        self.live.add((self.samples[self.added : until] * 32767).astype(np.int16))
        self.added = until
        begun = time.perf_counter()
        found = self.live.recognise(self.is_over)
        took = time.perf_counter() - begun
        self.passes += 1
        self.seconds += took
        end = now + took
        for word in [*found.final, *found.partial]:
            self.first.setdefault(_plain(word.text), []).append((word.start, end))
        self.final += [(word, end) for word in found.final]
        # A word that was shown and is another now
        now_shown = [_plain(word.text) for word in [*found.final, *found.partial]]
        self.changed += sum(a != b for a, b in zip(self.shown, now_shown, strict=False))
        self.shown = now_shown[len(found.final) :]
        return end

    def first_seen(self, word: Word, final_at: float) -> float:
        seen = self.first.get(_plain(word.text), [])
        return min(
            (at for start, at in seen if abs(start - word.start) < NEAR_SECONDS), default=final_at
        )


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", "", text.casefold())


def speech(minutes: float) -> Samples:
    """Return meetings, a telephone call and read speech, one after the other."""
    parts = [load(path) for path in sorted(AUDIO.glob("ami-*.flac"))]
    parts.append(telephone_call()[0])
    parts += [load(AUDIO / f"{name}.flac") for name in ("jfk", "kokoro-af_bella", "kokoro-am_adam")]
    parts += [load(FIXTURES / f"{name}.flac") for name in ("sample", "held-out")]
    whole = np.concatenate([piece for part in parts for piece in (part, PAUSE)])
    return whole[: int(minutes * 60 * SAMPLE_RATE)]


def run(
    transcriber: WhisperTranscriber, samples: Samples, count: int, scratch: Path
) -> list[Stream]:
    options = TranscribeOptions(language="en")
    # Each begins elsewhere, as meetings do
    streams = [
        Stream(
            WhisperLive(transcriber, options, scratch, 0.0), np.roll(samples, -7 * n * SAMPLE_RATE)
        )
        for n in range(count)
    ]
    now = 0.0
    for stream in cycle(streams):
        if all(each.is_over for each in streams):
            return streams
        waiting = [each for each in streams if not each.is_over]
        now = max(now, min(each.next_at() for each in waiting))
        if not stream.is_over and stream.next_at() <= now:
            now = stream.run(now)
    return streams


def measure(
    transcriber: WhisperTranscriber, samples: Samples, count: int, scratch: Path
) -> dict[str, Any]:
    """Return delays in seconds, errors in percent of the words of the file path, and load."""
    first: list[float] = []
    final: list[float] = []
    errors, words = 0, 0
    streams = run(transcriber, samples, count, scratch)
    for stream in streams:
        whole = _whole(transcriber, stream.samples, scratch)
        old = [_plain(word.text) for word in whole]
        new = [_plain(word.text) for word, _ in stream.final]
        for block in SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks():
            for index in range(block.size):
                word, at = stream.final[block.b + index]
                end = whole[block.a + index].end
                final.append(at - end)
                first.append(stream.first_seen(word, at) - end)
        found = jiwer.process_words(" ".join(filter(None, old)), " ".join(filter(None, new)))
        errors += found.substitutions + found.deletions + found.insertions
        words += len(old)
    spoken = sum(len(stream.samples) for stream in streams) / SAMPLE_RATE
    return {
        "streams": count,
        "minutes": round(len(samples) / SAMPLE_RATE / 60, 2),
        "first_p50": _percentile(first, 50), "first_p95": _percentile(first, 95),
        "final_p50": _percentile(final, 50), "final_p95": _percentile(final, 95),
        "differs_percent": round(100 * errors / max(1, words), 1),
        "changes_per_word": round(sum(s.changed for s in streams) / max(1, len(final)), 2),
        "load": round(sum(stream.seconds for stream in streams) / spoken, 3),
        "passes": sum(stream.passes for stream in streams),
    }  # fmt: skip


def known_words() -> list[tuple[Samples, str]]:
    """Return recordings and the words that were said in them."""
    found = list(clean().values())
    for name in ("sample", "held-out"):
        path = FIXTURES / f"{name}.flac"
        words = json.loads(path.with_suffix(".json").read_text())["words"]
        found.append((load(path), " ".join(word[0] for word in words)))
    return found


def word_errors(transcriber: WhisperTranscriber, scratch: Path) -> dict[str, float]:
    """Return the word errors of live text and of the file path, in percent of what was said."""
    said, live, whole = [], [], []
    for samples, words in known_words():
        (stream,) = run(transcriber, np.concatenate([samples, PAUSE]), 1, scratch)
        said.append(_text(words))
        live.append(_text(plain_text([word for word, _ in stream.final])))
        whole.append(_text(plain_text(_whole(transcriber, samples, scratch))))
    return {
        "words": sum(len(each.split()) for each in said),
        "live_errors_percent": round(100 * jiwer.wer(said, live), 1),
        "file_errors_percent": round(100 * jiwer.wer(said, whole), 1),
    }


def _whole(transcriber: WhisperTranscriber, samples: Samples, scratch: Path) -> list[Word]:
    path = scratch / "whole.s16"
    (samples * 32767).astype(np.int16).tofile(path)
    return transcriber.transcribe(
        PcmAudio(path), TranscribeOptions(language="en"), lambda _: None
    ).words


def _text(text: str) -> str:
    return " ".join(filter(None, map(_plain, text.split())))


def _percentile(values: list[float], percent: int) -> float:
    return round(float(np.percentile(values, percent)), 2) if values else 0.0


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", action="append", help="tiny.en, base or a name or folder")
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--streams", type=int, default=4, help="at most so many at once")
    parser.add_argument("--minutes", type=float, default=10.0)
    wanted = parser.parse_args()
    machine = describe()
    samples = speech(wanted.minutes)
    rows: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for model in wanted.model or ["tiny.en"]:
            known = fetch() / f"whisper-{model}"
            settings = load_settings(DATA_DIR=scratch, SPEECH_DEVICE=wanted.device)
            transcriber = WhisperTranscriber(settings, str(known) if known.is_dir() else model)
            transcriber.load()
            rows[model] = {"errors": word_errors(transcriber, Path(scratch)), "streams": []}
            print(model, json.dumps(rows[model]["errors"]), file=sys.stderr, flush=True)
            for count in range(1, wanted.streams + 1):
                row = measure(transcriber, samples, count, Path(scratch))
                rows[model]["streams"].append(row)
                print(model, json.dumps(row), file=sys.stderr, flush=True)
                if row["final_p95"] > SLOW_SECONDS:
                    break
    card = machine["gpu"]["name"].replace(" ", "-") if wanted.device == "cuda" else None
    out = FOLDER / (f"live-{card}.json" if card else "live.json")
    note = {
        "delays": "seconds from the end of a word, as the file path times it, to its first "
        f"appearance and to its final; the browser's pieces of {PIECE_SECONDS:.0f} s are not included",
        "differs_percent": "words that differ from the file path of the same model",
        "load": "seconds of passes for a second of speech",
    }
    result = {"command": "make bench-live", "machine": machine, "note": note, "models": rows}
    out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
