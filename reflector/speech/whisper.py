"""Recognise words with faster-whisper: batched, with word times, guarded against made-up words."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import reflector.speech  # noqa: F401 - sets the environment before CTranslate2 loads
from reflector.errors import ModelUnavailable, UnknownLanguage
from reflector.media.decode import SAMPLE_RATE, PcmAudio
from reflector.runtime.malloc import keep_large_arrays_out_of_the_heap
from reflector.runtime.settings import Settings
from reflector.speech import guards, languages
from reflector.speech.blocks import blocks
from reflector.speech.context import fitting
from reflector.speech.device import choose_device
from reflector.speech.engines import (
    Checkpoint,
    EngineReport,
    Heard,
    Phrase,
    Progress,
    TranscribeOptions,
    Transcription,
    shown_model,
)
from reflector.speech.fingerprint import fingerprint
from reflector.speech.models import WhisperModelFolder, default_whisper_model, fetch_whisper
from reflector.speech.scheduler import DeviceScheduler
from reflector.transcript.formats import minutes
from reflector.transcript.language_codes import spoken_language
from reflector.transcript.words import Word, monotone

log = logging.getLogger(__name__)

# As many windows of dense speech as a card takes at once
BLOCK_SECONDS = 480
# For the start of a long recording, so that its first words come soon
FIRST_BLOCK_SECONDS, LONG_SECONDS = 60, 300


@dataclass(frozen=True)
class _Block:
    """A part of a recording, from `offset` to `end` in seconds. `segments` is lazy."""

    offset: float
    end: float
    samples: Any
    segments: Iterable[Any]
    info: Any
    pipeline: Any


class WhisperTranscriber:
    """Implement `Transcriber`. The model is loaded at first use and stays loaded."""

    def __init__(self, settings: Settings, model: str | None = None) -> None:
        self._settings = settings
        self.device = choose_device(settings.SPEECH_DEVICE, settings.SPEECH_THREADS)
        self.model_name = model or settings.whisper_model or default_whisper_model(self.device.kind)
        self.compute_type = settings.SPEECH_COMPUTE_TYPE or self.device.compute_type
        self.beam_size = settings.WHISPER_BEAM_SIZE
        self.batch_size = settings.WHISPER_BATCH_SIZE or self.device.batch_size
        self._lock = threading.Lock()
        self._turns = DeviceScheduler()
        self._model: Any = None
        self._identity: str | None = None  # of the loaded weights
        self._pipeline_class: Any = None

    def identity(self) -> str:
        return self._identity or self._identity_of(fetch_whisper(self._settings, self.model_name))

    def _identity_of(self, folder: WhisperModelFolder) -> str:
        return (
            f"whisper {shown_model(self.model_name)} {fingerprint(folder.path)} "
            f"{self.compute_type} beam {self.beam_size}"
        )

    @property
    def busy_seconds(self) -> float:
        """How long one batch has kept the device."""
        return self._turns.busy_seconds

    def prepare(self) -> None:
        fetch_whisper(self._settings, self.model_name)

    def load(self) -> None:
        with self._lock:
            if self._model is None:
                keep_large_arrays_out_of_the_heap()
                from reflector.speech.windows import SharedPipeline

                folder = fetch_whisper(self._settings, self.model_name)
                started = time.monotonic()
                self._identity = self._identity_of(folder)
                self._model = self._open(folder)
                self._pipeline_class = SharedPipeline
                log.info(
                    "loaded %s on %s (%s) in %.1f s",
                    folder.name, self.device.kind, self.compute_type, time.monotonic() - started,
                )  # fmt: skip

    def _open(self, folder: WhisperModelFolder) -> Any:
        from reflector.speech.parallel import ParallelWhisper

        try:
            expected = self._settings.speech_languages
            return ParallelWhisper(folder.path, self.device, self.compute_type, expected)
        except Exception as error:
            raise ModelUnavailable(
                f"The model in {folder.path} cannot be loaded: {_first_line(error)}",
                "Fetch it again, or give another folder.",
            ) from error

    def transcribe(
        self,
        audio: PcmAudio,
        options: TranscribeOptions,
        progress: Progress,
        heard: Heard | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> Transcription:
        """Return words of `audio`, in order, without overlap, inside its duration."""
        self.load()
        started = time.monotonic()
        options = replace(options, language=self._known_language(options.language))
        words: list[Word] = []
        phrases: list[Phrase] = []
        warnings: list[str] = []
        options = fitting(options, self._model.hf_tokenizer, warnings.append)
        language, speech, done = options.language, 0.0, 0.0
        likely: list[tuple[str, float]] = []
        spoken: list[Any] = []
        without_words = 0.0

        def pipeline(place: str, samples: Any) -> Any:
            check, kept = lambda: progress(done), {} if checkpoint is None else checkpoint
            return self._pipeline_class(
                self._model,
                self._turns,
                options.priority,
                check,
                kept,
                self.batch_size,
                place,
                samples,
                options.language is None,
            )

        for block in self._blocks(audio, options, pipeline):
            speech += block.info.duration_after_vad
            if block.info.duration_after_vad > 0:
                language = block.info.language
                likely = likely or block.info.all_language_probs or []
            for segment in block.segments:
                found = list(self._guarded(segment, block, options, warnings))
                words += found
                if found:
                    phrases.append(_phrase(segment, found))
                    if heard:
                        heard(phrases[-1])
                done = block.offset + segment.end
                progress(done)
            spoken += block.pipeline.spoken
            without_words += block.pipeline.without_words
            done = block.end
            progress(done)
        warnings += languages.remarks(language or "en", likely, spoken, without_words)
        elapsed = time.monotonic() - started
        return Transcription(
            words=monotone(words, audio.duration),
            language=language or "en",
            speech_seconds=speech,
            report=EngineReport(
                self.model_name, self.device.kind, self.compute_type, audio.duration, elapsed
            ),
            warnings=warnings,
            phrases=phrases,
        )

    def _blocks(
        self, audio: PcmAudio, options: TranscribeOptions, pipeline: Callable[[str, Any], Any]
    ) -> Iterator[_Block]:
        """Yield the recording in blocks; find speech in the next while the device runs this one."""
        ahead = ThreadPoolExecutor(1, thread_name_prefix="ahead")

        def begin(start: int, end: int, language: str | None) -> _Block:
            samples = audio.read(start, end)
            made = pipeline(f"{self.identity()} {start}", samples)
            segments, info = made.transcribe(
                samples,
                language=language,
                task=options.task.value,
                beam_size=self.beam_size,
                batch_size=self.batch_size,
                word_timestamps=True,
                hotwords=options.hotwords,
                initial_prompt=options.prompt,
                multilingual=options.multilingual and self._model.model.is_multilingual,
                temperature=options.temperature,
            )
            return _Block(start / SAMPLE_RATE, end / SAMPLE_RATE, samples, segments, info, made)

        try:
            language = options.language
            first = FIRST_BLOCK_SECONDS if audio.duration > LONG_SECONDS else None
            places = blocks(audio, BLOCK_SECONDS, first)
            coming = ahead.submit(begin, *next(places), language)
            for place in places:
                block = coming.result()
                if block.info.duration_after_vad > 0:
                    language = block.info.language
                coming = ahead.submit(begin, *place, language)
                yield block
            yield coming.result()
        finally:
            ahead.shutdown(wait=False, cancel_futures=True)

    def _known_language(self, language: str | None) -> str | None:
        """Return the code without region: `en-GB` → `en`.

        Raises UnknownLanguage if the model does not support it.
        """
        if language is None:
            return None
        code = spoken_language(language) or language.lower()
        known = self._model.supported_languages
        if self._model.model.is_multilingual and code not in known:
            raise UnknownLanguage(
                f"The model {shown_model(self.model_name)} does not know the language {language}.",
                "Choose another, or auto to detect it.",
            )
        return code

    def _guarded(
        self,
        segment: Any,
        block: _Block,
        options: TranscribeOptions,
        warnings: list[str],
    ) -> Iterator[Word]:
        """Yield the words of a segment, none if it is silence; retry a loop without context."""
        if guards.is_silence(segment.no_speech_prob, segment.avg_logprob):
            return
        words = segment.words or []
        if guards.looped_phrase([word.word for word in words]):
            words = self._again(segment, block, options)
            phrase = guards.looped_phrase([word.word for word in words])
            if phrase:
                at = minutes(block.offset + segment.start)
                warnings.append(f"At {at} the recogniser repeats “{phrase}”; check that part.")
        for word in words:
            start, end = (block.offset + float(time) for time in (word.start, word.end))
            yield Word(word.word, start, end, probability=float(word.probability))

    def _again(self, segment: Any, block: _Block, options: TranscribeOptions) -> list[Any]:
        first, last = (int(t * SAMPLE_RATE) for t in (segment.start, segment.end))
        retried, _ = self._model.transcribe(
            block.samples[first:last],
            language=block.info.language,
            task=options.task.value,
            beam_size=self.beam_size,
            word_timestamps=True,
            condition_on_previous_text=False,
            hotwords=options.hotwords,
            repetition_penalty=1.1,
            no_repeat_ngram_size=guards.MAX_PHRASE,
        )
        with self._turns.turn(options.priority):
            words = [word for part in retried for word in part.words or []]
        for word in words:
            word.start += segment.start
            word.end += segment.start
        return words


def _phrase(segment: Any, words: list[Word]) -> Phrase:
    return Phrase(
        start=words[0].start,
        end=words[-1].end,
        text="".join(word.text for word in words),
        tokens=list(segment.tokens),
        temperature=float(segment.temperature or 0.0),
        avg_logprob=float(segment.avg_logprob),
        no_speech_prob=float(segment.no_speech_prob),
        compression_ratio=float(segment.compression_ratio),
    )


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
