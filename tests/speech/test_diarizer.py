"""Who speaks: pyannote.audio on the tiny model, and speakers linked across blocks."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reflector.errors import EngineError, ModelUnavailable
from reflector.media.decode import SAMPLE_RATE, PcmAudio, decode
from reflector.runtime.settings import Settings
from reflector.speech import diarizer
from reflector.speech.blocks import blocks
from reflector.speech.diarizer import PyannoteDiarizer
from reflector.speech.engines import Diarization, DiarizeOptions
from reflector.speech.linking import absorb_small, link_speakers
from reflector.speech.registry import SpeechEngines
from reflector.speech_service.checkpoint import CheckpointFile
from tests.conftest import HELD_OUT, SAMPLE, needs_diarization, reference

LIMIT = 0.15


def error_rate(found: Diarization, recording: Path) -> float:
    from pyannote.core import Annotation, Segment
    from pyannote.metrics.diarization import DiarizationErrorRate

    meeting = reference(recording)
    said, heard = Annotation(), Annotation()
    for index, (start, end, name) in enumerate(meeting.turns):
        said[Segment(start, end), index] = name
    for index, turn in enumerate(found.turns):
        heard[Segment(turn.start, turn.end), index] = turn.speaker
    return float(DiarizationErrorRate()(said, heard, uem=Segment(0, meeting.duration)))


def diarize(engines: SpeechEngines, recording: Path, folder: Path, **options: int) -> Diarization:
    path = folder / "a.s16"
    with recording.open("rb") as source:
        decode(source, path)
    assert engines.diarizer is not None
    return engines.diarizer.diarize(PcmAudio(path), DiarizeOptions(**options), lambda _: None)


@needs_diarization
@pytest.mark.parametrize(
    ("recording", "speakers"), [(SAMPLE, 3), (HELD_OUT, 2)], ids=["sample", "held-out"]
)
def test_speakers_are_told_apart(
    engines: SpeechEngines, tmp_path: Path, recording: Path, speakers: int
) -> None:
    found = diarize(engines, recording, tmp_path)
    assert found.speakers == speakers
    assert error_rate(found, recording) < LIMIT
    ordered = sorted(found.turns, key=lambda turn: turn.start)
    assert all(left.end <= right.start + 1e-6 for left, right in pairwise(ordered))


@needs_diarization
def test_speakers_keep_their_numbers_across_blocks(
    engines: SpeechEngines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diarizer, "MIN_BLOCK_SECONDS", 40.0)
    monkeypatch.setattr(diarizer, "MAX_WINDOWS", 1)
    found = diarize(engines, SAMPLE, tmp_path)
    assert found.speakers == 3
    assert error_rate(found, SAMPLE) < LIMIT


@needs_diarization
def test_block_that_was_done_is_not_computed_again(
    engines: SpeechEngines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diarizer, "MIN_BLOCK_SECONDS", 40.0)
    monkeypatch.setattr(diarizer, "MAX_WINDOWS", 1)
    expected = diarize(engines, SAMPLE, tmp_path)
    audio, kept = PcmAudio(tmp_path / "a.s16"), CheckpointFile(tmp_path / "checkpoint.jsonl")
    engine = engines.diarizer
    assert isinstance(engine, PyannoteDiarizer)

    def stop(seconds: float) -> None:
        if seconds > 60:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), kept:
        engine.diarize(audio, DiarizeOptions(), stop, kept)
    done = len(kept)
    assert done >= 1
    computed: list[int] = []
    original = engine._block

    def counted(pipeline: Any, audio: PcmAudio, start: int, *rest: Any) -> Any:
        computed.append(start)
        return original(pipeline, audio, start, *rest)

    monkeypatch.setattr(engine, "_block", counted)
    with CheckpointFile(tmp_path / "checkpoint.jsonl") as again:
        found = engine.diarize(audio, DiarizeOptions(), lambda _: None, again)
    assert found.turns == expected.turns
    assert found.voices == expected.voices
    assert len(computed) == len(again) - done


@needs_diarization
def test_card_without_memory_gets_smaller_batches_and_then_says_so() -> None:
    import torch

    class Pipeline:
        segmentation_batch_size = 32
        embedding_batch_size = 32

    pipeline, tried = Pipeline(), []

    def work(limit: int) -> str:
        tried.append(pipeline.embedding_batch_size)
        if pipeline.embedding_batch_size > limit:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return "done"

    assert diarizer._within_memory(pipeline, lambda: work(8)) == "done"
    assert tried == [32, 16, 8]
    with pytest.raises(EngineError, match="cuda:0,1"):
        diarizer._within_memory(pipeline, lambda: work(0))


@needs_diarization
def test_number_of_speakers_can_be_given(engines: SpeechEngines, tmp_path: Path) -> None:
    assert diarize(engines, SAMPLE, tmp_path, min_speakers=2, max_speakers=2).speakers == 2


@needs_diarization
def test_silence_has_no_speakers(engines: SpeechEngines, tmp_path: Path) -> None:
    path = tmp_path / "a.s16"
    np.zeros(SAMPLE_RATE * 5, np.int16).tofile(path)
    assert engines.diarizer is not None
    found = engines.diarizer.diarize(PcmAudio(path), DiarizeOptions(), lambda _: None)
    assert found.turns == []


@needs_diarization
@pytest.mark.parametrize(
    "content", [None, "not: a pipeline\n", "pipeline: {name: no.such.Class}\n"]
)
def test_folder_that_is_no_pipeline_is_one_sentence(
    make_settings: Callable[..., Settings], tmp_path: Path, content: str | None
) -> None:
    folder = tmp_path / "pipeline"
    folder.mkdir()
    if content:
        (folder / "config.yaml").write_text(content)
    engine = PyannoteDiarizer(make_settings(DIARIZATION_MODEL=str(folder)))
    path = tmp_path / "a.s16"
    np.zeros(SAMPLE_RATE, np.int16).tofile(path)
    with pytest.raises(ModelUnavailable) as refused:
        engine.diarize(PcmAudio(path), DiarizeOptions(), lambda _: None)
    assert str(folder) in refused.value.message
    assert "\n" not in str(refused.value)


@needs_diarization
def centroids(*angles: float) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return np.array([[np.cos(a), np.sin(a)] for a in angles])


def test_same_voice_in_two_blocks_is_one_speaker() -> None:
    numbers = link_speakers([centroids(0.0, 1.5), centroids(1.55, 0.05)], DiarizeOptions())
    assert numbers == [[0, 1], [1, 0]]


def test_new_voice_in_a_later_block_is_a_new_speaker() -> None:
    numbers = link_speakers([centroids(0.0), centroids(3.0), centroids(0.1, 3.1)], DiarizeOptions())
    assert numbers == [[0], [1], [0, 1]]


def test_two_speakers_of_one_block_are_never_joined() -> None:
    assert link_speakers([centroids(0.0, 0.01)], DiarizeOptions()) == [[0, 1]]


def test_at_most_as_many_speakers_as_were_given() -> None:
    options = DiarizeOptions(max_speakers=1)
    assert link_speakers([centroids(0.0), centroids(2.5)], options) == [[0], [0]]


def test_blocks_without_speakers() -> None:
    empty = np.zeros((0, 2))
    assert link_speakers([empty, centroids(1.0), empty], DiarizeOptions()) == [[], [0], []]


def test_a_cluster_of_a_second_is_whom_it_sounds_like() -> None:
    blocks_, numbers = [centroids(0.0, 1.5), centroids(0.1, 1.2)], [[0, 1], [0, 2]]
    seconds = {0: 100.0, 1: 40.0, 2: 1.2}
    assert absorb_small(blocks_, numbers, seconds, DiarizeOptions()) == [[0, 1], [0, 1]]


def test_numbers_have_no_gap_where_one_was_absorbed() -> None:
    numbers = absorb_small(
        [centroids(0.0, 1.5, 3.0)], [[0, 1, 2]], {0: 60.0, 1: 0.5, 2: 60.0}, DiarizeOptions()
    )
    assert numbers == [[0, 1, 1]]


def test_somebody_who_says_a_word_in_a_short_recording_is_a_person() -> None:
    numbers = absorb_small([centroids(0.0, 1.5)], [[0, 1]], {0: 8.0, 1: 0.6}, DiarizeOptions())
    assert numbers == [[0, 1]]


def test_as_many_people_stay_as_are_expected() -> None:
    options = DiarizeOptions(min_speakers=2)
    numbers = absorb_small([centroids(0.0, 1.5)], [[0, 1]], {0: 90.0, 1: 0.6}, options)
    assert numbers == [[0, 1]]


def test_a_small_cluster_without_a_voice_is_the_one_who_speaks_most() -> None:
    voices = np.array([[1.0, 0.0], [np.nan, np.nan], [0.0, 1.0]])
    numbers = absorb_small([voices], [[0, 1, 2]], {0: 30.0, 1: 0.2, 2: 60.0}, DiarizeOptions())
    assert numbers == [[0, 1, 1]]


def test_blocks_cover_a_recording_and_are_cut_in_its_pauses(tmp_path: Path) -> None:
    loud, quiet = np.full(SAMPLE_RATE * 9, 8000, np.int16), np.zeros(SAMPLE_RATE, np.int16)
    np.concatenate([loud, quiet] * 30).tofile(tmp_path / "a.s16")
    audio = PcmAudio(tmp_path / "a.s16")
    found = list(blocks(audio, 100.0))
    assert found[0][0] == 0
    assert found[-1][1] == audio.samples
    assert all(left[1] == right[0] for left, right in pairwise(found))
    for _, end in found[:-1]:
        assert end / SAMPLE_RATE % 10 > 9
    assert all(end - start <= 160 * SAMPLE_RATE for start, end in found)
