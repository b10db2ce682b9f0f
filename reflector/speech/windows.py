"""faster-whisper's batched pipeline, whose windows share the device with those of other requests."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from faster_whisper import BatchedInferencePipeline, WhisperModel
from faster_whisper.transcribe import TranscriptionOptions

from reflector.speech.engines import Memo
from reflector.speech.parallel import ParallelWhisper, as_array, as_view, joined, ranges
from reflector.speech.turns import DeviceTurns, Priority

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Windows:
    """`features`: float32[windows, mels, frames]. `prompts`: tokens before the text of each.

    `language_at`: where in a prompt the language is, if it is to be detected for each window.
    """

    features: Any
    prompts: list[list[int]]
    language_at: int | None

    def __len__(self) -> int:
        return len(self.prompts)

    def in_parts(self, count: int) -> list[Windows]:
        """At most `count` of about the same size."""
        return [
            Windows(self.features[part], self.prompts[part], self.language_at)
            for part in ranges(len(self), count)
        ]


@dataclass(frozen=True)
class Decoded:
    """What Whisper made of windows: its view of the sound, and the likeliest text of each."""

    encoded: Any
    results: list[Any]


class SharedPipeline(BatchedInferencePipeline):  # type: ignore[misc]
    """For a block of one request: faster-whisper keeps the time of the last word in the object, which
    two must not share. The model behind is shared by all.

    What a batch found goes to `memo`, under `place` and where its windows are, and is taken from
    there the next time: a recording that is begun again does not pay for it twice.
    """

    def __init__(
        self,
        model: ParallelWhisper,
        turns: DeviceTurns,
        priority: Priority,
        check: Callable[[], None],
        memo: Memo,
        room: int,
        place: str,
    ) -> None:
        super().__init__(model)
        self._turns, self._priority, self._check = turns, priority, check
        self._memo, self._room, self._place = memo, room, place

    def forward(self, features: Any, tokenizer: Any, chunks_metadata: Any, options: Any) -> Any:
        windows = [(chunk["offset"], chunk["duration"]) for chunk in chunks_metadata]
        key = json.dumps([self._place, tokenizer.language_code, windows])
        if (known := self._memo.get(key)) is not None:
            self.last_speech_timestamp = known["last"]
            return known["found"]
        found = super().forward(features, tokenizer, chunks_metadata, options)
        # JSON's numbers in place of numpy's, now and the next time alike
        plain = json.loads(json.dumps(found, default=float))
        self._memo[key] = {"found": plain, "last": float(self.last_speech_timestamp)}
        return plain

    def generate_segment_batched(
        self, features: Any, tokenizer: Any, options: TranscriptionOptions
    ) -> tuple[Any, list[dict[str, Any]]]:
        """As the original, in one run of the device with windows of other requests."""
        before = tokenizer.encode(options.initial_prompt) if options.initial_prompt else []
        prompt = self.model.get_prompt(
            tokenizer, before, options.without_timestamps, hotwords=options.hotwords
        )
        language_at = prompt.index(tokenizer.language) if options.multilingual else None
        windows = Windows(features, [prompt] * len(features), language_at)
        # CTranslate2 wants prompts of one length, and one set of options for all windows
        alike = replace(options, initial_prompt=None, hotwords=None, clip_timestamps=[])
        decoded = self._turns.together(
            windows,
            lambda several: decode_together(self.model, several, alike),
            kind=(len(prompt), language_at, repr(alike)),
            size=len(windows),
            room=self._room,
            priority=self._priority,
            check=self._check,
        )
        return decoded.encoded, [_output(result, options) for result in decoded.results]


def decode_together(
    model: ParallelWhisper, several: Sequence[Windows], options: TranscriptionOptions
) -> list[Decoded]:
    """All windows in one batch, shared out between the workers; each request gets its own back."""
    whole = several[0]
    if len(several) > 1:
        whole = Windows(
            np.concatenate([windows.features for windows in several]),
            [prompt for windows in several for prompt in windows.prompts],
            whole.language_at,
        )
    decoded = _joined(
        model.share_out(lambda part: _decode(model, part, options), whole.in_parts(model.workers))
    )
    if len(several) == 1:
        return [decoded]
    encoded, shares, start = as_array(decoded.encoded), [], 0
    for windows in several:
        end = start + len(windows)
        shares.append(Decoded(as_view(encoded[start:end]), decoded.results[start:end]))
        start = end
    return shares


def _decode(model: WhisperModel, windows: Windows, options: TranscriptionOptions) -> Decoded:
    """In two halves where the card has no memory for the whole."""
    try:
        encoded = model.encode(windows.features)
        results = model.model.generate(
            encoded,
            _prompts(model, windows, encoded),
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
        return Decoded(encoded, results)
    except RuntimeError as error:
        if "out of memory" not in str(error) or len(windows) == 1:
            raise
    log.warning("no memory on the card for %d windows at once: in two halves", len(windows))
    return _joined([_decode(model, half, options) for half in windows.in_parts(2)])


def _joined(parts: Sequence[Decoded]) -> Decoded:
    if len(parts) == 1:
        return parts[0]
    encoded = joined([as_array(part.encoded) for part in parts])
    return Decoded(as_view(encoded), [result for part in parts for result in part.results])


def _prompts(model: WhisperModel, windows: Windows, encoded: Any) -> list[list[int]]:
    if windows.language_at is None:
        return windows.prompts
    prompts = [list(prompt) for prompt in windows.prompts]
    for prompt, languages in zip(prompts, model.model.detect_language(encoded), strict=True):
        prompt[windows.language_at] = model.hf_tokenizer.token_to_id(languages[0][0])
    return prompts


def _max_length(model: WhisperModel, windows: Windows, options: TranscriptionOptions) -> int:
    longest = int(model.max_length)
    if options.max_new_tokens is None:
        return longest
    return min(len(windows.prompts[0]) + int(options.max_new_tokens), longest)


def _output(result: Any, options: TranscriptionOptions) -> dict[str, Any]:
    tokens = result.sequences_ids[0]
    total = result.scores[0] * len(tokens) ** options.length_penalty
    return {
        "avg_logprob": total / (len(tokens) + 1),
        "no_speech_prob": result.no_speech_prob,
        "tokens": tokens,
    }
