"""Plan the application's settings and secrets, and which unit gets which."""

from __future__ import annotations

from appliance.config.imported import SECRETS
from appliance.config.model import LanguageModelOn, SpeechOn, StorageOn
from appliance.configure import environment
from appliance.configure.plan.view import Planned, View
from appliance.machine import units
from appliance.render import render
from appliance.secrets.store import credential_line

STEP = "application"
S3_KEYS = ("TRANSCRIPT_STORAGE_AWS_ACCESS_KEY_ID", "TRANSCRIPT_STORAGE_AWS_SECRET_ACCESS_KEY")
# The names under which clients of the speech service know its key
SPEECH_KEYS = ("TRANSCRIPT_MODAL_API_KEY", "DIARIZATION_MODAL_API_KEY", "TRANSLATE_MODAL_API_KEY")
SPEECH_KEY = "REFLECTOR_GPU_APIKEY"
# Further secrets of the application, for Zulip, e-mail and rooms. Units that reach the network get
# them
OTHERS = SECRETS - {"SECRET_KEY", "ADMIN_PASSWORD_HASH", "LLM_API_KEY", "HF_TOKEN", SPEECH_KEY,
                    *S3_KEYS, *SPEECH_KEYS, "PADDING_MODAL_API_KEY", "MIXDOWN_MODAL_API_KEY"}  # fmt: skip
DEFAULT_PORTS = (50000, 50100)
DEFAULT_FOLDER = "/var/lib/reflector"


def plan(view: View) -> Planned:
    broker = view.state.broker or "valkey"
    values = environment.settings_of(view.facts, view.config, view.placement, broker)
    yield from _secrets(view)
    yield from view.file(
        STEP, environment.PATH, environment.render(values), "the application's settings",
        mode=0o640, owner="root:reflector", restarts=units.APPLICATION,
    )  # fmt: skip
    folder = str(view.config.storage.folder)
    seen = set()
    for unit in units.APPLICATION:
        path = units.drop_in(unit)
        if path in seen:
            continue
        seen.add(path)
        same = tuple(u for u in units.APPLICATION if units.drop_in(u) == path)
        needs_broker = unit != units.TRANSCRIPTION
        text = render(
            "unit.conf.j2",
            wants=[units.broker(broker)] if needs_broker else [],
            group=broker if needs_broker else None,
            reaches_out=_elsewhere(view) if unit != units.MIGRATE else [],
            folder=folder if folder != DEFAULT_FOLDER else None,
            lines=_for_recording(view, unit),
            credentials=[
                credential_line(view.facts, name, file) for name, file in _credentials(view, unit)
            ],
        )
        yield from view.file(STEP, path, text, "its secrets and what it may reach", restarts=same)


def _secrets(view: View) -> Planned:
    yield from view.secret(
        STEP, "SECRET_KEY", "signs logins", made=True, restarts=units.APPLICATION
    )
    hosted = view.config.speech.on is SpeechOn.HOSTED
    yield from view.secret(
        STEP, SPEECH_KEY, "opens the speech service", made=not hosted, restarts=units.APPLICATION
    )
    for name in (*S3_KEYS, "LLM_API_KEY", "HF_TOKEN", *sorted(OTHERS)):
        yield from view.secret(STEP, name, "was given", made=False, restarts=units.APPLICATION)


def _credentials(view: View, unit: str) -> list[tuple[str, str]]:
    """Return the credentials of a unit: the name in the unit, and the name it is stored as.

    A unit gets only the secrets that it uses.
    """
    if unit == units.TRANSCRIPTION:
        names = ["SECRET_KEY", SPEECH_KEY, "HF_TOKEN"]
        if view.config.llm.on is not LanguageModelOn.NONE:
            names.append("LLM_API_KEY")
        return [(name, name) for name in names if view.has_secret(name) or _is_made(view, name)]
    if unit == units.MIGRATE:
        return [("SECRET_KEY", "SECRET_KEY")]
    found = [("SECRET_KEY", "SECRET_KEY")]
    if view.has_secret(SPEECH_KEY) or _is_made(view, SPEECH_KEY):
        found += [(name, SPEECH_KEY) for name in SPEECH_KEYS]
    if view.config.storage.on is not StorageOn.LOCAL:
        found += [(name, name) for name in S3_KEYS]
    if view.has_secret("LLM_API_KEY") and view.config.llm.on is LanguageModelOn.EXTERNAL:
        found.append(("LLM_API_KEY", "LLM_API_KEY"))
    found += [(name, name) for name in sorted(OTHERS) if view.has_secret(name)]
    return found


def _for_recording(view: View, unit: str) -> list[str]:
    """Return the lines that a unit needs to receive sound from browsers.

    These are the WebRTC ports, if they are not the defaults. Without Caddy the API receives the
    sound itself, and its encryption needs memory that is writable and executable.
    """
    if unit == units.LIVE:
        return _ports(view)
    if unit == units.API:
        alone = [] if view.config.proxy.caddy else ["MemoryDenyWriteExecute=no"]
        return [*alone, *_ports(view)]
    return []


def _ports(view: View) -> list[str]:
    network = view.config.network
    first, last = network.webrtc_first_port, network.webrtc_last_port
    if (first, last) == DEFAULT_PORTS:
        return []
    return [f"SocketBindAllow={family}:udp:{first}-{last}" for family in ("ipv4", "ipv6")]


def _is_made(view: View, name: str) -> bool:
    return name == "SECRET_KEY" or (
        name == SPEECH_KEY and view.config.speech.on is not SpeechOn.HOSTED
    )


def _elsewhere(view: View) -> list[str]:
    """Return the external hosts that the settings name."""
    config = view.config
    named = [
        config.speech.url if config.speech.on is SpeechOn.HOSTED else None,
        config.llm.url if config.llm.on is LanguageModelOn.EXTERNAL else None,
        config.storage.endpoint if config.storage.on is StorageOn.S3 else None,
    ]
    hosts = {str(url.host) for url in named if url is not None and url.host}
    if config.storage.on is StorageOn.S3 and config.storage.endpoint is None:
        hosts.add("Amazon S3")
    return sorted(hosts)
