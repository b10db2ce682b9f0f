"""Run faster-whisper's batched pipeline, sharing the device with other requests."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from faster_whisper import BatchedInferencePipeline, WhisperModel
from faster_whisper.transcribe import TranscriptionOptions

from reflector.media.decode import SAMPLE_RATE
from reflector.speech.engines import Checkpoint
from reflector.speech.fallback import TEMPERATURES, better, judge, longest_gap
from reflector.speech.languages import LIKELY_LANGUAGE, Spoken
from reflector.speech.parallel import ParallelWhisper, as_array, as_view, joined, ranges
from reflector.speech.scheduler import DeviceScheduler, Priority

log = logging.getLogger(__name__)

Segments = list[dict[str, Any]]

# With a lower probability, a window counts as spoken in the recording's language
SURE_LANGUAGE = 0.8


@dataclass(frozen=True)
class Windows:
    """Windows to decode.

    `features`: float32[windows, mels, frames]. `prompts` are the tokens before the text of each.
    `language_at` is the position of the language in a prompt, if it is to be detected for each
    window. A detected language is written there if its probability is at least `least_sure`; None
    never writes it.
    """

    features: Any
    prompts: list[list[int]]
    language_at: int | None
    least_sure: float | None = None

    def __len__(self) -> int:
        return len(self.prompts)

    def in_parts(self, count: int) -> list[Windows]:
        """Return at most `count` parts of about the same size."""
        return [
            Windows(self.features[part], self.prompts[part], self.language_at, self.least_sure)
            for part in ranges(len(self), count)
        ]


@dataclass(frozen=True)
class Decoded:
    """The result for several windows: their encoding, likeliest texts, and detected languages.

    `spoken` is empty if the languages were not detected.
    """

    encoded: Any
    results: list[Any]
    spoken: list[Spoken]


class SharedPipeline(BatchedInferencePipeline):  # type: ignore[misc]
    """A pipeline for one block of one request; all of them share the model.

    faster-whisper keeps the time of the last word in the object, so two blocks must not share one.

    `spoken` is the language of each window so far, if the model knows several. With
    `follows_language`, a window is decoded in its language if that is sure. `without_words` is the
    seconds between words that were detected as speech but gave none.

    Results of a batch are stored in `checkpoint`, under `place` and the positions of its windows. They
    are reused if the recording is started again.
    """

    def __init__(
        self,
        model: ParallelWhisper,
        turns: DeviceScheduler,
        priority: Priority,
        check: Callable[[], None],
        checkpoint: Checkpoint,
        room: int,
        place: str,
        samples: Any,
        follows_language: bool,
    ) -> None:
        super().__init__(model)
        self._follows_language = follows_language
        self._turns, self._priority, self._check = turns, priority, check
        self._checkpoint, self._room, self._place = checkpoint, room, place
        self._samples = samples
        self._speech: Any = None
        self._spoken: list[Spoken] = []  # of the current batch
        self.spoken: list[Spoken] = []
        self.without_words = 0.0

    def forward(self, features: Any, tokenizer: Any, chunks_metadata: Any, options: Any) -> Any:
        windows = [(chunk["offset"], chunk["duration"]) for chunk in chunks_metadata]
        key = json.dumps([self._place, tokenizer.language_code, windows])
        if (known := self._checkpoint.get(key)) is not None:
            self.last_speech_timestamp = known["last"]
            self.spoken += [Spoken(*each) for each in known["spoken"]]
            self.without_words += known["without_words"]
            return known["found"]
        found = super().forward(features, tokenizer, chunks_metadata, options)
        found = self._thorough(found, chunks_metadata, tokenizer, options)
        # Convert numpy's numbers to JSON's, so that new and stored results are alike
        plain = json.loads(json.dumps(found, default=float))
        self.spoken += self._spoken
        missing = sum(
            judge(segments, chunk["offset"], chunk["duration"]).missing
            for segments, chunk in zip(plain, chunks_metadata, strict=True)
            if segments
        )
        self.without_words += missing
        self._checkpoint[key] = {
            "found": plain,
            "last": float(self.last_speech_timestamp),
            "without_words": missing,
            "spoken": [[each.language, float(each.probability)] for each in self._spoken],
        }
        return plain

    def _thorough(
        self, windows: list[Segments], chunks: Sequence[Any], tokenizer: Any, options: Any
    ) -> list[Segments]:
        """Return `windows` with the doubtful ones decoded again, more slowly."""
        # A live request needs its words fast
        if not options.word_timestamps or self._priority is Priority.LIVE:
            return windows
        doubtful = [
            number
            for number, (segments, chunk) in enumerate(zip(windows, chunks, strict=True))
            if judge(segments, chunk["offset"], chunk["duration"]).is_bad
        ]

        def decode(number: int) -> Segments:
            chunk = chunks[number]
            window = self._window(chunk["offset"], chunk["duration"], options)
            language = self._language_of(number, tokenizer, options)
            return self._decode_again(window, chunk["offset"], language, tokenizer, options)

        result = list(windows)
        for part in ranges(len(doubtful), -(-len(doubtful) // self.model.workers)):
            numbers = doubtful[part]
            with self._turns.turn(self._priority, self._check):
                again = self.model.share_out(decode, numbers)
            for number, segments in zip(numbers, again, strict=True):
                chunk = chunks[number]
                if better(windows[number], segments, chunk["offset"], chunk["duration"]):
                    result[number] = segments
                result[number] = self._with_gap(result[number], chunk, tokenizer, options)
        return result

    def _with_gap(
        self, segments: Segments, chunk: Any, tokenizer: Any, options: TranscriptionOptions
    ) -> Segments:
        """Return `segments`, completed by a stretch in another language.

        It is the longest stretch without words, if another language is detected there. A window may
        begin in one language and end in another.
        """
        gap = longest_gap(segments, chunk["offset"], chunk["duration"])
        if gap is None or not self.model.model.is_multilingual:
            return segments
        samples = self._window(gap[0], gap[1] - gap[0], options)
        with self._turns.turn(self._priority, self._check):
            language, probability, _ = self.model.detect_language(
                features=self.model.feature_extractor(samples)
            )
            if language == tokenizer.language_code or probability < LIKELY_LANGUAGE:
                return segments
            self._spoken.append(Spoken(language, probability))
            if not self._follows_language:
                return segments
            found = self._decode_again(samples, gap[0], language, tokenizer, options)
        if judge(found, gap[0], gap[1] - gap[0]).is_looped:
            return segments
        return sorted([*segments, *found], key=lambda segment: segment["start"])

    def _language_of(self, number: int, tokenizer: Any, options: TranscriptionOptions) -> str:
        """Return the language in which to decode doubtful window `number` of the batch again."""
        if self._spoken:
            spoken = self._spoken[number]
            likely = self._follows_language and spoken.probability >= LIKELY_LANGUAGE
            if options.multilingual or likely:
                return spoken.language
        return str(tokenizer.language_code)

    def _decode_again(
        self,
        samples: Any,
        start: float,
        language: str,
        tokenizer: Any,
        options: TranscriptionOptions,
    ) -> Segments:
        """Return segments of `samples`, which begin at `start` seconds of the speech."""
        found, _ = self.model.transcribe(
            samples,
            language=language,
            task=self._task(tokenizer),
            beam_size=options.beam_size,
            word_timestamps=True,
            temperature=TEMPERATURES,
            hotwords=options.hotwords,
            initial_prompt=options.initial_prompt,
        )
        return [_as_dict(segment, start) for segment in found]

    def _task(self, tokenizer: Any) -> str:
        translate = self.model.hf_tokenizer.token_to_id("<|translate|>")
        return (
            "translate"
            if tokenizer.task is not None and tokenizer.task == translate
            else "transcribe"
        )

    def _window(self, start: float, seconds: float, options: TranscriptionOptions) -> Any:
        """Return the window's speech as the batched pass heard it: float32[n], 16 kHz."""
        if self._speech is None:
            clips = options.clip_timestamps
            pieces = [self._samples[clip["start"] : clip["end"]] for clip in clips]
            self._speech = np.concatenate(pieces) if pieces else self._samples[:0]
        first = round(start * SAMPLE_RATE)
        return self._speech[first : first + round(seconds * SAMPLE_RATE)]

    def generate_segment_batched(
        self, features: Any, tokenizer: Any, options: TranscriptionOptions
    ) -> tuple[Any, list[dict[str, Any]]]:
        """Decode windows like the original, in one batch with windows of other requests."""
        before = tokenizer.encode(options.initial_prompt) if options.initial_prompt else []
        prompt = self.model.get_prompt(
            tokenizer, before, options.without_timestamps, hotwords=options.hotwords
        )
        detects = self.model.model.is_multilingual
        least = None
        if detects and options.multilingual:
            least = 0.0
        elif detects and self._follows_language:
            least = SURE_LANGUAGE
        language_at = prompt.index(tokenizer.language) if detects else None
        windows = Windows(features, [prompt] * len(features), language_at, least)
        # CTranslate2 requires prompts of one length, and one set of options for all windows
        alike = replace(options, initial_prompt=None, hotwords=None, clip_timestamps=[])
        decoded = self._turns.run_batched(
            windows,
            lambda several: decode_together(self.model, several, alike),
            kind=(len(prompt), language_at, least, repr(alike)),
            size=len(windows),
            room=self._room,
            priority=self._priority,
            check=self._check,
        )
        self._spoken = decoded.spoken
        return decoded.encoded, [_output(result, options) for result in decoded.results]


