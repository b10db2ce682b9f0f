"""Run the product, and faster-whisper called directly in the ways that others call it."""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import jiwer
import numpy as np

from bench.accuracy.recordings import Samples
from reflector.media.decode import PcmAudio
from reflector.runtime import settings as settings_module
from reflector.speech.engines import TranscribeOptions
from reflector.speech.whisper import WhisperTranscriber

BEAM, BATCH = 5, 4


@dataclass(frozen=True)
class Score:
    """Word errors against the `words` that were said.

    `heard` is how many words came out. `seconds` is the time that it took.
    """

    errors: int
    deleted: int
    words: int
    heard: int
    seconds: float


Way = Callable[[Samples], str]


def ways(model: Path, scratch: Path) -> dict[str, Way]:
    """Return functions from samples to text, by name.

    `reference` calls faster-whisper as Reflector's model service does.
    """
    from faster_whisper import BatchedInferencePipeline, WhisperModel

    direct = WhisperModel(str(model), device="cpu", compute_type="int8", local_files_only=True)
    batched = BatchedInferencePipeline(direct)
    settings = settings_module.load(
        DATA_DIR=scratch, WHISPER_MODEL=str(model), SPEECH_DEVICE="cpu", DIARIZATION_ENABLED=False
    )
    product = WhisperTranscriber(settings)
    product.load()
    common = {"language": "en", "beam_size": BEAM, "word_timestamps": True}

    def of_product(samples: Samples) -> str:
        with tempfile.NamedTemporaryFile(dir=scratch) as file:
            path = Path(file.name)
            (samples * 32768).astype(np.int16).tofile(path)
            found = product.transcribe(
                PcmAudio(path), TranscribeOptions(language="en"), lambda _: None
            )
        return "".join(word.text for word in found.words)

    def of_reference(samples: Samples) -> str:
        found, _ = direct.transcribe(
            samples, vad_filter=True, vad_parameters={"min_silence_duration_ms": 500}, **common
        )
        return "".join(segment.text for segment in found)

    def of_batched(samples: Samples) -> str:
        found, _ = batched.transcribe(samples, batch_size=BATCH, **common)
        return "".join(segment.text for segment in found)

    return {"product": of_product, "batched": of_batched, "reference": of_reference}


def score(way: Way, samples: Samples, said: str) -> Score:
    started = time.monotonic()
    heard = plain(way(samples))
    seconds = time.monotonic() - started
    if not said:
        return Score(len(heard.split()), 0, 0, len(heard.split()), round(seconds, 2))
    found = jiwer.process_words(plain(said), heard or " ")
    errors = found.substitutions + found.deletions + found.insertions
    words = len(plain(said).split())
    return Score(errors, found.deletions, words, len(heard.split()), round(seconds, 2))


def plain(text: str) -> str:
    """Return `text` in lower case, without punctuation."""
    return " ".join(re.sub(r"[^\w' ]", " ", text.lower()).split())
