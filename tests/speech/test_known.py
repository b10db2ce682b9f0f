"""Known models are the files that are known."""

from __future__ import annotations

import errno
import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path

import faster_whisper
import huggingface_hub
import pytest

from reflector.errors import ModelUnavailable, OutOfSpace
from reflector.runtime.settings import Settings
from reflector.speech import known
from reflector.speech.hub import fetch_snapshot
from reflector.speech.models import fetch_whisper

REAL = Path.home() / ".cache/reflector-appliance/real"


def hub(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    """Whatever is asked for, its files have this content."""

    def write(folder: Path) -> None:
        for name in ("model.bin", "config.json", "tokenizer.json", "config.yaml"):
            (folder / name).write_bytes(content)

    monkeypatch.setattr(
        huggingface_hub, "snapshot_download", lambda name, local_dir, **_: write(Path(local_dir))
    )
    monkeypatch.setattr(
        faster_whisper, "download_model", lambda name, output_dir: write(Path(output_dir))
    )


@pytest.mark.parametrize(
    "name", ["Systran/faster-whisper-base", "pyannote/speaker-diarization-community-1"]
)
def test_other_file_under_a_known_name_is_refused(
    monkeypatch: pytest.MonkeyPatch,
    make_settings: Callable[..., Settings],
    tmp_path: Path,
    name: str,
) -> None:
    hub(monkeypatch, b"something else")
    with pytest.raises(ModelUnavailable, match="is not the file that is known by this name"):
        fetch_snapshot(make_settings(), name, tmp_path / "m")
    assert not (tmp_path / "m/model.bin").exists() or "pyannote" in name


def test_other_file_under_a_short_name_is_refused(
    monkeypatch: pytest.MonkeyPatch, make_settings: Callable[..., Settings]
) -> None:
    hub(monkeypatch, b"something else")
    monkeypatch.setattr("reflector.speech.models._from_cache", lambda name: None)
    settings = make_settings()
    for _ in range(2):  # and is not taken for the model the next time
        with pytest.raises(ModelUnavailable, match="known by this name"):
            fetch_whisper(settings, "large-v3-turbo")


def test_full_disk_is_not_called_a_missing_network(
    monkeypatch: pytest.MonkeyPatch, make_settings: Callable[..., Settings]
) -> None:
    def fails(name: str, output_dir: str) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(faster_whisper, "download_model", fails)
    monkeypatch.setattr("reflector.speech.models._from_cache", lambda name: None)
    with pytest.raises(OutOfSpace, match="no room"):
        fetch_whisper(make_settings(), "large-v3-turbo")


def test_known_file_and_unknown_model_are_taken(
    monkeypatch: pytest.MonkeyPatch, make_settings: Callable[..., Settings], tmp_path: Path
) -> None:
    hub(monkeypatch, b"weights")
    table = {"owner/known": {"model.bin": hashlib.sha256(b"weights").hexdigest()}}
    monkeypatch.setattr(known, "_table", lambda: table)
    for name in ("owner/known", "owner/unknown"):
        fetch_snapshot(make_settings(), name, tmp_path / name)
        assert (tmp_path / name / "model.bin").read_bytes() == b"weights"


def test_table_holds_names_of_models_and_checksums() -> None:
    table = known._table()
    assert {"tiny", "base", "small", "medium", "large-v3", "large-v3-turbo"} <= set(table)
    assert set(table) - set(faster_whisper.available_models()) == {n for n in table if "/" in n}
    for files in table.values():
        assert all(re.fullmatch("[0-9a-f]{64}", sum_) for sum_ in files.values())


@pytest.mark.real
@pytest.mark.parametrize(
    ("folder", "name"),
    [("whisper-base", "base"), ("whisper-tiny.en", "tiny.en"), ("segmentation-3.0", "pyannote/segmentation-3.0")],
)  # fmt: skip
def test_real_weights_are_the_known_ones(folder: str, name: str) -> None:
    known.verify_fetched(name, REAL / folder)
