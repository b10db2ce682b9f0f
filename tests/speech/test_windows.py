"""Windows of several requests in one batch: the words of each alone, whatever becomes of the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from faster_whisper.audio import decode_audio, pad_or_trim
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import BatchedInferencePipeline

from reflector.speech.device import Device
from reflector.speech.parallel import ParallelWhisper, ranges
from reflector.speech.windows import Decoded, Windows, decode_together
from tests.conftest import SAMPLE, WHISPER

SECONDS = 5  # what the tiny model hears at once


@pytest.fixture(scope="module")
def model() -> ParallelWhisper:
    return ParallelWhisper(WHISPER, Device("cpu", "int8", 4), "int8")


@pytest.fixture(scope="module")
def options(model: ParallelWhisper) -> Any:
    pipeline = BatchedInferencePipeline(model)
    _, info = pipeline.transcribe(np.zeros(16_000, np.float32), language="en", temperature=0.0)
    return info.transcription_options


@pytest.fixture(scope="module")
def heard(model: ParallelWhisper) -> Callable[[int, int], Windows]:
    """Windows `first` to `last` of the sample."""
    sample = decode_audio(str(SAMPLE))
    tokenizer = Tokenizer(
        model.hf_tokenizer, model.model.is_multilingual, task="transcribe", language="en"
    )

    def heard(first: int, last: int) -> Windows:
        size = SECONDS * 16_000
        parts = [sample[n * size : (n + 1) * size] for n in range(first, last)]
        features = [pad_or_trim(model.feature_extractor(part)[..., :-1]) for part in parts]
        prompt = model.get_prompt(tokenizer, [])
        return Windows(np.stack(features), [prompt] * len(parts), None)

    return heard


def tokens(decoded: Sequence[Decoded]) -> list[list[list[int]]]:
    return [[result.sequences_ids[0] for result in each.results] for each in decoded]


def test_windows_of_three_requests_are_decoded_as_each_alone(
    model: ParallelWhisper, options: Any, heard: Callable[[int, int], Windows]
) -> None:
    requests = [heard(0, 2), heard(2, 3), heard(3, 6)]
    alone = [decode_together(model, [each], options)[0] for each in requests]
    together = decode_together(model, requests, options)
    assert tokens(together) == tokens(alone)
    assert any(any(each) for each in tokens(together))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_allclose(np.asarray(other.encoded), np.asarray(one.encoded), atol=1e-2)


def test_batch_too_large_for_the_card_is_halved_until_it_fits(
    model: ParallelWhisper,
    options: Any,
    heard: Callable[[int, int], Windows],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = heard(0, 5)
    expected = tokens(decode_together(model, [whole], options))
    sizes: list[int] = []

    def encode(features: Any) -> Any:
        sizes.append(len(features))
        if len(features) > 2:
            raise RuntimeError("CUDA failed with error out of memory")
        return ParallelWhisper.encode(model, features)

    monkeypatch.setattr(model, "encode", encode)
    decoded = decode_together(model, [whole], options)
    assert tokens(decoded) == expected
    assert sizes == [5, 2, 3, 1, 2]
    assert np.asarray(decoded[0].encoded).shape[0] == 5


def test_other_errors_of_the_card_are_not_taken_for_want_of_memory(
    model: ParallelWhisper,
    options: Any,
    heard: Callable[[int, int], Windows],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def encode(_: Any) -> Any:
        raise RuntimeError("CUDA failed with error an illegal memory access was encountered")

    monkeypatch.setattr(model, "encode", encode)
    with pytest.raises(RuntimeError, match="illegal memory access"):
        decode_together(model, [heard(0, 4)], options)


def test_token_limit_of_a_request_ends_its_windows(
    model: ParallelWhisper, options: Any, heard: Callable[[int, int], Windows]
) -> None:
    (decoded,) = decode_together(model, [heard(0, 3)], replace(options, max_new_tokens=3))
    assert max(len(result.sequences_ids[0]) for result in decoded.results) <= 3


@pytest.mark.parametrize("workers", [2, 3])
def test_several_workers_find_what_one_finds(
    model: ParallelWhisper, options: Any, heard: Callable[[int, int], Windows], workers: int
) -> None:
    several = ParallelWhisper(WHISPER, Device("cpu", "int8", 4, workers=workers), "int8")
    requests = [heard(0, 5), heard(5, 6)]
    expected = decode_together(model, requests, options)
    found = decode_together(several, requests, options)
    assert tokens(found) == tokens(expected)
    tokenizer = Tokenizer(
        model.hf_tokenizer, model.model.is_multilingual, task="transcribe", language="en"
    )
    text = [
        [token for token in result.sequences_ids[0] if token < tokenizer.eot]
        for result in expected[0].results
    ]
    times = [
        each.find_alignment(tokenizer, text, decoded[0].encoded, [SECONDS * 100] * len(text))
        for each, decoded in ((model, expected), (several, found))
    ]
    words = [
        [(word["word"], float(word["start"])) for window in t for word in window] for t in times
    ]
    assert words[0]
    assert words[0] == words[1]


def test_error_of_one_worker_is_told_when_all_have_ended(model: ParallelWhisper) -> None:
    several = ParallelWhisper(WHISPER, Device("cpu", "int8", 4, workers=2), "int8")
    ended: list[int] = []

    def do(part: int) -> int:
        ended.append(part)
        if part == 1:
            raise ZeroDivisionError
        return part

    with pytest.raises(ZeroDivisionError):
        several.share_out(do, [1, 2, 3])
    assert sorted(ended) == [1, 2, 3]
    assert several.share_out(lambda part: part, [2, 3]) == [2, 3]


@pytest.mark.parametrize(
    ("count", "parts", "sizes"), [(1, 4, [1]), (4, 2, [2, 2]), (5, 3, [1, 2, 2])]
)
def test_no_worker_gets_nothing(count: int, parts: int, sizes: list[int]) -> None:
    assert [part.stop - part.start for part in ranges(count, parts)] == sizes