def decode_together(
    model: ParallelWhisper, several: Sequence[Windows], options: TranscriptionOptions
) -> list[Decoded]:
    """Decode all windows in one batch, shared between the workers; return those of each request."""
    whole = several[0]
    if len(several) > 1:
        whole = Windows(
            np.concatenate([windows.features for windows in several]),
            [prompt for windows in several for prompt in windows.prompts],
            whole.language_at,
            whole.least_sure,
        )
    decoded = _joined(
        model.share_out(lambda part: _decode(model, part, options), whole.in_parts(model.workers))
    )
    if len(several) == 1:
        return [decoded]
    encoded, shares, start = as_array(decoded.encoded), [], 0
    for windows in several:
        end = start + len(windows)
        shares.append(
            Decoded(
                as_view(encoded[start:end]), decoded.results[start:end], decoded.spoken[start:end]
            )
        )
        start = end
    return shares


def _decode(model: WhisperModel, windows: Windows, options: TranscriptionOptions) -> Decoded:
    """Decode `windows`, in two halves if the card has no memory for the whole."""
    try:
        encoded = model.encode(windows.features)
        spoken = _spoken(model, windows, encoded)
        results = model.model.generate(
            encoded,
            _prompts(model, windows, spoken),
            beam_size=options.beam_size,
            patience=options.patience,
            length_penalty=options.length_penalty,
            max_length=_max_length(model, windows, options),
            suppress_blank=options.suppress_blank,
            suppress_tokens=options.suppress_tokens,
            return_scores=True,
            return_no_speech_prob=True,
            sampling_temperature=options.temperatures[0],
            repetition_penalty=options.repetition_penalty,
            no_repeat_ngram_size=options.no_repeat_ngram_size,
        )
        return Decoded(encoded, results, spoken)
    except RuntimeError as error:
        if "out of memory" not in str(error) or len(windows) == 1:
            raise
    log.warning("no memory on the card for %d windows at once: in two halves", len(windows))
    return _joined([_decode(model, half, options) for half in windows.in_parts(2)])


