"""Tell speakers apart with pyannote.audio, from a local folder or the hub."""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import astuple, dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import reflector.speech  # noqa: F401 - sets the environment before pyannote.audio loads
from reflector.errors import EngineError, ModelUnavailable
from reflector.media.decode import SAMPLE_RATE, PcmAudio
from reflector.runtime.malloc import keep_large_arrays_out_of_the_heap
from reflector.runtime.settings import Settings
from reflector.speech.blocks import blocks
from reflector.speech.device import choose_device
from reflector.speech.engines import (
    Checkpoint,
    Diarization,
    DiarizeOptions,
    EngineReport,
    Progress,
    shown_model,
)
from reflector.speech.fingerprint import fingerprint
from reflector.speech.linking import absorb_small, link_speakers, mean_voices
from reflector.speech.pipelines import ORDER, PipelineFolder, fetch_pipeline, find_pipeline
from reflector.transcript.assembly import Turn, by_speaker, united

log = logging.getLogger(__name__)

# pyannote.audio clusters all windows of a block at once, in memory that grows with their square:
# 3,000 windows with two active speakers each take 150 MB. That is 50 minutes at its usual step of
# one second.
MAX_WINDOWS = 3000
MIN_BLOCK_SECONDS = 600.0
NOT_INSTALLED = (
    "pyannote.audio is not installed here, so speakers cannot be told apart.",
    "Install the `diarization` extra, or set DIARIZATION_ENABLED=false.",
)
SEGMENTATION_BATCH, CARD_EMBEDDING_BATCH = 32, 32
# The second of the two passes over the audio takes most of the time
SHARE = {"segmentation": (0.0, 0.3), "embeddings": (0.3, 0.7)}


@dataclass(frozen=True)
class _Block:
    """The result for one block. `voices` is float[speakers, dimension], by speaker number."""

    turns: list[Turn]
    overlapping: list[Turn]
    voices: NDArray[np.float64]

    def as_json(self) -> dict[str, Any]:
        return {
            "turns": [astuple(turn) for turn in self.turns],
            "overlapping": [astuple(turn) for turn in self.overlapping],
            "voices": self.voices.tolist(),
            "dimension": self.voices.shape[-1],
        }

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> _Block:
        return cls(
            [Turn(*turn) for turn in kept["turns"]],
            [Turn(*turn) for turn in kept["overlapping"]],
            np.array(kept["voices"], np.float64).reshape(len(kept["voices"]), kept["dimension"]),
        )


