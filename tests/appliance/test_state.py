"""What the agent reads of a machine is what the application wrote."""

from __future__ import annotations

from pathlib import Path

from appliance.machine.state import names_in, offered
from reflector.speech.manifest import Manifest, import_models
from tests.conftest import WHISPER


def test_models_of_a_manifest_are_seen_by_their_names(tmp_path: Path) -> None:
    """The manifest's top level was read instead, so a stick's models were never taken over once a
    machine had a manifest."""
    import_models(Manifest(tmp_path), WHISPER, "large-v3-turbo", "MIT", lambda _: None)
    assert "large-v3-turbo" in names_in(tmp_path)
    assert "models" not in names_in(tmp_path)
    assert offered(tmp_path) == {"large-v3-turbo": tmp_path}


def test_damaged_manifest_hides_no_folder(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    for content in ("", "[]", '{"models": 3}', '{"other": {}}'):
        (tmp_path / "manifest.json").write_text(content)
        assert names_in(tmp_path) == {"base"}
