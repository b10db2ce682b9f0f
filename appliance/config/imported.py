"""The reference's `server/.env`, as an appliance has it: its configuration, its secrets, and what remains
for the application alone."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import StringIO
from typing import Any
from urllib.parse import urlsplit

from dotenv.parser import parse_stream
from pydantic import SecretStr

from appliance.config.model import ApplianceConfig
from appliance.errors import ConfigError
from reflector.runtime.settings import PLACEHOLDER_SECRET, Settings

# Names that its containers have for each other: what they lead to is on this machine, or made anew
CONTAINERS = {"transcription", "ollama", "ollama-cpu", "garage", "server", "redis", "postgres", "localhost",
              "127.0.0.1", "host.docker.internal"}  # fmt: skip
# What follows from the configuration here; the reference's installer forces them on every run
DERIVED = {
    "DATABASE_URL", "REDIS_HOST", "REDIS_PORT", "CELERY_BROKER_URL", "CELERY_RESULT_BACKEND", "BASE_URL",
    "UI_BASE_URL", "CORS_ORIGIN", "WEBRTC_HOST", "WEBRTC_PORT_RANGE", "TRANSCRIPT_BACKEND", "TRANSCRIPT_URL",
    "DIARIZATION_ENABLED", "DIARIZATION_BACKEND", "DIARIZATION_URL", "TRANSLATION_BACKEND", "TRANSLATE_URL",
    "LLM_URL", "LLM_MODEL", "LLM_CONTEXT_WINDOW", "AUTH_BACKEND", "PUBLIC_MODE", "ADMIN_EMAIL", "DATA_DIR",
    "TRANSCRIPT_STORAGE_BACKEND", "TRANSCRIPT_STORAGE_AWS_BUCKET_NAME", "TRANSCRIPT_STORAGE_AWS_REGION",
    "TRANSCRIPT_STORAGE_AWS_ENDPOINT_URL", "DIARIZATION_MODAL_API_KEY", "TRANSLATE_MODAL_API_KEY",
}  # fmt: skip
SECRETS = {
    name
    for name, each in Settings.model_fields.items()
    if each.annotation in {SecretStr, SecretStr | None}
} | {"TRANSCRIPT_STORAGE_AWS_ACCESS_KEY_ID"}
NOT_SECRET = {"selfhosted", "not-needed", PLACEHOLDER_SECRET}


@dataclass(frozen=True)
class Imported:
    """`secrets` by the names under which they are kept; `settings`: of the application, not derived.
    `remarks`: what is otherwise than it was, a sentence each."""

    config: ApplianceConfig
    secrets: dict[str, str] = field(repr=False)
    settings: dict[str, str]
    remarks: list[str]


def parse(text: str) -> dict[str, str]:
    """Return an environment file as docker compose reads it; ConfigError names the line that is
    none.

    Values may be quoted, have a comment behind them, and in quotes several lines. `$$` is a dollar
    sign, but in single quotes nothing is changed.
    """
    found = {}
    for binding in parse_stream(StringIO(text.removeprefix("\ufeff"))):
        line, original = binding.original.line, binding.original.string
        if binding.key is None and not binding.error:
            continue
        if binding.error or binding.value is None or not (binding.key or "").isidentifier():
            first = original.strip().partition("\n")[0]
            raise ConfigError(f"Line {line} is not NAME=value: {first[:60]}", "Mend that line.")
        is_literal = original.partition("=")[2].lstrip().startswith("'")
        assert binding.key is not None
        value = binding.value if is_literal else binding.value.replace("$$", "$")
        found[binding.key.upper()] = value
    return found


def imported(values: Mapping[str, str], base: ApplianceConfig) -> Imported:
    """Raise ConfigError if a value cannot be used."""
    remarks: list[str] = []
    tables: dict[str, dict[str, Any]] = base.model_dump(mode="json", exclude_none=True)
    for make in (_speech, _language_model, _storage, _proxy, _access, _network):
        for table, changes in make(values, remarks).items():
            tables[table] |= changes
    try:
        config = ApplianceConfig.model_validate(tables)
    except ValueError as error:
        raise ConfigError(f"These settings are invalid: {error}", "Change the file.") from error
    secrets = {
        name: value
        for name, value in values.items()
        if name in SECRETS and value and value not in NOT_SECRET and name not in DERIVED
    }
    if "TRANSCRIPT_MODAL_API_KEY" in secrets:
        secrets["REFLECTOR_GPU_APIKEY"] = secrets.pop("TRANSCRIPT_MODAL_API_KEY")
    settings = {
        name: value
        for name, value in values.items()
        if name in Settings.model_fields and value and name not in DERIVED | SECRETS
    }
    unknown = sorted(name for name in values if name not in Settings.model_fields)
    if unknown:
        remarks.append(f"Left out because they are unknown: {', '.join(unknown)}.")
    return Imported(config, secrets, settings, remarks)


def _is_elsewhere(url: str) -> bool:
    return bool(url) and (urlsplit(url).hostname or "") not in CONTAINERS


def _speech(values: Mapping[str, str], remarks: list[str]) -> dict[str, Any]:
    if _is_elsewhere(values.get("TRANSCRIPT_URL", "")):
        return {"speech": {"on": "hosted", "url": values["TRANSCRIPT_URL"]}}
    return {"speech": {"diarization": values.get("DIARIZATION_ENABLED", "true").lower() != "false"}}


def _language_model(values: Mapping[str, str], remarks: list[str]) -> dict[str, Any]:
    url = values.get("LLM_URL", "")
    found: dict[str, Any] = {}
    if values.get("LLM_MODEL"):
        found["model"] = values["LLM_MODEL"]
    if values.get("LLM_CONTEXT_WINDOW", "").isdecimal():
        found["context"] = int(values["LLM_CONTEXT_WINDOW"])
    if _is_elsewhere(url):
        found |= {"on": "external", "url": url}
    elif url:
        found["on"] = "ollama-cpu" if urlsplit(url).hostname == "ollama-cpu" else "ollama-gpu"
    return {"llm": found}


def _storage(values: Mapping[str, str], remarks: list[str]) -> dict[str, Any]:
    if values.get("TRANSCRIPT_STORAGE_BACKEND") != "aws":
        return {}
    endpoint = values.get("TRANSCRIPT_STORAGE_AWS_ENDPOINT_URL", "")
    if endpoint and not _is_elsewhere(endpoint):
        remarks.append(
            "Recordings in the old Garage are not copied. This machine gets a new Garage."
        )
        return {"storage": {"on": "garage"}}
    found: dict[str, Any] = {"on": "s3"}
    for key, name in (
        ("bucket", "BUCKET_NAME"),
        ("region", "REGION"),
        ("endpoint", "ENDPOINT_URL"),
    ):
        if value := values.get(f"TRANSCRIPT_STORAGE_AWS_{name}"):
            found[key] = value
    return {"storage": found}


def _proxy(values: Mapping[str, str], remarks: list[str]) -> dict[str, Any]:
    host = urlsplit(values.get("BASE_URL", "")).hostname or ""
    if not host or host in CONTAINERS:
        return {}
    try:
        return {"proxy": {"ip": str(ipaddress.ip_address(host))}}
    except ValueError:
        return {"proxy": {"domain": host}} if "." in host else {}


def _access(values: Mapping[str, str], remarks: list[str]) -> dict[str, Any]:
    """Import who may log in; an import never turns a login off."""
    if values.get("AUTH_BACKEND", "none") == "none":
        remarks.append(
            "The old server had no login. This one needs one, unless access.public = true is set in appliance.toml."
        )
    if values.get("AUTH_BACKEND") == "jwt":
        remarks.append("AUTH_BACKEND=jwt is kept as it was, in local.env.")
    return {"access": {"admin": values["ADMIN_EMAIL"]}} if values.get("ADMIN_EMAIL") else {}


def _network(values: Mapping[str, str], remarks: list[str]) -> dict[str, Any]:
    first, separator, last = values.get("WEBRTC_PORT_RANGE", "").partition("-")
    if not (separator and first.isdecimal() and last.isdecimal()):
        return {}
    return {"network": {"webrtc_first_port": int(first), "webrtc_last_port": int(last)}}