class PyannoteDiarizer:
    """Implement `Diarizer`. The pipeline is loaded at first use and stays loaded."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._device = "cpu"
        self._threads = settings.SPEECH_THREADS or len(os.sched_getaffinity(0))
        self._lock = threading.Lock()
        self._pipeline: Any = None
        self._loaded: str | None = None
        self._identity: str | None = None

    @property
    def model_name(self) -> str:
        """The model that is loaded, or would be."""
        if self._loaded:
            return self._loaded
        if chosen := self._settings.DIARIZATION_MODEL:
            return chosen
        found = find_pipeline(self._settings)
        return found.name if found else ORDER[0]

    def identity(self) -> str:
        return self._identity or _identity_of(fetch_pipeline(self._settings))

    def prepare(self) -> None:
        if find_spec("pyannote") is None:
            raise ModelUnavailable(*NOT_INSTALLED)
        fetch_pipeline(self._settings)

    def load(self) -> None:
        with self._lock:
            if self._pipeline is None:
                keep_large_arrays_out_of_the_heap()
                started = time.monotonic()
                try:
                    import torch

                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore")  # torchcodec, which is not used
                        from pyannote.audio import Pipeline
                except (ImportError, OSError) as error:
                    raise ModelUnavailable(*NOT_INSTALLED) from error
                found = fetch_pipeline(self._settings)
                pipeline = _open(Pipeline, found.path)
                self._device = self._use_device(pipeline, torch)
                self._identity = _identity_of(found)
                self._pipeline, self._loaded = pipeline, found.name
                log.info(
                    "loaded %s on %s in %.1f s",
                    found.name, self._device, time.monotonic() - started,
                )  # fmt: skip

    def _use_device(self, pipeline: Any, torch: Any) -> str:
        chosen = choose_device(self._settings.SPEECH_DEVICE, self._settings.SPEECH_THREADS)
        cuda = chosen.kind == "cuda" and torch.cuda.is_available()
        if chosen.kind == "cuda" and not cuda:
            log.warning("speakers are told apart on the CPU: this build of torch knows no CUDA")
        if cuda:
            pipeline.to(torch.device(chosen.last))
        else:
            torch.set_num_threads(self._threads)
        # Larger batches of embeddings are slower on a CPU (docs/architecture.md)
        pipeline.segmentation_batch_size = SEGMENTATION_BATCH
        pipeline.embedding_batch_size = CARD_EMBEDDING_BATCH if cuda else 1
        return "cuda" if cuda else "cpu"

    def diarize(
        self,
        audio: PcmAudio,
        options: DiarizeOptions,
        progress: Progress,
        checkpoint: Checkpoint | None = None,
    ) -> Diarization:
        """Return turns of `audio`, one speaker at a time; speakers are numbered from 0."""
        self.load()
        pipeline = self._pipeline
        started = time.monotonic()
        step = float(pipeline._segmentation.step)
        ranges = list(blocks(audio, max(MIN_BLOCK_SECONDS, MAX_WINDOWS * step)))
        known = {} if checkpoint is None else checkpoint
        found = []
        for start, end in ranges:
            key = json.dumps(
                [self.identity(), start, end, options.min_speakers, options.max_speakers]
            )
            if key not in known:
                block = self._block(pipeline, audio, start, end, options, progress)
                known[key] = block.as_json()
            found.append(_Block.from_json(known[key]))
        voices = [block.voices for block in found]
        numbers = link_speakers(voices, options)
        overlapping = [block.overlapping for block in found]
        seconds = {
            speaker: sum(turn.duration for turn in spoken)
            for speaker, spoken in by_speaker(_numbered(overlapping, numbers)).items()
        }
        numbers = absorb_small(voices, numbers, seconds, options)
        turns = _numbered([block.turns for block in found], numbers)
        progress(audio.duration)
        return Diarization(
            turns=turns,
            overlapping=united(_numbered(overlapping, numbers)),
            speakers=len({turn.speaker for turn in turns}),
            report=EngineReport(
                self.model_name, self._device, "float32", audio.duration, time.monotonic() - started
            ),
            voices=mean_voices(voices, numbers),
        )

    def _block(
        self,
        pipeline: Any,
        audio: PcmAudio,
        start: int,
        end: int,
        options: DiarizeOptions,
        progress: Progress,
    ) -> _Block:
        import torch

        offset, seconds = start / SAMPLE_RATE, (end - start) / SAMPLE_RATE

        def hook(name: str, *_: object, completed: int = 0, total: int = 0, **__: object) -> None:
            if name in SHARE and total:
                before, share = SHARE[name]
                progress(offset + seconds * (before + share * min(1.0, completed / total)))

        samples = torch.from_numpy(audio.read(start, end))[None]
        limits = {"min_speakers": options.min_speakers, "max_speakers": options.max_speakers}
        given = {name: value for name, value in limits.items() if value is not None}
        file = {"waveform": samples, "sample_rate": SAMPLE_RATE, "uri": "audio"}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pyannote.audio warns about each short block
            result = _within_memory(pipeline, lambda: pipeline(file, hook=hook, **given))
        labels = result.speaker_diarization.labels()
        return _Block(
            _turns(result.exclusive_speaker_diarization, labels, offset),
            _turns(result.speaker_diarization, labels, offset),
            np.asarray(result.speaker_embeddings, np.float64),
        )


def _numbered(blocks: list[list[Turn]], numbers: list[list[int]]) -> list[Turn]:
    """Return turns of all blocks, with the speakers' numbers in the whole recording."""
    return [
        replace(turn, speaker=known[turn.speaker])
        for turns, known in zip(blocks, numbers, strict=True)
        for turn in turns
    ]


def _identity_of(found: PipelineFolder) -> str:
    return f"pyannote {shown_model(found.name)} {fingerprint(found.path)}"


def _open(pipeline: Any, folder: Path) -> Any:
    # The pipeline may bring classes that pyannote.audio does not have. A checkpoint is a pickle, so
    # whoever provides the folder can run code anyway.
    code = folder / "code"
    if code.is_dir() and str(code) not in sys.path:
        sys.path.append(str(code))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return pipeline.from_pretrained(str(folder))
    except Exception as error:
        raise ModelUnavailable(
            f"The diarization pipeline in {folder} cannot be loaded: {error}"
        ) from error


def _within_memory(pipeline: Any, work: Callable[[], Any]) -> Any:
    """Run `work`, with smaller batches from now on if the card runs out of memory.

    Raises EngineError if a batch of one does not fit.
    """
    import torch

    while True:
        try:
            return work()
        except torch.OutOfMemoryError as error:
            batch = max(pipeline.segmentation_batch_size, pipeline.embedding_batch_size) // 2
            if batch == 0:
                raise EngineError(
                    "The card has no memory left to tell speakers apart.",
                    "Choose a smaller WHISPER_MODEL, or give the diarizer a card of its own with "
                    "SPEECH_DEVICE=cuda:0,1.",
                ) from error
            log.warning("no memory on the card: batches of %d from now on", batch)
            pipeline.segmentation_batch_size = pipeline.embedding_batch_size = batch
        finally:
            if torch.cuda.is_available():
                torch.cuda.empty_cache()  # the recogniser has its own allocator


def _turns(annotation: Any, labels: list[str], offset: float) -> list[Turn]:
    return [
        Turn(offset + float(span.start), offset + float(span.end), labels.index(label))
        for span, _, label in annotation.itertracks(yield_label=True)
    ]
