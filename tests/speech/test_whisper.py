"""The recogniser: the words of faster-whisper itself, and none from nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import jiwer
import numpy as np
import pytest
from faster_whisper import BatchedInferencePipeline, WhisperModel
from numpy.typing import NDArray

from reflector.errors import EngineError, ModelUnavailable
from reflector.media.decode import SAMPLE_RATE, PcmAudio, decode
from reflector.runtime.settings import Settings
from reflector.speech import context, whisper
from reflector.speech.engines import TranscribeOptions, Transcription
from reflector.speech.registry import SpeechEngines
from reflector.speech.whisper import WhisperTranscriber
from reflector.transcript.words import Word
from tests.conftest import SAMPLE, WHISPER
from tests.media_files import tone


def ignore(_: float) -> None:
    return None


def write_pcm(path: Path, samples: NDArray[np.floating]) -> PcmAudio:
    (np.clip(samples, -1, 1) * 32767).astype(np.int16).tofile(path)
    return PcmAudio(path)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> PcmAudio:
    path = tmp_path_factory.mktemp("pcm") / "sample.s16"
    with SAMPLE.open("rb") as source:
        decode(source, path)
    return PcmAudio(path)


@pytest.fixture
def transcribe(engines: SpeechEngines) -> Callable[..., Transcription]:
    def transcribe(audio: PcmAudio, **options: Any) -> Transcription:
        return engines.transcriber.transcribe(audio, TranscribeOptions(**options), ignore)

    return transcribe


def test_words_are_those_of_faster_whisper_called_directly(
    sample: PcmAudio, transcribe: Callable[..., Transcription]
) -> None:
    pipeline = BatchedInferencePipeline(
        WhisperModel(str(WHISPER), device="cpu", compute_type="int8")
    )
    segments, _ = pipeline.transcribe(
        str(SAMPLE), batch_size=4, word_timestamps=True, language="en"
    )
    direct = [(word.word, round(float(word.start), 2)) for s in segments for word in s.words]
    ours = transcribe(sample, language="en")
    assert [word.text for word in ours.words] == [text for text, _ in direct]
    # A window that was decoded again has its times from another pass
    starts = [start for _, start in direct]
    assert [word.start for word in ours.words] == [pytest.approx(each, abs=0.1) for each in starts]


def test_words_beyond_the_context_are_left_out_and_that_is_said(
    sample: PcmAudio, transcribe: Callable[..., Transcription]
) -> None:
    """Together they left Whisper no room for the text, which ended in an error."""
    alone = transcribe(sample, language="en")
    long = transcribe(
        sample, language="en", prompt="budget release " * 500, hotwords="Peter Maria " * 500
    )
    assert alone.warnings == []
    assert len(long.words) > 10
    assert [warning.split()[0:3] for warning in long.warnings[:2]] == [
        ["There", "are", "more"], ["The", "prompt", "is"],
    ]  # fmt: skip


@pytest.mark.parametrize("count", [1, 30, 200, 2000])
@pytest.mark.parametrize("keep_end", [False, True])
def test_context_is_cut_at_words(engines: SpeechEngines, count: int, keep_end: bool) -> None:
    engines.transcriber.load()
    tokenizer = engines.transcriber._model.hf_tokenizer  # type: ignore[attr-defined]
    words = [f"word{n}" for n in range(count)]
    kept, tokens = context._cut(tokenizer, " ".join(words), 112, keep_end=keep_end)
    part = kept.split()
    assert tokens <= 112
    assert part == (words[-len(part) :] if keep_end else words[: len(part)])
    if len(part) < count:
        more = words[-len(part) - 1 :] if keep_end else words[: len(part) + 1]
        assert len(tokenizer.encode(" " + " ".join(more), add_special_tokens=False)) > 112


def silence(seconds: float) -> NDArray[np.floating]:
    return np.zeros(int(seconds * SAMPLE_RATE))


def noise(seconds: float) -> NDArray[np.floating]:
    return np.random.default_rng(1).normal(0, 0.1, int(seconds * SAMPLE_RATE))


def tones(seconds: float) -> NDArray[np.floating]:
    """Another pitch each second, as a telephone or a hearing test gives."""
    pitches = np.geomspace(100.0, 4000.0, max(1, int(seconds)))
    return np.concatenate([0.3 * tone(1.0, frequency=float(pitch)) for pitch in pitches])


def music(seconds: float) -> NDArray[np.floating]:
    """Chords that change each half second, with a beat."""
    notes = [220.0, 261.6, 329.6, 392.0, 440.0, 523.3]
    parts = []
    for index in range(int(seconds * 2)):
        chord = sum(tone(0.5, frequency=notes[(index + k) % 6]) for k in (0, 2, 4))
        envelope = np.exp(-np.linspace(0, 4, len(tone(0.5))))
        parts.append(0.15 * np.asarray(chord) * envelope)
    return np.concatenate(parts)


@pytest.mark.parametrize("sound", [silence, noise, music], ids=lambda f: f.__name__)
def test_no_words_from_sound_without_speech(
    sound: Callable[[float], NDArray[np.floating]],
    transcribe: Callable[..., Transcription],
    tmp_path: Path,
) -> None:
    result = transcribe(write_pcm(tmp_path / "a.s16", sound(30.0)), language="en")
    assert result.words == []


@pytest.mark.parametrize("seconds", [0.02, 0.1, 0.5])
def test_very_short_recording_does_not_fail(
    seconds: float, transcribe: Callable[..., Transcription], tmp_path: Path
) -> None:
    result = transcribe(write_pcm(tmp_path / "a.s16", noise(seconds)))
    assert result.words == []
    assert result.report.audio_seconds == pytest.approx(seconds, abs=0.01)


def test_language_is_detected_or_named(
    sample: PcmAudio, transcribe: Callable[..., Transcription]
) -> None:
    assert transcribe(sample).language == "en"


def test_hotwords_do_not_break_the_words(
    sample: PcmAudio, transcribe: Callable[..., Transcription]
) -> None:
    words = transcribe(sample, language="en", hotwords="budget release contract").words
    assert len(words) > 200


def test_long_recording_in_blocks_loses_and_doubles_nothing(
    sample: PcmAudio, transcribe: Callable[..., Transcription], monkeypatch: pytest.MonkeyPatch
) -> None:
    def bare(words: list[Word]) -> str:
        return " ".join(word.text.strip(" .?").lower() for word in words)

    whole = bare(transcribe(sample, language="en").words)
    monkeypatch.setattr(whisper, "BLOCK_SECONDS", 30)
    words = transcribe(sample, language="en").words
    # Other windows than without blocks: a full stop may move, a word must not be lost
    assert jiwer.wer(whole, bare(words)) < 0.02
    assert all(left.end <= right.start for left, right in pairwise(words))
    assert words[-1].end <= sample.duration


@dataclass
class FakeSegment:
    """What faster-whisper gives for one window."""

    words: list[Any]
    start: float = 0.0
    end: float = 5.0
    no_speech_prob: float = 0.1
    avg_logprob: float = -0.2
    compression_ratio: float = 1.0
    temperature: float = 0.0
    tokens: tuple[int, ...] = ()


@dataclass
class FakeWord:
    word: str
    start: float
    end: float
    probability: float = 0.9


@dataclass
class FakeInfo:
    language: str = "en"
    duration_after_vad: float = 5.0
    all_language_probs: None = None


@dataclass
class FakeModel:
    """Loops at first; tried again it says `second`."""

    first: list[FakeWord]
    second: list[FakeWord]
    no_speech: float = 0.1
    log_probability: float = -0.2
    retries: list[dict[str, Any]] = field(default_factory=list)
    supported_languages: tuple[str, ...] = ("en", "de")
    is_multilingual: bool = True
    hf_tokenizer: None = None

    @property
    def model(self) -> FakeModel:
        return self

    def as_pipeline(self) -> Any:
        model = self

        class Pipeline:
            spoken: ClassVar[list[Any]] = []
            without_words = 0.0

            def transcribe(self, samples: Any, **options: Any) -> Any:
                segment = FakeSegment(model.first)
                segment.no_speech_prob = model.no_speech
                segment.avg_logprob = model.log_probability
                return iter([segment]), FakeInfo()

        return Pipeline()

    def transcribe(self, samples: Any, **options: Any) -> Any:
        self.retries.append(options)
        return iter([FakeSegment(self.second)]), FakeInfo()


def said(text: str) -> list[FakeWord]:
    return [FakeWord(f" {w}", i * 0.2, i * 0.2 + 0.1) for i, w in enumerate(text.split())]


def with_model(make_settings: Callable[..., Settings], model: FakeModel) -> WhisperTranscriber:
    transcriber = WhisperTranscriber(make_settings())
    transcriber._model, transcriber._pipeline_class = model, lambda *_, **__: model.as_pipeline()
    return transcriber


def test_language_that_the_model_does_not_know_is_said(
    make_settings: Callable[..., Settings], tmp_path: Path
) -> None:
    transcriber = with_model(make_settings, FakeModel(said("Guten Tag"), []))
    audio = write_pcm(tmp_path / "a.s16", silence(6))
    assert transcriber.transcribe(audio, TranscribeOptions("de-AT"), ignore).words
    with pytest.raises(EngineError, match="does not know the language xx") as refused:
        transcriber.transcribe(audio, TranscribeOptions("xx"), ignore)
    assert refused.value.http_status == 400


def test_loop_is_tried_again_without_context(
    make_settings: Callable[..., Settings], tmp_path: Path
) -> None:
    model = FakeModel(said("thank you " * 8), said("thank you Peter"))
    audio = write_pcm(tmp_path / "a.s16", silence(6))
    result = with_model(make_settings, model).transcribe(audio, TranscribeOptions(), ignore)
    assert [word.text for word in result.words] == [" thank", " you", " Peter"]
    assert result.warnings == []
    assert model.retries[0]["condition_on_previous_text"] is False


def test_loop_that_stays_is_flagged(make_settings: Callable[..., Settings], tmp_path: Path) -> None:
    model = FakeModel(said("thank you " * 8), said("thank you " * 8))
    audio = write_pcm(tmp_path / "a.s16", silence(6))
    result = with_model(make_settings, model).transcribe(audio, TranscribeOptions(), ignore)
    assert "repeats" in result.warnings[0]


def test_words_of_what_the_model_calls_silence_are_dropped(
    make_settings: Callable[..., Settings], tmp_path: Path
) -> None:
    model = FakeModel(said("thanks for watching"), [], no_speech=0.95, log_probability=-1.4)
    audio = write_pcm(tmp_path / "a.s16", silence(6))
    assert not with_model(make_settings, model).transcribe(audio, TranscribeOptions(), ignore).words


@pytest.mark.parametrize(
    "files", [[], ["model.bin"], ["model.bin", "config.json", "tokenizer.json"]]
)
def test_folder_that_is_no_model_is_one_sentence(
    make_settings: Callable[..., Settings], tmp_path: Path, files: list[str]
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for name in files:
        (folder / name).write_text("{}")
    transcriber = WhisperTranscriber(make_settings(WHISPER_MODEL=str(folder)))
    audio = write_pcm(tmp_path / "a.s16", silence(1))
    with pytest.raises(ModelUnavailable) as refused:
        transcriber.transcribe(audio, TranscribeOptions(), ignore)
    assert str(folder) in refused.value.message
    assert "\n" not in str(refused.value)


def test_model_that_cannot_be_fetched_says_where_to_put_it(
    make_settings: Callable[..., Settings], tmp_path: Path
) -> None:
    transcriber = WhisperTranscriber(make_settings(WHISPER_MODEL="small"))
    with pytest.raises(ModelUnavailable, match="make demo") as refused:
        transcriber.prepare()
    assert str(tmp_path / "data" / "models" / "small") in str(refused.value)


def test_model_that_does_not_exist_is_named(make_settings: Callable[..., Settings]) -> None:
    with pytest.raises(ModelUnavailable, match="huge"):
        WhisperTranscriber(make_settings(WHISPER_MODEL="huge")).prepare()
