"""Plans without a machine: facts, settings and state from data, and the state that a plan leads to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from appliance.artifacts import read
from appliance.config import ApplianceConfig
from appliance.config.flags import with_flags
from appliance.configure.parts.admin import HASH
from appliance.configure.parts.application import S3_KEYS
from appliance.configure.parts.build import Plan, build
from appliance.configure.placement import place
from appliance.configure.plan.changes import (
    Change,
    DisableUnit,
    EnableUnit,
    ImportModels,
    InstallArtifact,
    KeepPassword,
    KeepSecret,
    MakeCluster,
    MakeDatabase,
    MakeFolder,
    MakeSecret,
    PullLanguageModel,
    PullModel,
    RemoveFile,
    SetUpGarage,
    StartUnits,
    TakeDisk,
    WriteFile,
)
from appliance.configure.plan.state import State, Unit
from appliance.configure.plan.view import View, digest
from appliance.machine.facts.model import Card, Disk, Driver, Facts, Interface, Processor, Release

GIB = 1 << 30
MACHINE = Facts(
    Release("debian", "13", "Debian 13"), Processor("cpu", 16, "x86_64"), 64 * GIB, "server",
    disks=(Disk("/dev/sda2", "/", "ext4", 1000 * GIB, 400 * GIB),),
    interfaces=(Interface("eth0", ("192.0.2.9",)),), virtualization="none",
)  # fmt: skip
NODES = ("/dev/nvidia-uvm", "/dev/nvidia0", "/dev/nvidiactl")
DRIVERS = {
    "new": Driver("580.95", (13, 0), True, NODES),
    "of Debian": Driver("550.163.01", (12, 4), True, NODES),
    "too old": Driver("470.256", (11, 4), True, NODES),
    "none": Driver(),
}
# The lock file as `appliance fetch --lock` leaves it
LOCKED = {
    name: replace(each, sha256=dict.fromkeys(each.files, "0" * 64)) for name, each in read().items()
}
# What a machine has whose operator said nothing but `--cpu --password-file …`
USUAL: dict[str, Any] = {"speech": {"on": "cpu", "diarization": False}}


def facts_of(values: Mapping[str, Any]) -> Facts:
    """`cards`: GiB of each; `driver`: a key of DRIVERS; the rest are fields of Facts."""
    found = dict(values)
    sizes = found.pop("cards", [])
    driver = DRIVERS[found.pop("driver", "new" if sizes else "none")]
    has_driver = driver.version is not None
    cards = tuple(
        Card(f"0000:0{n}:00.0", "2684", f"Card {n}", int(size * GIB), (8, 9))
        if has_driver
        else Card(f"0000:0{n}:00.0", "2684")
        for n, size in enumerate(sizes, 1)
    )
    if "addresses" in found:
        found["interfaces"] = (Interface("eth0", tuple(found.pop("addresses"))),)
    if "free" in found:
        found["disks"] = (Disk("/dev/sda2", "/", "ext4", 1000 * GIB, int(found.pop("free") * GIB)),)
    if "memory" in found:
        found["memory"] = int(found["memory"] * GIB)
    if "cores" in found:
        found["processor"] = replace(MACHINE.processor, cores=found.pop("cores"))
    return replace(MACHINE, cards=cards, driver=driver, **found)


def view_of(facts: Facts, config: ApplianceConfig, state: State, **more: Any) -> View:
    return View(facts, config, place(facts, config), state, **{"artifacts": LOCKED, **more})


def config_of(values: Mapping[str, Any], flags: Mapping[str, Any] | None = None) -> ApplianceConfig:
    merged = {
        table: {**USUAL.get(table, {}), **values.get(table, {})} for table in {*USUAL, *values}
    }
    return with_flags(ApplianceConfig.model_validate(merged), dict(flags or {}))


def configured(facts: Facts = MACHINE, config: ApplianceConfig | None = None) -> State:
    """A machine after its first run."""
    chosen = config or config_of({})
    fresh = State(pristine=frozenset({"/etc/caddy/Caddyfile"}))
    view = view_of(facts, chosen, fresh, given={"password": "correct horse"})
    return after(fresh, build(view))


def after(state: State, plan: Plan) -> State:  # noqa: PLR0912 - a branch for each kind of change
    """`state` when every change has been made, and nothing else has happened."""
    files, written = dict(state.files), {k: list(v) for k, v in state.written.items()}
    units, artifacts = dict(state.units), dict(state.artifacts)
    credentials, done = set(state.credentials), set(state.done)
    clusters, models, folders = set(state.clusters), set(state.models), set(state.folders)
    language_models = set(state.language_models)
    for change in plan.changes:
        match change:
            case WriteFile():
                files[change.path] = change.text
                written[change.path] = [digest(change.text)]
            case RemoveFile():
                files.pop(change.path)
                written.pop(change.path)
            case MakeFolder():
                folders.add(change.path)
            case MakeSecret() | KeepSecret():
                credentials.add(change.name)
            case KeepPassword():
                credentials.add(HASH)
            case MakeCluster():
                clusters.add(f"{change.version}-{change.name}")
            case MakeDatabase():
                done.add("database")
            case TakeDisk():
                done.add("data-disk")
            case SetUpGarage():
                done.add("garage")
                credentials.update(S3_KEYS)
            case InstallArtifact():
                artifacts[change.name] = change.version
            case PullModel():
                models.add(change.name)
            case ImportModels():
                models.add(Path(change.folder).name)
            case PullLanguageModel():
                language_models.add(change.name)
            case EnableUnit():
                units[change.unit] = replace(units.get(change.unit, Unit()), enabled=True)
            case DisableUnit():
                units[change.unit] = Unit()
            case StartUnits():
                for unit in change.units:
                    units[unit] = replace(units.get(unit, Unit()), active=True)
    return replace(
        state, pristine=state.pristine - set(written), files=files, written=written, units=units, artifacts=artifacts,
        credentials=frozenset(credentials), done=frozenset(done), clusters=frozenset(clusters),
        models=frozenset(models), folders=frozenset(folders),
        language_models=frozenset(language_models), waiting=frozenset(),
    )  # fmt: skip


def kind_and_target(change: Change) -> str:
    """What a change is made to, without the words that operators read."""
    names = ("path", "name", "unit", "units", "device", "folder", "bucket")
    target = next((getattr(change, name) for name in names if hasattr(change, name)), "")
    words = target if isinstance(target, tuple) else (target,)
    if isinstance(change, SetUpGarage):
        words = (*words, f"{change.capacity / 1e9:.0f} GB")
    return " ".join([type(change).__name__, *words]).strip()


def cases() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for file in sorted((Path(__file__).parent / "cases").glob("*.json")):
        for case in json.loads(file.read_text()):
            name = f"{file.stem}: {case['what']}"
            assert name not in found
            found[name] = case
    return found
