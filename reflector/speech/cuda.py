"""Load NVIDIA's libraries if they were installed as wheels.

CTranslate2's wheels load `libcublas.so.12` by name, and the system does not search a wheel's
folder. But it finds a library that is already loaded by its name (dlopen(3)).
"""

from __future__ import annotations

import ctypes
import logging
import site
from pathlib import Path

log = logging.getLogger(__name__)

# In the order of their dependencies
LIBRARIES = ("libcublasLt.so.12", "libcublas.so.12")


def load_libraries(folders: list[str] | None = None) -> list[Path]:
    """Load the libraries in `folders`, so that CTranslate2 finds them; return their paths.

    `folders` are those of packages, by default this Python's. Libraries of the system are found
    anyway.
    """
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
