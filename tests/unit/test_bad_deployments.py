"""Settings and models that cannot work stop the start with a sentence that names them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from reflector.commands.serve import serve
from reflector.errors import ConfigurationError, ModelUnavailable
from reflector.runtime.settings import Settings
from reflector.speech.whole_pipeline import make_whole
from reflector.storage.store import open_storage
from reflector.translation.choose import choose_translator

MakeSettings = Callable[..., Settings]


@pytest.mark.parametrize("value", ["50000", "50100-50000", "0-10", "a-b", "1-65536"])
def test_range_of_ports_that_is_none(make_settings: MakeSettings, value: str) -> None:
    with pytest.raises(ConfigurationError, match="50000-50100"):
        make_settings(WEBRTC_PORT_RANGE=value)


def test_workers_in_other_processes_on_sqlite(make_settings: MakeSettings) -> None:
    with pytest.raises(ConfigurationError, match="CELERY_BROKER_URL"):
        make_settings(CELERY_BROKER_URL="redis://127.0.0.1:6379/0", SECRET_KEY="x" * 20)


def test_several_workers_of_an_embedded_server(make_settings: MakeSettings) -> None:
    with pytest.raises(ConfigurationError, match="--workers"):
        serve(make_settings(), "127.0.0.1", 0, next_free=False, workers=2)


def test_data_folder_below_a_file(make_settings: MakeSettings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    settings = make_settings(DATA_DIR=tmp_path / "file" / "data")
    with pytest.raises(ConfigurationError, match="cannot be written"):
        serve(settings, "127.0.0.1", 0, next_free=False, workers=1)
    with pytest.raises(ConfigurationError, match="cannot be written"):
        open_storage(settings)


def test_s3_without_a_key(make_settings: MakeSettings) -> None:
    with pytest.raises(ConfigurationError, match="access key"):
        open_storage(make_settings(TRANSCRIPT_STORAGE_BACKEND="aws"))


def test_translation_by_a_language_model_that_nobody_named(make_settings: MakeSettings) -> None:
    with pytest.raises(ModelUnavailable, match="Nothing here translates"):
        choose_translator(make_settings(TRANSLATION_BACKEND="llm"))


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ("{", "does not describe"),
        ("version: 3", "does not describe"),
        ("pipeline: {params: {}}", "names no segmentation model"),
        ("pipeline: {params: {segmentation: a/b}}", "a/b of the pipeline is missing"),
    ],
)
def test_diarization_pipeline_that_lacks_a_part(tmp_path: Path, config: str, reason: str) -> None:
    (tmp_path / "config.yaml").write_text(config)
    with pytest.raises(ModelUnavailable, match=reason):
        make_whole(tmp_path, None)
