"""Plan which units are enabled, disabled, started and restarted."""

from __future__ import annotations

from collections.abc import Iterable

from appliance.config.model import LanguageModelOn, SpeechOn, StorageOn
from appliance.configure.parts.network import wants_firewall
from appliance.configure.plan.changes import (
    Change,
    DisableUnit,
    EnableUnit,
    RefreshTrust,
    RestartUnits,
    StartUnits,
)
from appliance.configure.plan.view import TRUST_STORE, Planned, View
from appliance.machine import units

STEP = "units"


def wanted(view: View) -> dict[str, bool]:
    """Return every unit that is the appliance's business, and whether it should run."""
    config = view.config
    state = view.state
    found = {
        units.TARGET: True,
        units.API_SOCKET: True,
        units.API: True,
        units.LIVE: True,
        units.BEAT: True,
        units.TRANSCRIPTION: config.speech.on is not SpeechOn.HOSTED,
        units.CADDY: config.proxy.caddy,
        units.FIREWALL: wants_firewall(view),
        # The socket first: it would start the service again
        units.AVAHI_SOCKET: config.network.mdns,
        units.AVAHI: config.network.mdns,
        units.GARAGE: config.storage.on is StorageOn.GARAGE,
        units.OLLAMA: config.llm.on in {LanguageModelOn.OLLAMA_CPU, LanguageModelOn.OLLAMA_GPU},
    }
    if f"{units.SYSTEM}/{units.PERSISTENCE}" in state.files and _on_card(view):
        found[units.PERSISTENCE] = True
    if state.postgresql:
        found[units.postgresql(state.postgresql)] = True
    if state.broker:
        found[units.broker(state.broker)] = True
    return found


def _on_card(view: View) -> bool:
    device = view.placement.speech_device or ""
    return device.startswith("cuda") or view.placement.language_model_on_card


def plan(view: View, before: Iterable[Change]) -> Planned:
    """Plan what is started. `before`: earlier changes, some of which require a restart."""
    for unit, on in wanted(view).items():
        is_now = view.state.unit(unit)
        if on and not is_now.enabled:
            yield EnableUnit(step=STEP, reason="is configured", unit=unit)
        elif not on and (is_now.enabled or is_now.active):
            yield DisableUnit(step=STEP, reason="is not configured", unit=unit)
    if view.offline:
        return
    touched = {unit for change in before for unit in getattr(change, "restarts", ())}
    touched |= view.state.waiting
    if TRUST_STORE in touched:
        yield RefreshTrust(step=STEP, reason="they changed")
    running = [unit for unit, wants in wanted(view).items() if wants]
    known = list(dict.fromkeys([*_first(view), units.MIGRATE, *running, *units.WORKERS]))
    again = [u for u in known if u in touched and view.state.unit(u).active]
    if again:
        yield RestartUnits(step=STEP, reason="their configuration changed", units=tuple(again))
    off = [u for u in known if not view.state.unit(u).active]
    if off:
        yield StartUnits(step=STEP, reason="they are to run", units=tuple(off))


def _first(view: View) -> list[str]:
    """Return what others need, before them."""
    state = view.state
    found = [units.postgresql(state.postgresql)] if state.postgresql else []
    return [*found, *([units.broker(state.broker)] if state.broker else [])]
