"""Check that configured units run, and what the application says about its parts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from appliance import health
from appliance.configure.parts.running import wanted
from appliance.configure.plan.view import View
from appliance.diagnose.finding import Finding, Status, failed, ok
from appliance.machine import units
from appliance.machine.run import run

PROPERTIES = (
    "Description",
    "ActiveState",
    "SubState",
    "ActiveEnterTimestamp",
    "NRestarts",
    "MemoryCurrent",
)


@dataclass(frozen=True)
class Service:
    """As systemd has it. `memory` in bytes, None where it is not counted; `since` in systemd's words."""

    unit: str
    description: str
    state: str
    since: str
    restarts: int
    memory: int | None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def runs(self) -> bool:
        return self.state.startswith("active")


def services(names: list[str]) -> list[Service]:
    options = [f"--property={name}" for name in PROPERTIES]
    found = []
    for name in names:
        said = run(["systemctl", "show", *options, name], check=False).output
        values = dict(line.partition("=")[::2] for line in said.splitlines())
        memory = values.get("MemoryCurrent", "")
        found.append(
            Service(
                name,
                values.get("Description", ""),
                f"{values.get('ActiveState')} ({values.get('SubState')})",
                values.get("ActiveEnterTimestamp", ""),
                int(values.get("NRestarts") or 0),
                int(memory) if memory.isdigit() and int(memory) < 1 << 60 else None,
            )
        )
    return found


def configured_units(view: View) -> list[str]:
    on = [unit for unit, wants in wanted(view).items() if wants and unit != units.TARGET]
    return [*on, *units.WORKERS]


def findings(view: View) -> Iterator[Finding]:
    for service in services(configured_units(view)):
        if service.runs:
            often = f", restarted {service.restarts} times" if service.restarts else ""
            yield ok(service.unit, f"{service.description}: runs{often}")
        else:
            yield failed(
                service.unit,
                f"{service.description}: {service.state}",
                f"See `journalctl -u {service.unit}`, then `systemctl start {service.unit}`.",
            )
    yield from _of_the_application()


def _of_the_application() -> Iterator[Finding]:
    checks = health.checks()
    if checks is None:
        yield failed("server", "does not answer on 127.0.0.1:1250", "See `appliance logs api`.")
        return
    for check in checks:
        yield Finding(check["name"], Status(check["status"]), check["summary"], check["remedy"])
