"""NVIDIA's libraries, where they came as wheels.

CTranslate2's wheels ask the system for `libcublas.so.12` by name, and a wheel's folder is not where the
system looks. A library that is loaded already is found by its name (dlopen(3)).
"""

from __future__ import annotations

import ctypes
import logging
import site
from pathlib import Path

log = logging.getLogger(__name__)

# In the order in which one needs the other
LIBRARIES = ("libcublasLt.so.12", "libcublas.so.12")


def load_libraries(folders: list[str] | None = None) -> list[Path]:
    """Load what is there, for CTranslate2 to find; those that the system has need nothing. What was
    loaded is the answer. `folders`: of packages, by default this Python's."""
    loaded = []
    for name in LIBRARIES:
        for folder in folders or site.getsitepackages():
            found = Path(folder) / "nvidia" / "cublas" / "lib" / name
            if not found.is_file():
                continue
            try:
                ctypes.CDLL(str(found), mode=ctypes.RTLD_GLOBAL)
            except OSError as error:
                log.warning("%s cannot be loaded: %s", found, error)
                continue
            loaded.append(found)
            break
    return loaded
