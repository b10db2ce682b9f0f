"""The reference's `.env`, as an appliance has it."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.config import ApplianceConfig
from appliance.config.imported import Imported, imported, parse
from appliance.config.save import with_config
from appliance.errors import ConfigError
from reflector.runtime.settings import PLACEHOLDER_SECRET

# As its installer writes it for `--gpu --ollama-gpu --garage --caddy --domain … --password …`
INSTALLED = """\
# Backend
DATABASE_URL=postgresql+asyncpg://reflector:reflector@postgres:5432/reflector
REDIS_HOST=redis
CELERY_BROKER_URL=redis://redis:6379/1
CELERY_BEAT_POLL_INTERVAL=60
SECRET_KEY=0123456789abcdef0123456789abcdef
AUTH_BACKEND=password
PUBLIC_MODE=false
ADMIN_EMAIL=anna@example.org
ADMIN_PASSWORD_HASH=pbkdf2:sha256:100000$$c2FsdA==$$00ff
BASE_URL=https://meetings.example.org
CORS_ORIGIN=https://meetings.example.org
WEBRTC_PORT_RANGE=50000-50050
TRANSCRIPT_BACKEND=modal
TRANSCRIPT_URL=http://transcription:8000
TRANSCRIPT_MODAL_API_KEY=selfhosted
LLM_URL=http://ollama:11435/v1
LLM_MODEL=mistral
LLM_API_KEY=not-needed
TRANSCRIPT_STORAGE_BACKEND=aws
TRANSCRIPT_STORAGE_AWS_ENDPOINT_URL=http://garage:3900
TRANSCRIPT_STORAGE_AWS_BUCKET_NAME=reflector-media
HF_TOKEN=hf_token
export ZULIP_REALM="chat.example.org"
ZULIP_API_KEY='zulip key'
HEALTHCHECK_URL=https://hc.example.org/x # a remark
SOMETHING_ELSE=1
"""


def take(text: str) -> Imported:
    return imported(parse(text), ApplianceConfig())


def test_installed_reference_becomes_an_appliance() -> None:
    found = take(INSTALLED)
    config = found.config
    assert (config.llm.on, config.llm.model) == ("ollama-gpu", "mistral")
    assert (config.storage.on, config.proxy.domain) == ("garage", "meetings.example.org")
    assert (config.access.admin, config.network.webrtc_last_port) == ("anna@example.org", 50050)
    assert found.settings == {
        "CELERY_BEAT_POLL_INTERVAL": "60", "ZULIP_REALM": "chat.example.org",
        "HEALTHCHECK_URL": "https://hc.example.org/x",
    }  # fmt: skip
    assert found.secrets == {
        "SECRET_KEY": "0123456789abcdef0123456789abcdef",
        "ADMIN_PASSWORD_HASH": "pbkdf2:sha256:100000$c2FsdA==$00ff",
        "HF_TOKEN": "hf_token", "ZULIP_API_KEY": "zulip key",
    }  # fmt: skip
    assert any("SOMETHING_ELSE" in remark for remark in found.remarks)
    assert "0123456789abcdef" not in repr(found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("LLM_URL=http://ollama-cpu:11435/v1", {"llm": {"on": "ollama-cpu"}}),
        (
            "LLM_URL=https://llm.example.org/v1\nLLM_MODEL=gpt\nLLM_CONTEXT_WINDOW=32000",
            {"llm": {"on": "external", "url": "https://llm.example.org/v1", "model": "gpt", "context": 32000}},
        ),
        ("TRANSCRIPT_URL=https://gpu.example.org", {"speech": {"on": "hosted", "url": "https://gpu.example.org"}}),
        ("DIARIZATION_ENABLED=false", {"speech": {"diarization": False}}),
        (
            "TRANSCRIPT_STORAGE_BACKEND=aws\nTRANSCRIPT_STORAGE_AWS_REGION=eu-west-1\n"
            "TRANSCRIPT_STORAGE_AWS_BUCKET_NAME=meetings",
            {"storage": {"on": "s3", "region": "eu-west-1", "bucket": "meetings"}},
        ),
        ("BASE_URL=https://192.0.2.7", {"proxy": {"ip": "192.0.2.7"}}),
        ("BASE_URL=http://localhost:1250", {}),
    ],
    ids=str,
)  # fmt: skip
def test_each_way_of_it_has_its_key(text: str, expected: dict[str, Any]) -> None:
    assert take(text).config == ApplianceConfig.model_validate(expected)


def test_machine_without_logins_gets_them() -> None:
    found = take("AUTH_BACKEND=none\nPUBLIC_MODE=true\n")
    assert not found.config.access.public
    assert any("The old server had no login" in remark for remark in found.remarks)


def test_placeholders_are_no_secrets() -> None:
    assert (
        take(f"SECRET_KEY={PLACEHOLDER_SECRET}\nTRANSCRIPT_MODAL_API_KEY=selfhosted").secrets == {}
    )
    hosted = take("TRANSCRIPT_URL=https://g.example.org\nTRANSCRIPT_MODAL_API_KEY=real")
    assert hosted.secrets == {"REFLECTOR_GPU_APIKEY": "real"}


@pytest.mark.parametrize("text", ["no equals sign", "1X=2", "= 3"])
def test_line_that_is_none_is_said(text: str) -> None:
    with pytest.raises(ConfigError, match="Line 2 is not NAME=value"):
        parse(f"A=1\n{text}\n")


def test_value_that_cannot_be_used_is_said() -> None:
    with pytest.raises(ConfigError, match="are invalid"):
        take("BASE_URL=https://under_score.example.org")


def test_file_of_the_operator_keeps_remarks_order_and_what_did_not_change() -> None:
    text = '# mine\n[proxy]\ndomain = "a.example.org"  # ours\n\n[speech]\non = "cpu"\n'
    config = ApplianceConfig.model_validate(
        {"proxy": {"ip": "192.0.2.7"}, "speech": {"on": "cpu"}, "llm": {"model": "mistral"}}
    )
    assert with_config(text, config) == (
        '# mine\n[proxy]\nip = "192.0.2.7"\n\n[speech]\non = "cpu"\n\n[llm]\nmodel = "mistral"\n'
    )
    assert with_config(text, ApplianceConfig.model_validate(
        {"proxy": {"domain": "a.example.org"}, "speech": {"on": "cpu"}}
    )) == text  # fmt: skip


def test_values_are_read_as_their_quotes_say() -> None:
    text = """\
AUTH_BACKEND="password"   # logins
ADMIN_EMAIL='boss@example.org' # who
HF_TOKEN=   # fill in
SMTP_PASSWORD='pa$$word # with hash'
SECRET_KEY="$$6$$0123456789abcdef0123456789abcdef"
ZULIP_API_KEY="line \\"quoted\\" word"
HOTWORDS="Anna
Peter"
WHISPER_BEAM_SIZE=3 # faster
"""
    assert parse("\ufeff" + text) == {
        "AUTH_BACKEND": "password",
        "ADMIN_EMAIL": "boss@example.org",
        "HF_TOKEN": "",
        "SMTP_PASSWORD": "pa$$word # with hash",
        "SECRET_KEY": "$6$0123456789abcdef0123456789abcdef",
        "ZULIP_API_KEY": 'line "quoted" word',
        "HOTWORDS": "Anna\nPeter",
        "WHISPER_BEAM_SIZE": "3",
    }
