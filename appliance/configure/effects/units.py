"""Enable, disable and start units; refresh the trust store that programs read when they start."""

from __future__ import annotations

from collections.abc import Sequence

from appliance.configure.effects.machine import Machine, apply
from appliance.configure.plan.changes import (
    DisableUnit,
    EnableUnit,
    RefreshTrust,
    RestartUnits,
    StartUnits,
)
from appliance.configure.plan.view import TRUST_STORE
from appliance.errors import ApplyError, CommandError
from appliance.machine.run import run

# A large model on its first way from a slow disk
START_SECONDS = 35 * 60.0


@apply.register
def enable_unit(change: EnableUnit, machine: Machine) -> None:
    run(
        [*_systemctl(machine), "enable", "--no-reload", change.unit]
    )  # whoever starts units reloads


@apply.register
def disable_unit(change: DisableUnit, machine: Machine) -> None:
    run([*_systemctl(machine), "disable", change.unit])
    if machine.is_running:
        run(["systemctl", "stop", change.unit], seconds=START_SECONDS)


@apply.register
def restart_units(change: RestartUnits, machine: Machine) -> None:
    run(["systemctl", "daemon-reload"])
    _systemctl_job("restart", change.units)
    machine.ledger.started(change.units)


@apply.register
def start_units(change: StartUnits, machine: Machine) -> None:
    start(machine, change.units)


@apply.register
def refresh_trust(change: RefreshTrust, machine: Machine) -> None:
    run(["update-ca-certificates"], root=machine.root)
    machine.ledger.started([TRUST_STORE])


def start(machine: Machine, units: Sequence[str]) -> None:
    run(["systemctl", "daemon-reload"])
    _systemctl_job("start", units)
    machine.ledger.started(units)


def restart_waiting(machine: Machine) -> None:
    """Restart those units that run and whose files changed."""
    waiting = sorted(machine.ledger.waiting - {TRUST_STORE})
    running = [u for u in waiting if run(["systemctl", "is-active", u], check=False).status == 0]
    if running:
        run(["systemctl", "daemon-reload"])
        _systemctl_job("restart", running)
    machine.ledger.started(waiting)


def _systemctl(machine: Machine) -> list[str]:
    return ["systemctl"] if machine.is_running else ["systemctl", f"--root={machine.root}"]


def _systemctl_job(verb: str, units: Sequence[str]) -> None:
    """Run a systemctl job. Raises ApplyError with the unit that failed and its last words."""
    try:
        run(["systemctl", "reset-failed"], check=False)
        run(["systemctl", verb, *units], seconds=START_SECONDS)
    except CommandError as error:
        failed = [u for u in units if run(["systemctl", "is-active", u], check=False).status]
        if not failed:
            raise
        lines = [f"{unit} did not start: {last_words(unit)}" for unit in failed]
        raise ApplyError(
            "\n".join(lines), f"See `journalctl -u {failed[0]}`, then run the command again."
        ) from error


def last_words(unit: str) -> str:
    """Return what its journal has of the error, or ends with."""
    done = run(["journalctl", "-u", unit, "-n", "20", "--output=cat", "--no-pager"], check=False)
    lines = [line.strip() for line in done.output.splitlines() if line.strip()]
    own = [line for line in lines if "error" in line.lower() or "fatal" in line.lower()]
    return (own or lines or ["the journal has no line about it"])[-1][:300]
