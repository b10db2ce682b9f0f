"""Whether the version that was started works: API, database, queue, and three seconds of speech.

Only then does systemd-boot stop counting its starts (boot-complete.target); else the machine starts again, and
after three such starts the version from before.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import httpx2

from appliance import health
from appliance.config.model import ApplianceConfig, SpeechOn
from appliance.effects import secrets
from appliance.environment import SPEECH
from appliance.errors import ApplyError
from appliance.facts.model import Facts
from appliance.run import run
from appliance.steps.application import SPEECH_KEY

TRANSCRIPTION_SECONDS = 300.0
SPOKEN = "three-seconds.flac"
SYSTEM = Path("/dev/mapper/usr")
BLOCK = 4 << 20


def wait_until_proven(
    facts: Facts, config: ApplianceConfig, say: Callable[[str], None], seconds: float
) -> None:
    """ApplyError with the reason where it does not work within `seconds`."""
    until = time.monotonic() + seconds
    try:
        health.wait_until_ready(say, seconds)
    except ApplyError as error:
        raise ApplyError(f"{error.message} {_failed_units()}".strip(), error.hint) from error
    if config.speech.on is SpeechOn.HOSTED:
        say("speech is recognised elsewhere; that is not tried")
    elif _has_no_model():
        say("there is no speech model yet; a transcription is not tried")
    else:
        _transcribe(facts, max(until - time.monotonic(), TRANSCRIPTION_SECONDS))
        say("three seconds of speech were transcribed")


def read_whole(say: Callable[[str], None]) -> None:
    """All of /usr, as the kernel checks it (dm-verity); ApplyError where a part of it is not as it was built."""
    have = 0
    try:
        with SYSTEM.open("rb", buffering=0) as device:
            while part := device.read(BLOCK):
                have += len(part)
    except OSError as error:
        raise ApplyError(
            f"The system partition is damaged at {have >> 20} MiB: {error.strerror}.",
            "Apply the update again; if that does not help, look at the disk.",
        ) from error
    say(f"all {have >> 20} MiB of the system are as they were built")


def _transcribe(facts: Facts, seconds: float) -> None:
    spoken = files("appliance.slots").joinpath(SPOKEN).read_bytes()
    key = secrets.reveal(facts, SPEECH_KEY) or ""
    try:
        answer = httpx2.post(
            f"{SPEECH}/v1/audio/transcriptions",
            files={"file": (SPOKEN, spoken)}, data={"language": "en"},
            headers={"Authorization": f"Bearer {key}"}, timeout=seconds,
        )  # fmt: skip
        text = str(answer.json().get("text", "")) if answer.status_code == 200 else ""
    except (httpx2.HTTPError, ValueError) as error:
        raise ApplyError(
            f"Three seconds of speech were not transcribed: {error or type(error).__name__}.",
            "See `journalctl -u reflector-transcription`.",
        ) from error
    if not text.strip():
        raise ApplyError(
            f"Three seconds of speech gave no word (HTTP {answer.status_code}).",
            "See `journalctl -u reflector-transcription`.",
        )


def _has_no_model() -> bool:
    try:
        return httpx2.get(f"{SPEECH}/health", timeout=30).status_code == 503
    except httpx2.HTTPError:
        return False


def _failed_units() -> str:
    said = run(["systemctl", "--failed", "--no-legend", "--plain"], check=False).output
    units = [line.split()[0] for line in said.splitlines() if line.strip()]
    jobs = run(["systemctl", "list-jobs", "--no-legend", "--plain"], check=False).output
    waiting = [line.split()[1] for line in jobs.splitlines() if line.endswith("running")]
    found = [f"Failed: {', '.join(units)}."] if units else []
    return " ".join(
        [*found, *([f"Not done with starting: {', '.join(waiting)}."] if waiting else [])]
    )
