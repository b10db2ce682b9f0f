"""Describe the machine that the figures were measured on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil
import pynvml

PACKAGES = ["faster-whisper", "ctranslate2", "pyannote.audio", "torch", "av", "onnxruntime"]


def describe() -> dict[str, Any]:
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "gpu": gpu(),
        "load_before": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        **{name: _version(name) for name in PACKAGES},
    }


def gpu() -> dict[str, Any] | None:
    """Return name, driver, memory in GiB and clocks in MHz of the first card, or None."""
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return None
    try:
        card = pynvml.nvmlDeviceGetHandleByIndex(0)
        return {
            "name": str(pynvml.nvmlDeviceGetName(card)),
            "driver": str(pynvml.nvmlSystemGetDriverVersion()),
            "memory_gib": round(pynvml.nvmlDeviceGetMemoryInfo(card).total / 2**30),
            "clock_mhz": pynvml.nvmlDeviceGetClockInfo(card, pynvml.NVML_CLOCK_SM),
            "memory_clock_mhz": pynvml.nvmlDeviceGetClockInfo(card, pynvml.NVML_CLOCK_MEM),
        }
    finally:
        pynvml.nvmlShutdown()


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
