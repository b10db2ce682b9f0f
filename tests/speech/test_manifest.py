"""Models from a folder or a stick: checked against what was written down where they came from."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from reflector.cli import cli
from reflector.errors import InvalidInput, ModelUnavailable
from reflector.speech.manifest import Manifest, import_models
from tests.conftest import WHISPER


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "models"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["models", *arguments])


def test_imported_model_is_listed_and_as_it_was(models: Path) -> None:
    result = run("import", str(WHISPER), "--name", "owner/tiny", "--licence", "MIT")
    assert result.exit_code == 0, result.output
    assert (models / "owner--tiny" / "model.bin").read_bytes() == (
        WHISPER / "model.bin"
    ).read_bytes()
    assert run("list").output.startswith("owner/tiny  ")
    assert "MIT" in run("list").output
    assert run("verify").output == "owner/tiny: as it was\n"
    (listed,) = json.loads(run("list", "--json").output)["models"]
    assert (listed["name"], listed["licence"]) == ("owner/tiny", "MIT")


def test_model_of_the_list_is_found_by_its_name(models: Path) -> None:
    from reflector.runtime import settings
    from reflector.speech.models import find_whisper

    run("import", str(WHISPER), "--name", "owner/tiny")
    found = find_whisper(settings.load(), "owner/tiny")
    assert found is not None
    assert found.path == models / "owner--tiny"


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (lambda file: file.unlink(), "model.bin is missing"),
        (lambda file: file.write_bytes(b"x"), "model.bin has 1 bytes, not "),
        (
            lambda file: file.write_bytes(b"\0" * file.stat().st_size),
            "model.bin is damaged",
        ),
    ],
    ids=["missing", "cut", "damaged"],
)
def test_damage_is_found(models: Path, harm: object, sentence: str) -> None:
    run("import", str(WHISPER), "--name", "tiny")
    assert callable(harm)
    harm(models / "tiny" / "model.bin")
    result = run("verify", "tiny")
    assert sentence in result.output
    assert isinstance(result.exception, ModelUnavailable)
    assert result.exception.exit_code == 4


def test_whole_folder_of_another_machine_is_taken(models: Path, tmp_path: Path) -> None:
    run("import", str(WHISPER), "--name", "one")
    run("import", str(WHISPER), "--name", "owner/two", "--licence", "MIT")
    stick = tmp_path / "stick"
    models.rename(stick)
    assert run("import", str(stick)).exit_code == 0
    assert set(Manifest(models).entries()) == {"one", "owner/two"}
    assert Manifest(models).entries() == Manifest(stick).entries()


def test_damaged_stick_leaves_what_there_was(models: Path, tmp_path: Path) -> None:
    run("import", str(WHISPER), "--name", "tiny")
    stick = tmp_path / "stick"
    shutil.copytree(models, stick)
    (stick / "tiny" / "model.bin").write_bytes(b"bad")
    result = run("import", str(stick))
    assert isinstance(result.exception, ModelUnavailable)
    assert "is damaged" in str(result.exception)
    assert run("verify").output == "tiny: as it was\n"
    assert sorted(path.name for path in models.iterdir()) == ["manifest.json", "tiny"]


def test_what_cannot_be_imported_is_a_sentence(models: Path, tmp_path: Path) -> None:
    assert isinstance(run("import", str(tmp_path / "nowhere")).exception, ModelUnavailable)
    (tmp_path / "empty").mkdir()
    empty = run("import", str(tmp_path / "empty"))
    assert "holds no files" in str(empty.exception)
    assert list(models.iterdir()) == []
    assert isinstance(run("verify", "nobody").exception, ModelUnavailable)


def test_manifest_that_cannot_be_read_is_a_sentence(models: Path) -> None:
    models.mkdir()
    for text in ("{", "[]", '{"models": {"a": 1}}'):
        (models / "manifest.json").write_text(text)
        result = run("list")
        assert isinstance(result.exception, InvalidInput)
        assert "is not a list of models" in str(result.exception)


def test_folder_put_there_by_hand_is_shown(models: Path) -> None:
    assert "There are no models" in run("list").output
    shutil.copytree(WHISPER, models / "by-hand")
    assert "by-hand  put there by hand" in run("list").output


def test_model_already_in_a_folder_is_not_pulled(models: Path) -> None:
    result = run("pull", str(WHISPER))
    assert result.exit_code == 0
    assert "on this machine already" in result.output


def test_model_that_cannot_be_had_is_told(models: Path) -> None:
    result = run("pull", "no-such-model-of-whisper")
    assert isinstance(result.exception, ModelUnavailable)


@pytest.mark.parametrize(
    "name", ["..", ".", "", "../x", "a/../..", "/etc", "a/b/c", ".hidden", "a\nb", "-x/..", "a b"]
)
def test_name_never_leads_out_of_the_models_folder(tmp_path: Path, name: str) -> None:
    """With the name `..` the data folder was emptied."""
    keep = tmp_path / "keep.txt"
    keep.write_text("of somebody")
    source = tmp_path / "stick"
    source.mkdir()
    (source / "model.bin").write_bytes(b"weights")
    (source / "manifest.json").write_text(
        json.dumps({"models": {name: {"licence": None, "files": {}}}})
    )
    manifest = Manifest(tmp_path / "models")
    with pytest.raises(InvalidInput):
        import_models(manifest, source, None, None, lambda _: None)
    (source / "manifest.json").unlink()
    with pytest.raises((InvalidInput, ModelUnavailable)):
        import_models(manifest, source, name or "..", None, lambda _: None)
    assert keep.read_text() == "of somebody"
