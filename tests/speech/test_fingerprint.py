"""Other weights under the same name are noticed."""

from __future__ import annotations

import os
from pathlib import Path

from reflector.speech.fingerprint import fingerprint


def model(folder: Path, weights: bytes) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text("{}")
    (folder / "model.bin").write_bytes(weights)
    return folder


def test_other_weights_of_the_same_size_are_another_model(tmp_path: Path) -> None:
    first, second = os.urandom(5 << 20), os.urandom(5 << 20)
    before = fingerprint(model(tmp_path / "whisper", first))
    assert fingerprint(model(tmp_path / "whisper", second)) != before
    assert fingerprint(model(tmp_path / "whisper", first)) == before


def test_copy_elsewhere_is_the_same_model(tmp_path: Path) -> None:
    weights = os.urandom(1000)
    here, there = model(tmp_path / "a", weights), model(tmp_path / "b", weights)
    (there / ".cache").mkdir()
    (there / ".cache" / "download.lock").write_text("of the hub's client")
    assert fingerprint(here) == fingerprint(there)


def test_changed_small_file_is_another_model(tmp_path: Path) -> None:
    folder = model(tmp_path / "whisper", b"weights")
    before = fingerprint(folder)
    (folder / "config.json").write_text('{"alignment_heads": []}')
    assert fingerprint(folder) != before
