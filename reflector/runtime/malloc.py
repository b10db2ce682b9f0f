"""Configure the heap so that it returns unused memory to the system."""

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
    """Restart this process with mappings in pages of 2 MiB, if the kernel provides them.

    `keep_large_arrays_out_of_the_heap` costs one page fault for every 4 KiB of every array: a sixth
    of the time of a small model. Huge pages save most of that. glibc reads the option only at its
    start (glibc manual, "Memory Allocation Tunables"); versions since 2.35 know it.
    """
    if sys.platform == "linux" and TUNABLES not in os.environ:
        os.environ[TUNABLES] = "glibc.malloc.hugetlb=1"
        os.execv(sys.executable, sys.orig_argv)  # noqa: S606 - itself


@lru_cache(maxsize=1)
def keep_large_arrays_out_of_the_heap() -> None:
    """Make every array of 4 MiB or more a mapping of its own, which is released when it is freed.

    glibc starts that way. But each large block that is freed raises the threshold for mappings, up
    to 32 MiB (mallopt(3), M_MMAP_THRESHOLD). After that, windows of audio come from the heap, which
    fragments: the peak for the same recording varied between 680 and 1,400 MB. Setting the
    threshold turns that adjustment off. Other C libraries do not need this.
    """
    _set(M_MMAP_THRESHOLD, THRESHOLD_BYTES)


@lru_cache(maxsize=1)
def share_heaps_between_threads() -> None:
    """Make threads share two heaps, instead of up to eight per core.

    Each heap keeps what it once needed. Python holds its lock while it allocates, so threads do not
    wait for each other.
    """
    _set(M_ARENA_MAX, FEW_ARENAS)


def _set(option: int, value: int) -> None:
    try:
        set_option = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    if not set_option(option, value):
        log.debug("mallopt did not take option %s", option)
