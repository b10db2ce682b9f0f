"""Whether the version that was started works: API, database, queue, and three seconds of speech.

Only then does systemd-boot stop counting its starts (boot-complete.target); else the machine starts again, and
after three such starts the version from before.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import httpx2

from appliance import health
from appliance.config.model import ApplianceConfig, SpeechOn
from appliance.configure.effects.units import last_words
from appliance.configure.environment import SPEECH
from appliance.configure.parts.application import SPEECH_KEY
from appliance.errors import ApplyError
from appliance.machine.facts.model import Facts
from appliance.machine.run import run
from appliance.secrets import store

TRANSCRIPTION_SECONDS = 300.0
SPOKEN = "three-seconds.flac"
SYSTEM = Path("/dev/mapper/usr")
BLOCK = 4 << 20
PROOF = "reflector-health.service"
# SD_MESSAGE_UNIT_FAILURE_RESULT: that a unit failed (journalctl --catalog)
UNIT_FAILED = "d9b373ed55a64feb8242e02dbe79a49c"
# Failures in one start that are enough: of a unit that does its work once, and of any. Both may be restarted by each
# request to the server's socket, so that systemd has them among the failed for moments only.
ONESHOT_FAILURES, FAILURES = 3, 10
# Without which the appliance does not work
OURS = ("reflector-", "postgresql@", "valkey-server@", "caddy.")


def wait_until_proven(
    facts: Facts, config: ApplianceConfig, say: Callable[[str], None], seconds: float
) -> None:
    """Wait until the version works. Raises ApplyError with the reason after `seconds`."""
    until = time.monotonic() + seconds
    try:
        health.wait_until_ready(say, seconds, _failed)
    except ApplyError as error:
        if _failed():
            raise
        units = _waiting()
        message = f"The server does not answer. These units are still starting: {units}."
        raise ApplyError(message if units else error.message, error.hint) from error
    if config.speech.on is SpeechOn.HOSTED:
        say("skipped the test of transcription: speech is recognised by another server")
    elif _has_no_model():
        say("skipped the test of transcription: there is no speech model yet")
    else:
        _transcribe(facts, max(until - time.monotonic(), TRANSCRIPTION_SECONDS))
        say("three seconds of speech were transcribed")


def read_whole(say: Callable[[str], None]) -> None:
    """Read all of /usr, so that the kernel checks every block (dm-verity).

    Raises ApplyError if a block is not as it was built.
    """
    have = 0
    try:
        with SYSTEM.open("rb", buffering=0) as device:
            while part := device.read(BLOCK):
                have += len(part)
    except OSError as error:
        raise ApplyError(
            f"The system partition is damaged at {have >> 20} MiB: {error.strerror}.",
            "Apply the update again. If that does not help, check the disk.",
        ) from error
    say(f"all {have >> 20} MiB of the system are as they were built")


def _transcribe(facts: Facts, seconds: float) -> None:
    spoken = files("appliance.boot").joinpath(SPOKEN).read_bytes()
    key = store.reveal(facts, SPEECH_KEY) or ""
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


def _failed() -> str | None:
    """Report a unit that will not start, with its last words: the server's own have nothing more to
    try."""
    said = run(["systemctl", "--failed", "--no-legend", "--plain"], check=False).output
    for unit in [*(line.split()[0] for line in said.splitlines()), *_failed_again_and_again()]:
        if unit.startswith(OURS) and unit != PROOF:
            return f"{unit} failed: {last_words(unit)}"
    return None


def _failed_again_and_again() -> list[str]:
    """Return units that failed too often, such as the database's schema or the server."""
    journal = ["journalctl", "--boot", "--quiet", "--output=json", "--output-fields=UNIT"]
    said = run([*journal, f"MESSAGE_ID={UNIT_FAILED}"], check=False).output
    times = Counter(str(json.loads(line).get("UNIT")) for line in said.splitlines())
    often = [unit for unit, count in times.items() if count >= ONESHOT_FAILURES]
    return [unit for unit in often if times[unit] >= FAILURES or _is_oneshot(unit)]


def _is_oneshot(unit: str) -> bool:
    show = ["systemctl", "show", "--value", "--property=Type", unit]
    return run(show, check=False).output.strip() == "oneshot"


def _waiting() -> str:
    """Return the units that systemd has not done with starting."""
    jobs = run(["systemctl", "list-jobs", "--no-legend", "--plain"], check=False).output
    units = [line.split()[1] for line in jobs.splitlines() if line.endswith("running")]
    return ", ".join(unit for unit in units if unit != PROOF)
