"""Speakers by pyannote.audio, from a local folder or the hub."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import reflector.speech  # noqa: F401 - sets the environment before pyannote.audio loads
from reflector.errors import ModelUnavailable
from reflector.heap import keep_large_arrays_out_of_the_heap
from reflector.media.decode import SAMPLE_RATE, PcmAudio
from reflector.settings import Settings
from reflector.speech.blocks import blocks
from reflector.speech.engines import Diarization, DiarizeOptions, EngineReport, Progress
from reflector.speech.linking import link_speakers, mean_voices
from reflector.transcript.assembly import Turn

log = logging.getLogger(__name__)

# pyannote.audio clusters all windows of a block at once, in memory that grows with their square:
# 3,000 windows with two active speakers each take 150 MB. That is 50 minutes at its usual step of
# one second.
MAX_WINDOWS = 3000
MIN_BLOCK_SECONDS = 600.0
# Of the two passes over the audio the second takes most of the time
NOT_INSTALLED = (
    "pyannote.audio is not installed here, so speakers cannot be told apart.",
    "Install the `diarization` extra, or set DIARIZATION_ENABLED=false.",
)
SHARE = {"segmentation": (0.0, 0.3), "embeddings": (0.3, 0.7)}


class PyannoteDiarizer:
    """Implements `Diarizer`; the pipeline is loaded at first use and stays."""

    def __init__(self, settings: Settings, model: str | None = None) -> None:
        self.model_name = model or settings.DIARIZATION_MODEL
        self._token = settings.HF_TOKEN.get_secret_value() if settings.HF_TOKEN else None
        self._device = settings.SPEECH_DEVICE
        self._threads = settings.SPEECH_THREADS or len(os.sched_getaffinity(0))
        self._lock = threading.Lock()
        self._pipeline: Any = None

    @property
    def name(self) -> str:
        return f"pyannote {self.model_name}"

    def prepare(self) -> None:
        if find_spec("pyannote") is None:
            raise ModelUnavailable(*NOT_INSTALLED)
        if not self._is_path:
            from huggingface_hub import try_to_load_from_cache

            if (
                self._token is None
                and try_to_load_from_cache(self.model_name, "config.yaml") is None
            ):
                raise ModelUnavailable(*self._missing())
        elif not (self._folder / "config.yaml").is_file():
            raise ModelUnavailable(*self._no_pipeline())

    @property
    def _folder(self) -> Path:
        return Path(self.model_name).expanduser()

    @property
    def _is_path(self) -> bool:
        return (
            self._folder.is_absolute() or self._folder.exists() or self.model_name.startswith(".")
        )

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
                self._pipeline = self._open(Pipeline)
                cuda = self._device != "cpu" and torch.cuda.is_available()
                if cuda:
                    self._pipeline.to(torch.device("cuda"))
                else:
                    torch.set_num_threads(self._threads)
                self._device = "cuda" if cuda else "cpu"
                log.info(
                    "loaded %s on %s in %.1f s",
                    self.model_name,
                    self._device,
                    time.monotonic() - started,
                )

    def _open(self, pipeline: Any) -> Any:
        folder, is_path = self._folder, self._is_path
        if is_path and not (folder / "config.yaml").is_file():
            raise ModelUnavailable(*self._no_pipeline())
        # Classes that pyannote.audio itself does not have may come with the pipeline. A checkpoint
        # is a pickle, so whoever may provide the folder may run code anyway.
        code = folder / "code"
        if is_path and code.is_dir() and str(code) not in sys.path:
            sys.path.append(str(code))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                loaded = pipeline.from_pretrained(
                    str(folder) if is_path else self.model_name, token=self._token
                )
        except Exception as error:
            log.debug("loading %s failed", self.model_name, exc_info=True)
            if is_path:
                raise ModelUnavailable(
                    f"The diarization pipeline in {folder} cannot be loaded: {error}"
                ) from error
            raise ModelUnavailable(*self._missing()) from error
        if loaded is None:
            raise ModelUnavailable(*self._missing())
        return loaded

    def _no_pipeline(self) -> tuple[str, str]:
        return (
            f"{self._folder} is not a diarization pipeline: config.yaml missing.",
            "Give a folder with a pyannote.audio pipeline, or its name on the hub.",
        )

    def _missing(self) -> tuple[str, str]:
        return (
            f"The diarization model {self.model_name} is not on this machine and could not be fetched.",
            "Accept its licence on the hub and set HF_TOKEN, or set DIARIZATION_MODEL to a folder "
            "that holds it, or DIARIZATION_ENABLED=false.",
        )

    def diarize(self, audio: PcmAudio, options: DiarizeOptions, progress: Progress) -> Diarization:
        """Turns of `audio`, one speaker at a time; speakers numbered from 0."""
        self.load()
        pipeline = self._pipeline
        started = time.monotonic()
        step = float(pipeline._segmentation.step)
        ranges = list(blocks(audio, max(MIN_BLOCK_SECONDS, MAX_WINDOWS * step)))
        found: list[tuple[list[Turn], NDArray[np.float64]]] = []
        for start, end in ranges:
            found.append(self._block(pipeline, audio, start, end, options, progress))
        numbers = link_speakers([centroids for _, centroids in found], options)
        turns = [
            Turn(turn.start, turn.end, numbers[index][turn.speaker])
            for index, (block, _) in enumerate(found)
            for turn in block
        ]
        progress(audio.duration)
        voices = mean_voices([centroids for _, centroids in found], numbers)
        return Diarization(
            turns=turns,
            speakers=len({turn.speaker for turn in turns}),
            report=EngineReport(
                self.model_name, self._device, "float32", audio.duration, time.monotonic() - started
            ),
            voices=voices,
        )

    def _block(
        self,
        pipeline: Any,
        audio: PcmAudio,
        start: int,
        end: int,
        options: DiarizeOptions,
        progress: Progress,
    ) -> tuple[list[Turn], NDArray[np.float64]]:
        import torch

        offset, seconds = start / SAMPLE_RATE, (end - start) / SAMPLE_RATE

        def hook(name: str, *_: object, completed: int = 0, total: int = 0, **__: object) -> None:
            if name in SHARE and total:
                before, share = SHARE[name]
                progress(offset + seconds * (before + share * min(1.0, completed / total)))

        samples = torch.from_numpy(audio.read(start, end))[None]
        limits = {"min_speakers": options.min_speakers, "max_speakers": options.max_speakers}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pyannote.audio warns about each short block
            result = pipeline(
                {"waveform": samples, "sample_rate": SAMPLE_RATE, "uri": "audio"},
                hook=hook,
                **{name: value for name, value in limits.items() if value is not None},
            )
        labels = result.speaker_diarization.labels()
        turns = [
            Turn(offset + float(span.start), offset + float(span.end), labels.index(label))
            for span, _, label in result.exclusive_speaker_diarization.itertracks(yield_label=True)
        ]
        return turns, np.asarray(result.speaker_embeddings, np.float64)
