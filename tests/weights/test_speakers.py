"""Real weights tell real people apart: pyannote's segmentation and a real speaker encoder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.accuracy.recordings import AUDIO, Samples, telephone_call
from bench.accuracy.speakers import (
    TurnErrors,
    conversations,
    with_the_right_speaker,
    words_of_the_call,
)
from bench.accuracy.voices import pipeline_of
from reflector.media.decode import SAMPLE_RATE, PcmAudio
from reflector.runtime import settings as settings_module
from reflector.speech.diarizer import PyannoteDiarizer
from reflector.speech.engines import Diarization, DiarizeOptions, TranscribeOptions
from reflector.speech.whisper import WhisperTranscriber
from reflector.transcript.assembly import assign_speakers
from tests.conftest import needs_diarization
from tools.real_models import fetch

pytestmark = [
    pytest.mark.real,
    pytest.mark.timeout(3600),
    needs_diarization,
    pytest.mark.skipif(not AUDIO.is_dir(), reason=f"{AUDIO} with real speech is not there"),
]


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("speakers")


@pytest.fixture(scope="module")
def diarizer(scratch: Path) -> PyannoteDiarizer:
    folder = pipeline_of(fetch(), scratch / "pipeline")
    return PyannoteDiarizer(
        settings_module.load(DATA_DIR=scratch, DIARIZATION_MODEL=str(folder), SPEECH_DEVICE="cpu")
    )


def pcm(samples: Samples, scratch: Path) -> PcmAudio:
    path = scratch / "a.s16"
    (samples * 32768).astype(np.int16).tofile(path)
    return PcmAudio(path)


@pytest.fixture(scope="module")
def found(diarizer: PyannoteDiarizer, scratch: Path) -> dict[str, Diarization]:
    return {
        name: diarizer.diarize(pcm(samples, scratch), DiarizeOptions(), lambda _: None)
        for name, (samples, _) in conversations().items()
    }


def errors(found: dict[str, Diarization], which: str) -> TurnErrors:
    total = TurnErrors()
    for name, (samples, turns) in conversations().items():
        total.add(turns, getattr(found[name], which), len(samples) / SAMPLE_RATE)
    return total


def test_speech_of_several_at_a_time_is_not_missed(found: dict[str, Diarization]) -> None:
    one, everyone = errors(found, "turns"), errors(found, "overlapping")
    assert everyone.missed < 0.8 * one.missed
    assert everyone.rate < 0.29 < one.rate  # 0.267 and 0.323


def test_call_of_two_has_two_speakers_and_their_turns(found: dict[str, Diarization]) -> None:
    samples, turns = conversations()["telephone call"]
    call = TurnErrors()
    call.add(turns, found["telephone call"].overlapping, len(samples) / SAMPLE_RATE)
    assert found["telephone call"].speakers == 2
    assert call.rate < 0.08


def test_nobody_is_made_up_of_a_moment_of_speech(found: dict[str, Diarization]) -> None:
    for name, diarization in found.items():
        spoken: dict[int, float] = {}
        for turn in diarization.overlapping:
            spoken[turn.speaker] = spoken.get(turn.speaker, 0.0) + turn.duration
        assert len(spoken) < 2 or min(spoken.values()) > 0.45, name


def test_words_where_two_speak_at_a_time_have_the_right_speaker(
    found: dict[str, Diarization], scratch: Path
) -> None:
    """One turn at a time alone gives 65 of 69."""
    samples, _, rttm = telephone_call()
    whisper = WhisperTranscriber(
        settings_module.load(
            DATA_DIR=scratch, WHISPER_MODEL=str(fetch() / "whisper-base"), SPEECH_DEVICE="cpu"
        )
    )
    heard = whisper.transcribe(
        pcm(samples, scratch), TranscribeOptions(language="en"), lambda _: None
    )
    call = found["telephone call"]
    words = assign_speakers(heard.words, call.turns, call.overlapping)
    right, of = with_the_right_speaker(words, words_of_the_call(rttm))
    assert of > 60
    assert of - right <= 2