def _joined(parts: Sequence[Decoded]) -> Decoded:
    if len(parts) == 1:
        return parts[0]
    encoded = joined([as_array(part.encoded) for part in parts])
    return Decoded(
        as_view(encoded),
        [result for part in parts for result in part.results],
        [each for part in parts for each in part.spoken],
    )


def _spoken(model: WhisperModel, windows: Windows, encoded: Any) -> list[Spoken]:
    if windows.language_at is None:
        return []
    found = model.model.detect_language(encoded)
    return [Spoken(likely[0][0][2:-2], likely[0][1]) for likely in found]


def _prompts(model: WhisperModel, windows: Windows, spoken: list[Spoken]) -> list[list[int]]:
    if windows.language_at is None or windows.least_sure is None:
        return windows.prompts
    prompts = [list(prompt) for prompt in windows.prompts]
    for prompt, each in zip(prompts, spoken, strict=True):
        if each.probability >= windows.least_sure:
            token = model.hf_tokenizer.token_to_id(f"<|{each.language}|>")
            prompt[windows.language_at] = token
    return prompts


def _max_length(model: WhisperModel, windows: Windows, options: TranscriptionOptions) -> int:
    longest = int(model.max_length)
    if options.max_new_tokens is None:
        return longest
    return min(len(windows.prompts[0]) + int(options.max_new_tokens), longest)


def _as_dict(segment: Any, start: float) -> dict[str, Any]:
    """Return a segment of the sequential pipeline in the batched form, `start` seconds later."""
    return {
        "text": segment.text,
        "avg_logprob": segment.avg_logprob,
        "no_speech_prob": segment.no_speech_prob,
        "tokens": segment.tokens,
        "start": start + segment.start,
        "end": start + segment.end,
        "compression_ratio": segment.compression_ratio,
        "seek": segment.seek,
        "words": [
            {
                "start": start + word.start,
                "end": start + word.end,
                "word": word.word,
                "probability": word.probability,
            }
            for word in segment.words or []
        ],
    }


def _output(result: Any, options: TranscriptionOptions) -> dict[str, Any]:
    tokens = result.sequences_ids[0]
    total = result.scores[0] * len(tokens) ** options.length_penalty
    return {
        "avg_logprob": total / (len(tokens) + 1),
        "no_speech_prob": result.no_speech_prob,
        "tokens": tokens,
    }
