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
# Free memory of a card from which that many windows are computed at once. The encoder and a beam of
# five need less than 1.3 GiB for one window of large-v3, and a quarter of that for large-v3-turbo
# (layers × 1,500 positions × width × beam, keys and values, in float16).
CARD_BATCHES = ((20 * GIB, 16), (10 * GIB, 8), (5 * GIB, 4), (0, 2))
# With less, large-v3-turbo (1.6 GiB in float16), the diarizer and their batches do not fit together
HALF_PRECISION_BYTES = 5 * GIB


@dataclass(frozen=True)
class Device:
    """A device and how to use it: `kind` is `cpu` or `cuda`, `indexes` are the cards.

    `batch_size` is the number of windows at once, on all workers together. There is one of the
    `workers` for each card; on a CPU there are several with `threads` each.
    """

    kind: str
    compute_type: str
    batch_size: int
    workers: int = 1
    threads: int = 1
    indexes: tuple[int, ...] = (0,)

    @property
    def last(self) -> str:
        """The device for torch.

        The diarizer gets the last card, as the first ones are busy with words.
        """
        return f"cuda:{self.indexes[-1]}" if self.kind == "cuda" else "cpu"


def _processor(threads: int) -> Device:
    """Return the CPU with one thread for each worker, or two from 6 cores on.

    Two threads shorten the wait for a single window.
    """
    cores = threads or len(os.sched_getaffinity(0))
    each = 1 if cores < MANY_CORES else 2
    workers = cores // each
    return Device("cpu", "int8", max(MIN_CPU_BATCH, 2 * workers), workers, each)


def choose_device(wanted: str, threads: int = 0) -> Device:
    """Return the device for `wanted`: `auto`, `cpu`, `cuda`, `cuda:1` or `cuda:0,1`.

    The first card is used if none is named. `threads` limits those of a CPU, 0 for all. Raises
    EngineError if a requested card is missing.
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
    """Return float16 if the card supports it and has room, otherwise a type of half its size."""
    order = ["float16", "int8_float16", "int8", "float32"]
    if free < HALF_PRECISION_BYTES:
        order = ["int8_float16", "int8", "float16", "float32"]
    return next(name for name in order if name in supported or name == "float32")


def _free_memory(index: int) -> int:
    """Return the bytes of free memory on a card; 0 if NVML does not tell."""
    import pynvml

    # CUDA counts only visible cards; NVML counts all of them, or finds them by name
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
