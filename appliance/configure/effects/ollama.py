"""Pull Ollama's models, by its HTTP API (github.com/ollama/ollama/blob/main/docs/api.md)."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import httpx2

from appliance.configure.effects.machine import Machine, apply
from appliance.configure.effects.units import start
from appliance.configure.plan.changes import PullLanguageModel
from appliance.errors import ApplianceError
from appliance.machine import units
from appliance.machine.ollama import ADDRESS, models
from appliance.machine.run import run

# Where `set-property --runtime` keeps what it sets (systemctl(1))
RUNTIME_PROPERTIES = Path(f"/run/systemd/system.control/{units.OLLAMA}.d")
# Ollama's own folder of models (`blobs`, `manifests`), where downloads are taken from
BROUGHT = "ollama-models"
MODELS = "/var/lib/ollama/models"
START_SECONDS = 60.0
# Nothing for so long, and the download has stopped
SILENT_SECONDS = 300.0


@apply.register
def pull_language_model(change: PullLanguageModel, machine: Machine) -> None:
    brought = machine.artifacts / BROUGHT if machine.artifacts else None
    if brought is not None and brought.is_dir():
        take_over(brought, Path(MODELS), machine.say)
    start(machine, [units.OLLAMA])
    wait(ADDRESS)
    if change.name in models():
        return
    # The unit reaches nobody outside; only while its operator wants it to fetch something
    run(["systemctl", "set-property", "--runtime", units.OLLAMA, "IPAddressAllow=any"])
    try:
        pull(change.name, machine.say)
    finally:
        # Not `systemctl revert`, which takes the drop-ins in /etc away as well
        shutil.rmtree(RUNTIME_PROPERTIES, ignore_errors=True)
        run(["systemctl", "daemon-reload"])


def take_over(brought: Path, to: Path, say: Callable[[str], None]) -> None:
    """Copy models from a folder beside those already there.

    Ollama names each part by its checksum, so equal parts are stored once.
    """
    say(f"copying the language models in {brought}")
    try:
        for file in sorted(p for p in brought.rglob("*") if p.is_file()):
            target = to / file.relative_to(brought)
            if not target.is_file() or target.stat().st_size != file.stat().st_size:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, target)
    except OSError as error:
        raise ApplianceError(
            f"The language models in {brought} could not be copied: {error.strerror}.",
            "Check the free space of the disk.",
        ) from error
    run(["chown", "--recursive", "ollama:ollama", to.parent])


def wait(address: str, seconds: float = START_SECONDS) -> None:
    until = time.monotonic() + seconds
    while True:
        try:
            httpx2.get(f"{address}/api/version", timeout=5).raise_for_status()
            return
        except httpx2.HTTPError as error:
            if time.monotonic() > until:
                raise ApplianceError(
                    f"Ollama does not answer at {address}: {error}.", "See `journalctl -u ollama`."
                ) from error
            time.sleep(0.5)


def pull(name: str, say: Callable[[str], None], address: str = ADDRESS) -> None:
    """Pull a model. Ollama keeps an interrupted download and resumes it."""
    told = ""
    try:
        with httpx2.stream(
            "POST", f"{address}/api/pull", json={"model": name}, timeout=SILENT_SECONDS
        ) as answer:
            if answer.status_code >= 400:
                raise _refused(name, answer.read().decode(errors="replace"))
            for line in answer.iter_lines():
                said = json.loads(line)
                if "error" in said:
                    raise _refused(name, said["error"])
                shown = _progress(said)
                if shown != told:
                    told = shown
                    say(f"{name}: {shown}")
    except (httpx2.HTTPError, ValueError) as error:
        raise ApplianceError(
            f"The model {name} could not be pulled: {error}.",
            "Run the command again. Ollama resumes the download.",
        ) from error
    if told != "success":
        raise ApplianceError(
            f"The model {name} could not be pulled: Ollama stopped at “{told}”.",
            "Run the command again.",
        )


def _progress(said: dict[str, object]) -> str:
    total, completed = said.get("total"), said.get("completed")
    if isinstance(total, int) and isinstance(completed, int) and total:
        return f"{said.get('status')} {100 * completed // total // 5 * 5} %"
    return str(said.get("status", ""))


def _refused(name: str, said: str) -> ApplianceError:
    return ApplianceError(
        f"Ollama cannot pull {name}: {said[:300]}",
        "Look up the model's name at ollama.com/library and set llm.model.",
    )
