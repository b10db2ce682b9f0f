"""Where the diarization pipeline comes from, and that it is whole when it is there."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from reflector.errors import ModelUnavailable
from reflector.media.decode import PcmAudio, decode
from reflector.runtime.settings import Settings
from reflector.speech.diarizer import PyannoteDiarizer
from reflector.speech.engines import DiarizeOptions
from reflector.speech.pipelines import ORDER, fetch_pipeline, find_pipeline
from tests.conftest import DIARIZER, FIXTURES, HELD_OUT, needs_diarization
from tests.doubles.model_hub import TOKEN, ModelHub, model_hub
from tests.environment import inherited

NEW, OLD = ORDER
PULL = """
import os, pathlib
from reflector.speech import known
known.TABLE = pathlib.Path(os.devnull)
from reflector.cli import main
main()
"""


@pytest.fixture
def hub() -> Iterator[ModelHub]:
    with model_hub() as server:
        yield server


def content() -> dict[str, bytes]:
    """The tests' pipeline, as a repository of the hub."""
    return {
        str(path.relative_to(DIARIZER)): path.read_bytes()
        for path in DIARIZER.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def content_before_4() -> dict[str, dict[str, bytes]]:
    """The same as pipelines were before 4.0: models in repositories of their own, and no PLDA."""
    files = content()
    config = yaml.safe_load(files["config.yaml"])
    parameters = config["pipeline"]["params"]
    parameters["segmentation"], parameters["embedding"] = "pyannote/parts", "pyannote/voices"
    parameters["clustering"] = "AgglomerativeClustering"
    del parameters["plda"]
    config["params"]["clustering"] = {
        "method": "centroid", "min_cluster_size": 2, "threshold": 0.7
    }  # fmt: skip
    code = {name: data for name, data in files.items() if name.startswith("code/")}
    return {
        OLD: {"config.yaml": yaml.safe_dump(config).encode(), **code},
        "pyannote/parts": {"pytorch_model.bin": files["segmentation/pytorch_model.bin"]},
        "pyannote/voices": {"pytorch_model.bin": files["embedding/pytorch_model.bin"]},
    }


def pull(
    hub: ModelHub, data: Path, name: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    """`reflector models pull`, in a process of its own: the hub's client reads its address once. It
    knows no model's checksums, as those of the tests have the names of published ones."""
    kept = inherited("HOME")
    return subprocess.run(
        [sys.executable, "-c", PULL, "models", "pull", name],
        check=False, capture_output=True, text=True, timeout=120, cwd=data,
        env={
            **kept, "HOME": str(data), "DATA_DIR": str(data), "HF_ENDPOINT": hub.url,
            "HF_HUB_DISABLE_XET": "1", "HF_HUB_DOWNLOAD_TIMEOUT": "100", "PYTHONPATH": str(FIXTURES.parent.parent), **environment,
        },
    )  # fmt: skip


def speakers(make_settings: Callable[..., Settings], models: Path, folder: Path) -> tuple[str, int]:
    """Which pipeline was used, and how many speakers it told apart."""
    engine = PyannoteDiarizer(make_settings(DIARIZATION_MODEL=None, MODELS_DIR=models))
    with HELD_OUT.open("rb") as source:
        decode(source, folder / "a.s16")
    found = engine.diarize(PcmAudio(folder / "a.s16"), DiarizeOptions(), lambda _: None)
    return engine.model_name, found.speakers


@needs_diarization
def test_community_1_is_fetched_where_its_licence_was_accepted(
    hub: ModelHub, tmp_path: Path, make_settings: Callable[..., Settings]
) -> None:
    hub.models = {NEW: content(), **content_before_4()}
    done = pull(hub, tmp_path, "diarization", HF_TOKEN=TOKEN)
    assert done.returncode == 0, done.stderr
    assert NEW in done.stdout
    assert f"Bearer {TOKEN}" in hub.tokens
    assert speakers(make_settings, tmp_path / "models", tmp_path) == (NEW, 2)


@needs_diarization
def test_older_pipeline_is_made_whole_where_only_its_licence_was_accepted(
    hub: ModelHub, tmp_path: Path, make_settings: Callable[..., Settings]
) -> None:
    hub.models, hub.gated = {NEW: content(), **content_before_4()}, {NEW}
    done = pull(hub, tmp_path, "diarization", HF_TOKEN=TOKEN)
    assert done.returncode == 0, done.stderr
    assert "licence" in done.stderr
    name, count = speakers(make_settings, tmp_path / "models", tmp_path)
    assert name == OLD
    assert count >= 1


def test_gated_pipeline_that_was_asked_for_without_a_token_says_what_to_do(
    hub: ModelHub, tmp_path: Path
) -> None:
    hub.models, hub.gated = content_before_4(), {OLD}
    done = pull(hub, tmp_path, "diarization", DIARIZATION_MODEL=OLD)
    assert done.returncode != 0
    assert "HF_TOKEN" in done.stderr.splitlines()[-1]


def test_network_that_fails_does_not_decide_for_the_older_pipeline(
    hub: ModelHub, tmp_path: Path
) -> None:
    hub.models = {NEW: content(), **content_before_4()}
    hub.break_off_after = 2_000
    done = pull(hub, tmp_path, "diarization", HF_TOKEN=TOKEN)
    assert done.returncode != 0
    assert NEW in done.stderr
    assert "could not be fetched" in done.stderr
    assert not (tmp_path / "models" / OLD.replace("/", "--")).exists()


def test_folder_in_the_way_of_a_pipeline_is_said_and_stays(hub: ModelHub, tmp_path: Path) -> None:
    hub.models = {NEW: content()}
    mine = tmp_path / "models" / NEW.replace("/", "--") / "notes.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    done = pull(hub, tmp_path, "diarization", HF_TOKEN=TOKEN)
    assert done.returncode != 0
    assert "is not a complete diarization pipeline" in done.stderr
    assert "Traceback" not in done.stderr
    assert mine.read_text() == "mine"


def test_nobody_is_asked_without_a_token(hub: ModelHub, tmp_path: Path) -> None:
    hub.models = {NEW: content()}
    done = pull(hub, tmp_path, "diarization")
    assert done.returncode != 0
    assert "HF_TOKEN" in done.stderr
    assert hub.fetched == []


def test_download_that_breaks_off_is_gone_on_with(hub: ModelHub, tmp_path: Path) -> None:
    whole = os.urandom(300_000)
    hub.models = {"owner/translator": {"config.json": b"{}", "model.bin": whole}}
    hub.break_off_after = 200_000
    broken = pull(hub, tmp_path, "owner/translator")
    assert broken.returncode != 0
    assert "could not be fetched" in broken.stderr
    hub.break_off_after = None
    before = len(hub.fetched)
    done = pull(hub, tmp_path, "owner/translator")
    assert done.returncode == 0, done.stderr
    assert "config.json" not in hub.fetched[before:]
    assert (tmp_path / "models" / "owner--translator" / "model.bin").read_bytes() == whole


def test_model_that_the_hub_does_not_have_is_said(hub: ModelHub, tmp_path: Path) -> None:
    done = pull(hub, tmp_path, "owner/none")
    assert done.returncode != 0
    assert "There is no model owner/none on the hub" in done.stderr
    assert "Traceback" not in done.stderr


def bundle(kind: str) -> bytes:
    """With paths of another machine in its configuration, as bundles have them."""
    files = content()
    config = yaml.safe_load(files["config.yaml"])
    parameters = config["pipeline"]["params"]
    parameters["segmentation"] = "/root/.cache/bundle/parts.bin"
    parameters["embedding"] = "/root/.cache/bundle/voices.bin"
    files["config.yaml"] = yaml.safe_dump(config).encode()
    files["parts.bin"] = files.pop("segmentation/pytorch_model.bin")
    files["voices.bin"] = files.pop("embedding/pytorch_model.bin")
    target = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(target, "w") as archive:
            for name, data in files.items():
                archive.writestr(f"bundle/{name}", data)
    else:
        with tarfile.open(fileobj=target, mode="w:gz") as tar:
            for name, data in files.items():
                entry = tarfile.TarInfo(f"bundle/{name}")
                entry.size = len(data)
                tar.addfile(entry, io.BytesIO(data))
    return target.getvalue()


def models_in(settings: Settings) -> list[str]:
    return sorted(path.name for path in settings.models_dir.iterdir() if path.suffix != ".lock")


def settings_for_bundle(
    hub: ModelHub, make_settings: Callable[..., Settings], name: str, data: bytes, **changes: Any
) -> Settings:
    hub.models = {"public/files": {name: data}}
    values = {
        "DIARIZATION_MODEL": None,
        "DIARIZATION_BUNDLE_URL": f"{hub.url}/public/files/resolve/main/{name}",
        "DIARIZATION_BUNDLE_SHA256": hashlib.sha256(data).hexdigest(),
    }
    return make_settings(**{**values, **changes})


@needs_diarization
@pytest.mark.parametrize(("kind", "name"), [("zip", "b.zip"), ("tar", "b.tar.gz")])
def test_bundle_is_used_where_there_is_no_token(
    hub: ModelHub, tmp_path: Path, make_settings: Callable[..., Settings], kind: str, name: str
) -> None:
    settings = settings_for_bundle(hub, make_settings, name, bundle(kind))
    assert fetch_pipeline(settings).name == "diarization-bundle"
    assert find_pipeline(settings) is not None
    assert speakers(make_settings, settings.models_dir, tmp_path) == ("diarization-bundle", 2)
    assert models_in(settings) == ["diarization-bundle"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"DIARIZATION_BUNDLE_SHA256": "0" * 64}, "not the one that is set"),
        ({"DIARIZATION_BUNDLE_SHA256": None}, "Set DIARIZATION_BUNDLE_SHA256"),
        ({"DIARIZATION_BUNDLE_URL": "http://127.0.0.1:9/b.zip"}, "cannot be fetched"),
    ],
)
def test_bundle_that_cannot_be_trusted_leaves_nothing(
    hub: ModelHub, make_settings: Callable[..., Settings], changes: dict[str, Any], said: str
) -> None:
    settings = settings_for_bundle(hub, make_settings, "b.zip", bundle("zip"), **changes)
    with pytest.raises(ModelUnavailable, match=said):
        fetch_pipeline(settings)
    assert models_in(settings) == []


