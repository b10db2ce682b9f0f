"""Choose device, precision and batch size for the models."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass

import reflector.speech  # noqa: F401 - sets the environment before CTranslate2 loads
from reflector.errors import EngineError
from reflector.speech.cuda import load_libraries

log = logging.getLogger(__name__)

GIB = 1 << 30
MIN_CPU_BATCH, MANY_CORES = 4, 6
# Free memory of a card from which on that many windows are computed at once. What the encoder and
# a beam of five need for one window of large-v3 is below 1.3 GiB, of large-v3-turbo a quarter of
# that (layers × 1,500 positions × width × beam, keys and values, in float16).
CARD_BATCHES = ((20 * GIB, 16), (10 * GIB, 8), (5 * GIB, 4), (0, 2))
# Below that large-v3-turbo (1.6 GiB in float16), the diarizer and their batches do not fit together
HALF_PRECISION_BYTES = 5 * GIB


@dataclass(frozen=True)
class Device:
    """`kind`: `cpu` or `cuda`; `indexes`: the cards.

    `batch_size`: windows at once, on all together. `workers` share them out: one for each card, or
    so many of `threads` each on a CPU.
    """

    kind: str
    compute_type: str
    batch_size: int
    workers: int = 1
    threads: int = 1
    indexes: tuple[int, ...] = (0,)

    @property
    def last(self) -> str:
        """For torch; the diarizer has the last card, the first ones are busy with words."""
        return f"cuda:{self.indexes[-1]}" if self.kind == "cuda" else "cpu"


def _processor(threads: int) -> Device:
    """One thread for each worker; two from 6 cores on, for the sake of who waits for one window."""
    cores = threads or len(os.sched_getaffinity(0))
    each = 1 if cores < MANY_CORES else 2
    workers = cores // each
    return Device("cpu", "int8", max(MIN_CPU_BATCH, 2 * workers), workers, each)


def choose_device(wanted: str, threads: int = 0) -> Device:
    """`wanted`: `auto`, `cpu`, `cuda`, `cuda:1` or `cuda:0,1`. The first card where none is named.
    `threads`: of a CPU, 0 for all.

    EngineError if a card was demanded and is not there.
    """
    if wanted == "cpu":
        return _processor(threads)
    import ctranslate2

    cards = ctranslate2.get_cuda_device_count()
    if wanted == "auto" and not cards:
        return _processor(threads)
    numbers = wanted.partition(":")[2]
    indexes = (
        tuple(dict.fromkeys(int(number) for number in numbers.split(","))) if numbers else (0,)
    )
    missing = [index for index in indexes if index >= cards]
    if missing:
        seen = f"{cards} CUDA card{'' if cards == 1 else 's'}" if cards else "no CUDA card"
        raise EngineError(
            f"SPEECH_DEVICE is {wanted}, but CTranslate2 sees {seen}.",
            "Check the driver with nvidia-smi, or set SPEECH_DEVICE=auto.",
        )
    load_libraries()
    free = min(_free_memory(index) for index in indexes)
    supported = set.intersection(
        *(set(ctranslate2.get_supported_compute_types("cuda", index)) for index in indexes)
    )
    batch = next(size for least, size in CARD_BATCHES if free >= least)
    cards = len(indexes)
    return Device("cuda", _precision(supported, free), batch * cards, cards, 1, indexes)


def _precision(supported: set[str], free: int) -> str:
    """float16 where the card computes it and has room, else what takes half of that."""
    order = ["float16", "int8_float16", "int8", "float32"]
    if free < HALF_PRECISION_BYTES:
        order = ["int8_float16", "int8", "float16", "float32"]
    return next(name for name in order if name in supported or name == "float32")


def _free_memory(index: int) -> int:
    """Return bytes that nobody uses on a card now; 0 where NVML does not say."""
    import pynvml

    # CUDA counts the cards that it may see, NVML all of them or by their names
    visible = [name for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name]
    name = visible[index] if index < len(visible) else str(index)
    try:
        pynvml.nvmlInit()
        try:
            card = (
                pynvml.nvmlDeviceGetHandleByIndex(int(name))
                if name.isdigit()
                else pynvml.nvmlDeviceGetHandleByUUID(name)
            )
            return int(pynvml.nvmlDeviceGetMemoryInfo(card).free)
        finally:
            pynvml.nvmlShutdown()
    except pynvml.NVMLError as error:
        log.warning("NVML does not say how much memory card %d has free: %s", index, error)
        return 0
