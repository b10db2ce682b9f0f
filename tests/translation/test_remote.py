"""Translation by a speech service: ours, and one that answers as the reference's does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from reflector.errors import EngineError, Unavailable
from reflector.runtime.settings import Settings
from reflector.translation.remote import PART_CHARACTERS, RemoteTranslator
from tests.speech_service.conftest import KEY, speech_server
from tests.translation_model import marian


def test_long_lines_go_in_parts_and_come_back_whole(
    tmp_path: Path, make_settings: Callable[..., Settings]
) -> None:
    folder = tmp_path / "service"
    marian(folder / "models" / "opus-mt-en-fr", {"yes.": "oui.", "no.": "non."})
    with speech_server(
        folder, DIARIZATION_ENABLED="false", SPEECH_COMPUTE_TYPE="float32"
    ) as server:
        settings = make_settings(TRANSLATE_URL=server.url, TRANSLATE_MODAL_API_KEY=KEY)
        translator = RemoteTranslator(settings)
        count = PART_CHARACTERS // 2
        assert (
            translator.translate("yes. " * count + "\n\nno.", "en", "fr")
            == ("oui. " * count).strip() + "\n\nnon."
        )
        identity = translator.identity("en", "fr")
        assert identity.startswith("ctranslate2 float32 opus-mt-en-fr ")
        marian(folder / "models" / "opus-mt-en-fr", {"yes.": "ouais.", "no.": "non."})
        assert translator.identity("en", "fr") != identity
        with pytest.raises(EngineError, match="from en to de"):
            translator.translate("yes.", "en", "de")
        wrong = make_settings(TRANSLATE_URL=server.url, TRANSLATE_MODAL_API_KEY="wrong")
        with pytest.raises(EngineError, match="Invalid API key"):
            RemoteTranslator(wrong).translate("yes.", "en", "fr")
    with pytest.raises(Unavailable, match="does not answer"):
        translator.translate("yes.", "en", "fr")