@pytest.mark.parametrize(("name", "data"), [("b.zip", b"no archive"), ("b.tar.gz", b"no archive")])
def test_bundle_that_is_no_archive_is_one_sentence(
    hub: ModelHub, make_settings: Callable[..., Settings], name: str, data: bytes
) -> None:
    with pytest.raises(ModelUnavailable) as refused:
        fetch_pipeline(settings_for_bundle(hub, make_settings, name, data))
    assert "\n" not in str(refused.value)


@needs_diarization
def test_several_who_want_it_at_once_fetch_it_once(
    hub: ModelHub, make_settings: Callable[..., Settings]
) -> None:
    settings = settings_for_bundle(hub, make_settings, "b.zip", bundle("zip"))
    with ThreadPoolExecutor(4) as pool:
        found = {pipeline.path for pipeline in pool.map(fetch_pipeline, [settings] * 4)}
    assert len(found) == 1
    assert hub.fetched == ["b.zip"]


def test_imported_pipeline_goes_before_the_hub(
    tmp_path: Path, make_settings: Callable[..., Settings]
) -> None:
    shutil.copytree(DIARIZER, tmp_path / "models" / "pyannote--speaker-diarization-3.1")
    found = find_pipeline(make_settings(DIARIZATION_MODEL=None, MODELS_DIR=tmp_path / "models"))
    assert found is not None
    assert found.name == OLD
