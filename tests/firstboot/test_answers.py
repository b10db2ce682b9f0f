"""Answers that lie ready: where they are found, which count, and what is said of broken ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.configure.parts.admin import PASSWORD
from appliance.errors import ConfigError
from appliance.firstboot import answers, console
from appliance.firstboot.answers import forget_secrets, found, in_folder

TOML = '[speech]\non = "cpu"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "appliance.toml").write_text(TOML)
    return tmp_path


def test_what_lies_beside_the_file_comes_with_it(folder: Path) -> None:
    (folder / "password").write_text("correct horse\n")
    (folder / "secrets").mkdir()
    (folder / "secrets/HF_TOKEN").write_text("hf_123\n")
    (folder / "secrets/SOMETHING").write_text("else\n")
    (folder / "models").mkdir()
    there = in_folder(folder, "the stick")
    assert there
    assert there.handed == {PASSWORD: "correct horse", "HF_TOKEN": "hf_123"}
    assert there.models == folder / "models"
    assert there.artifacts is None
    assert there.config().speech.on == "cpu"
    assert "correct horse" not in repr(there)


def test_mistake_names_file_line_and_key(folder: Path) -> None:
    (folder / "appliance.toml").write_text('[speech]\nom = "cpu"\n')
    there = in_folder(folder, "appliance.toml on the USB stick")
    assert there
    with pytest.raises(
        ConfigError, match=r"appliance.toml on the USB stick, line 2: speech.om is unknown"
    ):
        there.config()


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\x00broken", b"x" * (answers.LONGEST + 1)], ids=["no text", "too long"]
)
def test_file_that_is_no_configuration_is_an_error(folder: Path, content: bytes) -> None:
    (folder / "appliance.toml").write_bytes(content)
    with pytest.raises(ConfigError, match="the stick"):
        in_folder(folder, "the stick")


def test_empty_password_is_an_error(folder: Path) -> None:
    (folder / "password").write_text("\n")
    with pytest.raises(ConfigError, match="its first line is empty"):
        in_folder(folder, "the stick")


def test_credential_comes_before_the_boot_partition(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    esp = tmp_path / "esp"
    esp.mkdir()
    (esp / "appliance.toml").write_text("")
    monkeypatch.setattr(answers, "esp_folder", lambda: esp)
    monkeypatch.setattr(answers, "_stick", lambda stack: None)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    (folder / "appliance.password").write_text("correct horse")
    with found(print) as there:
        assert there
        assert there.source == "the credential appliance.toml"
        assert there.handed == {PASSWORD: "correct horse"}
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    with found(print) as there:
        assert there
        assert there.source == "appliance.toml on the boot partition"


def test_place_that_cannot_be_read_is_said_and_passed_over(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(stack: object) -> None:
        raise ConfigError("The stick is broken.")

    monkeypatch.setattr(answers, "_stick", broken)
    monkeypatch.setattr(answers, "esp_folder", lambda: folder)
    said: list[str] = []
    with found(said.append) as there:
        assert there
    assert said == ["The stick is broken. It is skipped."]


def test_secrets_do_not_stay_on_the_boot_partition(folder: Path) -> None:
    (folder / "password").write_text("correct horse")
    (folder / "secrets").mkdir()
    (folder / "secrets/HF_TOKEN").write_text("hf_123")
    forget_secrets(folder)
    assert sorted(p.name for p in folder.rglob("*") if p.is_file()) == ["appliance.toml"]


def test_console_names_what_does_not_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "appliance.health.checks",
        lambda: [{"name": "speech", "status": "failed", "summary": "is off"}],
    )
    assert "speech: is off" in console.text()
    monkeypatch.setattr("appliance.health.checks", lambda: None)
    assert "The server does not answer" in console.text()
