"""The choice of device, precision and batch. Only the device is not real here: its count, its memory
and what it computes are what CTranslate2 and NVML would say."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import ctranslate2
import pynvml
import pytest

from reflector.errors import EngineError
from reflector.runtime.settings import Settings
from reflector.speech.device import GIB, Device, choose_device
from reflector.speech.whisper import WhisperTranscriber

MODERN = {"float16", "int8_float16", "int8", "float32", "bfloat16"}
PASCAL = {"int8", "float32"}


@pytest.fixture
def cards(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Make it look as if there were these cards, by their free memory in GiB."""

    def cards(*free: float, computes: set[str] = MODERN) -> None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        monkeypatch.setattr(ctranslate2, "get_cuda_device_count", lambda: len(free))
        monkeypatch.setattr(
            ctranslate2, "get_supported_compute_types", lambda device, index=0: computes
        )
        for name in ("nvmlInit", "nvmlShutdown"):
            monkeypatch.setattr(pynvml, name, lambda: None)
        monkeypatch.setattr(pynvml, "nvmlDeviceGetHandleByIndex", lambda index: index)
        monkeypatch.setattr(
            pynvml,
            "nvmlDeviceGetMemoryInfo",
            lambda card: SimpleNamespace(free=int(free[card] * GIB)),
        )

    return cards


def test_no_card_is_a_cpu(cards: Callable[..., None]) -> None:
    cards()
    assert choose_device("auto", 2) == Device("cpu", "int8", 4, workers=2, threads=1)


@pytest.mark.parametrize(
    ("cores", "workers", "threads", "batch"),
    [(1, 1, 1, 4), (4, 4, 1, 8), (8, 4, 2, 8), (16, 8, 2, 16)],
)
def test_cores_are_shared_out(cores: int, workers: int, threads: int, batch: int) -> None:
    assert choose_device("cpu", cores) == Device("cpu", "int8", batch, workers, threads)


@pytest.mark.parametrize(("count", "wanted"), [(0, "cuda"), (1, "cuda:1"), (2, "cuda:0,2")])
def test_card_that_is_demanded_and_missing_is_said(
    cards: Callable[..., None], count: int, wanted: str
) -> None:
    cards(*[24.0] * count)
    with pytest.raises(EngineError, match="nvidia-smi") as refused:
        choose_device(wanted)
    assert f"SPEECH_DEVICE is {wanted}" in str(refused.value)


@pytest.mark.parametrize(
    ("free", "precision", "batch"),
    [(80, "float16", 16), (12, "float16", 8), (6, "float16", 4), (3, "int8_float16", 2)],
)
def test_batch_and_precision_fit_the_memory_that_is_free(
    cards: Callable[..., None], free: float, precision: str, batch: int
) -> None:
    cards(free)
    device = choose_device("auto")
    assert (device.compute_type, device.batch_size) == (precision, batch)


def test_card_without_half_precision_is_not_asked_for_it(cards: Callable[..., None]) -> None:
    cards(11, computes=PASCAL)
    assert choose_device("cuda").compute_type == "int8"


def test_smallest_of_several_cards_decides(cards: Callable[..., None]) -> None:
    cards(80, 6)
    device = choose_device("cuda:0,1")
    assert (device.indexes, device.last) == ((0, 1), "cuda:1")
    assert (device.workers, device.batch_size) == (2, 2 * 4)
    assert choose_device("auto").indexes == (0,)


def test_hidden_cards_are_counted_as_cuda_counts_them(
    cards: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    cards(3, 80)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert choose_device("auto").batch_size == 16


def test_card_whose_memory_is_not_known_gets_little(
    cards: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    cards(80)

    def fails() -> None:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)

    monkeypatch.setattr(pynvml, "nvmlInit", fails)
    assert choose_device("auto").batch_size == 2


def test_a_card_gets_the_large_model(
    make_settings: Callable[..., Settings], cards: Callable[..., None]
) -> None:
    cards(24)
    transcriber = WhisperTranscriber(make_settings(WHISPER_MODEL=None))
    assert transcriber.model_name == "large-v3-turbo"
    assert (transcriber.compute_type, transcriber.batch_size) == ("float16", 16)


def test_what_is_set_goes_before_what_is_chosen(
    make_settings: Callable[..., Settings], cards: Callable[..., None]
) -> None:
    cards(24)
    settings = make_settings(
        WHISPER_MODEL="small", SPEECH_COMPUTE_TYPE="int8_float16", WHISPER_BATCH_SIZE="3"
    )
    transcriber = WhisperTranscriber(settings)
    assert transcriber.model_name == "small"
    assert (transcriber.compute_type, transcriber.batch_size) == ("int8_float16", 3)
