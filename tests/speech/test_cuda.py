"""Libraries of NVIDIA's wheels: found by those who ask for them by name. Real shared libraries stand in
for NVIDIA's, which are of no use here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import ctranslate2
import pytest

from reflector.speech.cuda import LIBRARIES, load_libraries

ASK = """
import ctypes, sys
from reflector.speech.cuda import load_libraries
try:
    ctypes.CDLL("libcublas.so.12")
except OSError:
    print("not found before")
load_libraries([sys.argv[1]])
ctypes.CDLL("libcublas.so.12")
print("found after")
"""


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """A folder of packages with libraries that have NVIDIA's names inside as well."""
    folder = tmp_path / "nvidia/cublas/lib"
    folder.mkdir(parents=True)
    for name in LIBRARIES:
        command = [
            "gcc",
            "-shared",
            "-nostdlib",
            f"-Wl,-soname,{name}",
            "-o",
            str(folder / name),
            "-xc",
            "/dev/null",
        ]
        try:
            subprocess.run(command, check=True)
        except FileNotFoundError:
            pytest.skip("a compiler is needed to make a library with that name")
    return tmp_path


def test_library_of_a_wheel_is_found_by_its_name(packages: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ASK, str(packages)], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-2:] == ["not found before", "found after"]


def test_machine_without_them_is_left_as_it_is(tmp_path: Path) -> None:
    assert load_libraries([str(tmp_path)]) == []


def test_library_that_is_none_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "nvidia/cublas/lib"
    folder.mkdir(parents=True)
    (folder / LIBRARIES[0]).write_text("no library")
    assert load_libraries([str(tmp_path)]) == []
    assert "libcublasLt.so.12 cannot be loaded" in caplog.text


def test_ctranslate2_still_asks_for_that_name() -> None:
    """When it asks for another version, `requirements/cuda.lock` has to follow."""
    folder = Path(ctranslate2.__file__).parent.parent / "ctranslate2.libs"
    libraries = list(folder.glob("libctranslate2*"))
    assert libraries
    assert all(b"libcublas.so.12\0" in library.read_bytes() for library in libraries)
