"""Compute the application's settings from facts, configuration and placement: `reflector.env`.

Secrets are not among them: they reach the units as credentials.
"""

from __future__ import annotations

from appliance.config.model import (
    ApplianceConfig,
    Certificate,
    LanguageModelOn,
    SpeechOn,
    StorageOn,
)
from appliance.configure.placement import Placement
from appliance.machine.facts.model import Facts

PATH = "/etc/reflector/reflector.env"
HEADER = "# Written by `appliance` from /etc/reflector/appliance.toml. Change that file instead."
# Read after reflector.env: settings that the operator gives the application directly
LOCAL = "/etc/reflector/local.env"
LOCAL_HEADER = "# Your own settings of the application, apart from those in appliance.toml. See configuration.md."
SPEECH = "http://127.0.0.1:8000"
OLLAMA = "http://127.0.0.1:11434/v1"
GARAGE = "http://127.0.0.1:3900"
DATABASE_FOLDER = "/run/reflector-postgresql"
# Sentences about the machine that the application's pages show
NOTICES = "/var/lib/reflector-appliance/notices.json"
ROOT_CERTIFICATE = "reflector-root.crt"


def broker_socket(kind: str) -> str:
    """Return the socket of the instance `reflector`; `kind` is valkey or redis."""
    return f"/run/{kind}-reflector/{kind}-server.sock"


def address(facts: Facts, config: ApplianceConfig) -> str:
    """Return where people reach the machine: its domain, its address, or its mDNS name.

    Without an address and mDNS this is localhost. An IPv6 address is in brackets.
    """
    found = config.proxy.domain or config.proxy.ip or next(iter(facts.addresses), None)
    if found is None:
        return f"{facts.host_name}.local" if config.network.mdns else "localhost"
    return f"[{found}]" if ":" in found else found


def sites(facts: Facts, config: ApplianceConfig) -> list[str]:
    """Return all names that Caddy answers to, the one in links first."""
    if config.proxy.domain:
        return [config.proxy.domain]
    names = [f"{facts.host_name}.local"] if config.network.mdns else []
    found = [f"[{a}]" if ":" in a else a for a in facts.addresses]
    return list(
        dict.fromkeys([address(facts, config), *found, *names, facts.host_name, "localhost"])
    )


def is_own_authority(config: ApplianceConfig) -> bool:
    return config.proxy.caddy and config.proxy.chosen_certificate is Certificate.INTERNAL


def public_url(facts: Facts, config: ApplianceConfig) -> str:
    if config.proxy.caddy:
        return f"https://{address(facts, config)}"
    return str(config.proxy.url or "http://localhost:1250").rstrip("/")


def settings_of(
    facts: Facts, config: ApplianceConfig, placement: Placement, broker: str = "valkey"
) -> dict[str, str]:
    """Return the names and values of the application's settings (see docs/configuration.md)."""
    url = public_url(facts, config)
    origins = [f"https://{name}" for name in sites(facts, config)] if config.proxy.caddy else [url]
    socket = broker_socket(broker)
    first, last = config.network.webrtc_first_port, config.network.webrtc_last_port
    return {
        "DATA_DIR": str(config.storage.folder),
        "DATABASE_URL": f"postgresql:///reflector?host={DATABASE_FOLDER}",
        "REDIS_URL": f"unix://{socket}?db=0",
        "CELERY_BROKER_URL": f"redis+socket://{socket}?virtual_host=1",
        "BASE_URL": url,
        "UI_BASE_URL": url,
        "CORS_ORIGIN": ",".join(origins),
        "CA_CERTIFICATE_URL": f"/{ROOT_CERTIFICATE}" if is_own_authority(config) else "",
        "MIN_FREE_BYTES": str(config.storage.low_space_gib << 30),
        "NOTICES_FILE": NOTICES,
        "WEBRTC_PORT_RANGE": f"{first}-{last}",
        **_access(config),
        **_speech(config, placement),
        **_language_model(config, placement),
        **_storage(config),
    }


def render(values: dict[str, str], header: str = HEADER) -> str:
    """Return the settings in the format of systemd's EnvironmentFile=."""
    lines = [f'{name}="{_escaped(value)}"' for name, value in sorted(values.items())]
    return "\n".join([header, *lines, ""])


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$").replace("`", "\\`")


def _access(config: ApplianceConfig) -> dict[str, str]:
    if config.access.public:
        return {"AUTH_BACKEND": "none", "PUBLIC_MODE": "true"}
    return {"AUTH_BACKEND": "password", "PUBLIC_MODE": "false", "ADMIN_EMAIL": config.access.admin}


def _speech(config: ApplianceConfig, placement: Placement) -> dict[str, str]:
    url = str(config.speech.url).rstrip("/") if config.speech.on is SpeechOn.HOSTED else SPEECH
    # A hosted service has translation models of its own; the local one asks the language model
    translates = config.speech.on is SpeechOn.HOSTED or config.llm.on is not LanguageModelOn.NONE
    values = {
        "TRANSCRIPT_BACKEND": "modal",
        "TRANSCRIPT_URL": url,
        "DIARIZATION_ENABLED": str(config.speech.diarization).lower(),
        "DIARIZATION_BACKEND": "modal",
        "DIARIZATION_URL": url,
        "TRANSLATION_BACKEND": "modal" if translates else "passthrough",
        "TRANSLATE_URL": url,
    }
    if placement.speech_device:
        values["SPEECH_DEVICE"] = placement.speech_device
    if placement.whisper_model:
        values["WHISPER_MODEL"] = placement.whisper_model
    if config.speech.diarization_model:
        values["DIARIZATION_MODEL"] = config.speech.diarization_model
    return values


def _language_model(config: ApplianceConfig, placement: Placement) -> dict[str, str]:
    values = {"LLM_MODEL": config.llm.model, "LLM_CONTEXT_WINDOW": str(config.llm.context)}
    match config.llm.on:
        case LanguageModelOn.NONE:
            return {}
        case LanguageModelOn.EXTERNAL:
            return {"LLM_URL": str(config.llm.url), **values}
    if placement.speech_device == "cpu" and not placement.language_model_on_card:
        # The words of a meeting that runs need all of the processor
        values["LIVE_TOPICS"] = "false"
    return {"LLM_URL": OLLAMA, **values}


def _storage(config: ApplianceConfig) -> dict[str, str]:
    if config.storage.on is StorageOn.LOCAL:
        return {"TRANSCRIPT_STORAGE_BACKEND": "local"}
    endpoint = GARAGE if config.storage.on is StorageOn.GARAGE else config.storage.endpoint
    values = {
        "TRANSCRIPT_STORAGE_BACKEND": "aws",
        "TRANSCRIPT_STORAGE_AWS_BUCKET_NAME": config.storage.bucket,
        "TRANSCRIPT_STORAGE_AWS_REGION": config.storage.region,
    }
    if endpoint:
        values["TRANSCRIPT_STORAGE_AWS_ENDPOINT_URL"] = str(endpoint).rstrip("/")
    return values
