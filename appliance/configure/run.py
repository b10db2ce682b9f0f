"""Configure a machine: plan, preflight, changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from appliance import health
from appliance.boot.machine import image_version
from appliance.config.load import PATH
from appliance.config.model import ApplianceConfig
from appliance.config.save import with_config
from appliance.configure.apply import exclusive_lock, execute
from appliance.configure.effects.machine import Machine
from appliance.configure.effects.units import restart_waiting
from appliance.configure.environment import public_url
from appliance.configure.parts.build import Plan, build
from appliance.configure.placement import place
from appliance.configure.plan.changes import (
    EnableUnit,
    MakeFolder,
    MakeSecret,
    RemoveFile,
    WriteFile,
)
from appliance.configure.plan.view import View
from appliance.configure.preflight import check, read_authority
from appliance.errors import ConfigError
from appliance.log import logged
from appliance.machine.durable import write_durably
from appliance.machine.facts.model import Facts
from appliance.machine.ledger import Ledger
from appliance.machine.state import offered, read_state
from appliance.secrets import store

# There from the first time that everything ran on; nobody is asked for answers again
CONFIGURED = "var/lib/reflector-appliance/configured"
# What can be changed while the application does not run yet
FILES = (WriteFile, RemoveFile, MakeFolder, MakeSecret, EnableUnit)


@dataclass(frozen=True)
class ConfigureRun:
    """`handed`: secrets by name, the administrator's password among them. `models`, `artifacts`: folders
    to take from. `force`: replace what was edited by hand."""

    facts: Facts
    config: ApplianceConfig
    root: Path = Path("/")
    handed: Mapping[str, str] = field(default_factory=dict, repr=False)
    models: Path | None = None
    artifacts: Path | None = None
    force: bool = False

    @property
    def offline(self) -> bool:
        return self.root != Path("/")

    def view(self) -> View:
        """Build the view for planning. Raises ConfigError or CheckError for unusable input."""
        state = read_state(self.root, self.config)
        return View(
            self.facts,
            self.config,
            place(self.facts, self.config),
            state,
            given={} if self.offline else self._new(state.credentials),
            authorities=authorities(self.config),
            models=_offered(self.models),
            force=self.force,
            offline=self.offline,
        )

    def plan(self, view: View) -> Plan:
        """Write the configuration first: an interrupted run is resumed from it."""
        plan = build(view)
        change = configuration_change(self.root / str(PATH).lstrip("/"), self.config)
        return replace(plan, changes=[change, *plan.changes]) if change else plan

    def execute(self, plan: Plan, say: Callable[[str], None]) -> None:
        """Raise ApplyError if a change cannot be made, or what was started does not work."""
        with exclusive_lock(self.root), logged(self.root, say) as told:
            machine = Machine(self.root, self.facts, Ledger(self.root), self.artifacts, told)
            execute(plan.changes, machine)
            if not self.offline:
                health.wait_until_ready(told)
                write_durably(self.root / CONFIGURED, image_version(self.root) or "", 0o644)
                told(f"Reflector is at {public_url(self.facts, self.config)}")

    def write_files(self, say: Callable[[str], None]) -> None:
        """Write files and enable units, then restart the running units that read them."""
        changes = [c for c in self.plan(self.view()).changes if isinstance(c, FILES)]
        if not changes:
            return
        with exclusive_lock(self.root), logged(self.root, say) as told:
            machine = Machine(self.root, self.facts, Ledger(self.root), self.artifacts, told)
            execute(changes, machine)
            restart_waiting(machine)

    def _new(self, kept: frozenset[str]) -> dict[str, str]:
        """Drop the secrets that the machine already has, so that a second run plans nothing."""
        return {
            name: value
            for name, value in self.handed.items()
            if name not in kept or store.reveal(self.facts, name) != value
        }


def configure_machine(wanted: ConfigureRun, say: Callable[[str], None]) -> None:
    """Plan, try, change; nothing is asked."""
    view = wanted.view()
    plan = wanted.plan(view)
    for note in plan.notes:
        say(f"note: {note.text}")
    if not wanted.offline:
        check(view)
    wanted.execute(plan, say)


def authorities(config: ApplianceConfig) -> tuple[str, ...]:
    """Return those that the configuration names, in PEM; CheckError where a file is none."""
    proxy = config.proxy
    files = [*([proxy.custom_ca] if proxy.custom_ca else []), *proxy.extra_ca]
    return tuple(read_authority(file) for file in files)


def configuration_change(file: Path, config: ApplianceConfig) -> WriteFile | None:
    """Return the change that makes `appliance.toml` say `config`; None if it does."""
    before = file.read_text() if file.is_file() else None
    text = with_config(before or "", config)
    if text == before:
        return None
    return WriteFile(
        step="configuration", reason="as requested", path=str(PATH), text=text, before=before
    )


def _offered(folder: Path | None) -> dict[str, Path]:
    if folder is None:
        return {}
    found = offered(folder.absolute())
    if not found:
        raise ConfigError(
            f"There is no speech model in {folder}.",
            "Use the models folder of a machine, or the folder of one model.",
        )
    return found
