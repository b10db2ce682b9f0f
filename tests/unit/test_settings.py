"""Settings: names of the reference, refused where they cannot be used."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reflector.errors import ConfigurationError
from reflector.runtime import settings

GOOD_SECRET = "a-real-secret-of-some-length"


def test_nothing_configured_is_embedded() -> None:
    loaded = settings.load()
    assert loaded.embedded
    assert loaded.broker_url == "memory://"
    assert loaded.database_url.startswith("sqlite:///")


def test_placeholder_secret_is_refused_with_a_database() -> None:
    with pytest.raises(ConfigurationError, match="SECRET_KEY"):
        settings.load(DATABASE_URL="postgresql://u@h/db")


def test_placeholder_secret_is_refused_with_accounts() -> None:
    with pytest.raises(ConfigurationError, match="SECRET_KEY"):
        settings.load(AUTH_BACKEND="password")


def test_short_secret_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="SECRET_KEY"):
        settings.load(DATABASE_URL="postgresql://u@h/db", SECRET_KEY="short")


@pytest.mark.parametrize(
    "scheme", ["postgresql", "postgres", "postgresql+asyncpg", "postgresql+psycopg"]
)
def test_every_form_of_the_database_url_is_accepted(scheme: str) -> None:
    loaded = settings.load(DATABASE_URL=f"{scheme}://u@h/db", SECRET_KEY=GOOD_SECRET)
    assert loaded.database_url == "postgresql+psycopg://u@h/db"


def test_wrong_value_is_named_with_its_setting() -> None:
    with pytest.raises(ConfigurationError, match="LLM_CONTEXT_WINDOW"):
        settings.load(LLM_CONTEXT_WINDOW="many")


def test_empty_value_means_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_URL", "")
    monkeypatch.setenv("REDIS_PORT", "")
    loaded = settings.load()
    assert loaded.LLM_URL is None
    assert loaded.REDIS_PORT == 6379


def test_unknown_key_is_ignored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("NO_SUCH_SETTING=1\nLLM_MODEL=other\n")
    loaded = settings.Settings(_env_file=file)
    assert loaded.LLM_MODEL == "other"


def test_secrets_do_not_show_in_the_settings_text() -> None:
    loaded = settings.load(SECRET_KEY=GOOD_SECRET, LLM_API_KEY="sk-very-secret")
    assert GOOD_SECRET not in repr(loaded)
    assert "sk-very-secret" not in repr(loaded)


def test_credential_of_systemd_is_a_setting_that_the_environment_goes_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "SECRET_KEY").write_text("kept from everybody\n")
    (tmp_path / "LLM_MODEL").write_text("from a credential")
    (tmp_path / "somebody-else's").write_text("not a setting")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("LLM_MODEL", "from the environment")
    chosen = settings.load()
    assert chosen.SECRET_KEY.get_secret_value() == "kept from everybody"
    assert chosen.LLM_MODEL == "from the environment"


def test_env_file_of_another_user_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever may write the working folder redirected what root ran there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(settings.Settings.model_config, "env_file", ".env")
    (tmp_path / ".env").write_text("HOTWORDS=theirs\n")
    assert settings.load().HOTWORDS == "theirs"
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    assert settings.load().HOTWORDS is None
    assert "belongs to another user" in caplog.text
