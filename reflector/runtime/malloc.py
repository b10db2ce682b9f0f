"""Keep a heap that returns memory that it no longer needs."""

from __future__ import annotations

import ctypes
import logging
import os
import sys
from functools import lru_cache

log = logging.getLogger(__name__)

M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8  # malloc.h
FEW_ARENAS = 2
THRESHOLD_BYTES = 4 << 20
TUNABLES = "GLIBC_TUNABLES"


def use_huge_pages() -> None:
    """Begin this process anew with mappings in pages of 2 MiB where the kernel gives them.

    What `keep_large_arrays_out_of_the_heap` costs is one page fault for every 4 KiB of every array:
    a sixth of the time of a small model, most of which this saves. glibc reads the option at its
    start only (glibc manual, "Memory Allocation Tunables"); 2.35 and newer know it.
    """
    if sys.platform == "linux" and TUNABLES not in os.environ:
        os.environ[TUNABLES] = "glibc.malloc.hugetlb=1"
        os.execv(sys.executable, sys.orig_argv)  # noqa: S606 - itself


@lru_cache(maxsize=1)
def keep_large_arrays_out_of_the_heap() -> None:
    """Have every array of 4 MiB or more be a mapping of its own, gone when it is freed.

    glibc starts that way, but each large block that is freed raises the size from which it makes
    mappings, up to 32 MiB (mallopt(3), M_MMAP_THRESHOLD). From then on windows of audio come from
    the heap, which fragments: the peak of one and the same recording was seen anywhere between 680
    and 1,400 MB. Setting the threshold turns that adjustment off. Other C libraries have no need.
    """
    _set(M_MMAP_THRESHOLD, THRESHOLD_BYTES)


@lru_cache(maxsize=1)
def share_heaps_between_threads() -> None:
    """Have threads share two heaps, instead of up to eight for each core that each keep what they
    once needed. Python holds its lock while it allocates, so they do not wait for each other."""
    _set(M_ARENA_MAX, FEW_ARENAS)


def _set(option: int, value: int) -> None:
    try:
        set_option = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    if not set_option(option, value):
        log.debug("mallopt did not take option %s", option)
