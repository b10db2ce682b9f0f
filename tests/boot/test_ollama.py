"""Ollama as a unit: its stand-in (`tests/doubles/ollama.py`) in an archive like the publisher's, from a
folder of artifacts, in the real unit with its real hardening."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from backports.zstd import tarfile

from appliance.artifacts import pinned
from tests.boot.conftest import Appliance
from tests.doubles import ollama as double

PROGRAM = b"""#!/usr/bin/python3
import sys, threading
sys.path.insert(0, "/usr/lib/reflector/ollama/lib")
from ollama import Ollama
server = Ollama(["mistral", "qwen2.5:14b"], 11434)
threading.Event().wait()
"""
LLM = '\n[llm]\non = "ollama-cpu"\nmodel = "mistral"\n'


def archive() -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:zst") as found:
        files = {"bin/ollama": PROGRAM, "lib/ollama.py": Path(double.__file__).read_bytes()}
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o755
            found.addfile(member, io.BytesIO(content))
    return written.getvalue()


@contextmanager
def locked(appliance: Appliance, sums: str) -> Iterator[None]:
    """The machine's lock file with these sums of Ollama, a TOML table, until the end of the block."""
    lock = next(
        appliance.machine.root.glob(
            "usr/lib/reflector/venv-*/lib/python3*/site-packages/appliance/artifacts.toml"
        )
    )
    before = lock.read_text()
    lock.write_text(re.sub(r"(?m)^sha256 = .*$", f"sha256 = {sums}", before, count=1))
    try:
        yield
    finally:
        lock.write_text(before)


@pytest.fixture
def toml(appliance: Appliance) -> Iterator[Path]:
    """The machine's settings, as before after the test."""
    file = appliance.machine.root / "etc/reflector/appliance.toml"
    before = file.read_text()
    yield file
    file.write_text(before)


@pytest.fixture
def artifacts(appliance: Appliance) -> Iterator[str]:
    """A folder with the archive; the lock of the machine has its sum while the test runs."""
    content = archive()
    folder = appliance.machine.root / "srv/artifacts"
    folder.mkdir(exist_ok=True)
    (folder / pinned("ollama").file_name("x86_64")).write_bytes(content)
    with locked(appliance, f'{{ x86_64 = "{hashlib.sha256(content).hexdigest()}" }}'):
        yield "/srv/artifacts"


def test_without_a_sum_nothing_is_installed(appliance: Appliance, toml: Path) -> None:
    before = toml.read_text()
    toml.write_text(before + LLM)
    with locked(appliance, "{}"):
        said = appliance.configure(check=False)
    toml.write_text(before)
    assert appliance.planned() == []
    assert "The lock file has no SHA-256 of ollama" in said
    assert "appliance fetch --lock" in said


def test_language_model_is_installed_pulled_and_taken_away(
    appliance: Appliance, artifacts: str, toml: Path
) -> None:
    machine = appliance.machine
    before = toml.read_text()
    toml.write_text(before + LLM)
    said = appliance.configure("--artifacts", artifacts)
    assert "mistral: success" in said
    assert appliance.planned() == []
    assert appliance.failed_units() == ""
    shown = machine.run(
        "systemctl", "show", "ollama.service", "--property=Environment,IPAddressAllow"
    )
    assert "OLLAMA_CONTEXT_LENGTH=16000" in shown
    assert "0.0.0.0/0" not in shown  # only while it pulls
    assert "qwen2.5:14b: success" in machine.run("appliance", "llm", "pull", "qwen2.5:14b")
    wrong = machine.run("appliance", "llm", "pull", "no-such-model", check=False)
    assert "Ollama cannot pull no-such-model" in wrong
    toml.write_text(before)
    appliance.configure()
    assert "ollama" not in machine.run("systemctl", "list-units", "--state=active", "--plain")
