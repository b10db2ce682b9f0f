"""Read the state of a machine: files, units, secrets, models, listening programs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import psutil

from appliance.config.model import ApplianceConfig, LanguageModelOn
from appliance.configure.plan.state import State, Unit
from appliance.machine import ollama
from appliance.machine.ledger import Ledger
from appliance.machine.run import run
from appliance.machine.units import KNOWN_UNITS
from appliance.secrets import store

FIREWALLS = {"ufw.service": "ufw", "firewalld.service": "firewalld"}
STATES = ("UnitFileState", "ActiveState")


class FilesOnDisk(Mapping[str, str]):
    """The text of files by path, read on demand.

    A file that is not text counts as edited by hand.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def __getitem__(self, path: str) -> str:
        try:
            return (self._root / path.lstrip("/")).read_text(errors="replace")
        except OSError as error:
            raise KeyError(path) from error

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


class UnitStates(Mapping[str, Unit]):
    """The states of units, as systemd reports them.

    All `expected` units are queried at once, others on demand. A tree that does not run only knows
    whether units are enabled.
    """

    def __init__(self, root: Path, expected: Iterable[str] = ()) -> None:
        self._root = root
        self._expected = list(expected)

    @cached_property
    def _known(self) -> dict[str, Unit]:
        return _shown(self._expected)

    def __getitem__(self, name: str) -> Unit:
        if self._root != Path("/"):
            said = run(
                ["systemctl", f"--root={self._root}", "is-enabled", name], check=False
            ).output.strip()
            return Unit(enabled=said == "enabled")
        return self._known.get(name) or _shown([name]).get(name, Unit())

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def _shown(names: Sequence[str]) -> dict[str, Unit]:
    """Return the states of units by name.

    `systemctl show` prints one paragraph for each name, in the given order.
    """
    if not names:
        return {}
    properties = [f"--property={each}" for each in STATES]
    said = run(["systemctl", "show", *properties, *names], check=False).output
    paragraphs = said.strip().split("\n\n")
    return {name: _unit(text) for name, text in zip(names, paragraphs, strict=False)}


def _unit(paragraph: str) -> Unit:
    values = dict(line.partition("=")[::2] for line in paragraph.splitlines())
    # A generator starts a cluster of PostgreSQL; the target starts an instance of a template
    enabled = values.get("UnitFileState") in {"enabled", "enabled-runtime", "generated"}
    return Unit(enabled=enabled, active=values.get("ActiveState") in {"active", "reloading"})


def read_state(root: Path, config: ApplianceConfig) -> State:
    ledger = Ledger(root)
    running = root == Path("/")
    asks_ollama = running and config.llm.on in {
        LanguageModelOn.OLLAMA_CPU, LanguageModelOn.OLLAMA_GPU
    }  # fmt: skip
    unit_states = UnitStates(root, [*KNOWN_UNITS, *FIREWALLS])
    return State(
        files=FilesOnDisk(root),
        written=ledger.written,
        pristine=_pristine(root),
        credentials=store.names(root),
        units=unit_states,
        waiting=ledger.waiting,
        postgresql=_postgresql(root),
        broker=_broker(root),
        clusters=_clusters(root),
        models=_models(root, config),
        language_models=ollama.models() if asks_ollama else frozenset(),
        artifacts=ledger.artifacts,
        done=ledger.done,
        folders=frozenset(
            str(folder)
            for folder in (config.storage.folder,)
            if (root / str(folder).lstrip("/")).is_dir()
        ),
        listening=listening() if running else {},
        firewalls=frozenset(
            name for unit, name in FIREWALLS.items() if running and unit_states[unit].active
        ),
    )


def listening() -> dict[int, str]:
    """Return the program that listens on each TCP port, on loopback too."""
    found = {}
    for connection in psutil.net_connections("tcp"):
        if connection.status != psutil.CONN_LISTEN or not connection.laddr:
            continue
        try:
            name = psutil.Process(connection.pid).name() if connection.pid else "another program"
        except psutil.Error:
            name = "another program"
        found[connection.laddr.port] = name
    return found


def _postgresql(root: Path) -> str | None:
    found = [path.parent.parent.name for path in root.glob("usr/lib/postgresql/*/bin/postgres")]
    return max(found, key=int, default=None)


def _broker(root: Path) -> str | None:
    for kind in ("valkey", "redis"):
        if (root / f"usr/bin/{kind}-server").exists():
            return kind
    return None


def _clusters(root: Path) -> frozenset[str]:
    found = root.glob("var/lib/postgresql/*/*/PG_VERSION")
    return frozenset(f"{path.parent.parent.name}-{path.parent.name}" for path in found)


def _models(root: Path, config: ApplianceConfig) -> frozenset[str]:
    return names_in(root / str(config.storage.folder).lstrip("/") / "models")


def names_in(folder: Path) -> frozenset[str]:
    """Return the models in a models folder: those in its list, and the other folders in it."""
    beside = {path.name for path in folder.glob("[!.]*/") if path.is_dir()}
    return frozenset(_listed(folder) | beside)


def offered(folder: Path) -> dict[str, Path]:
    """Return the models that `folder` offers, by name, with the folder to import for each.

    This is `folder` itself if it is one model, or a machine's models folder with its list.
    Otherwise it is the folder of each model in it.
    """
    listed = _listed(folder)
    if listed:
        return dict.fromkeys(listed, folder)
    if _is_model(folder):
        return {folder.name: folder}
    return {path.name: path for path in sorted(folder.glob("[!.]*/")) if _is_model(path)}


def _is_model(folder: Path) -> bool:
    return any((folder / name).is_file() for name in ("model.bin", "config.yaml"))


def _listed(folder: Path) -> set[str]:
    try:
        manifest = json.loads((folder / "manifest.json").read_text())
        return {str(name) for name in manifest["models"]}
    except (OSError, ValueError, KeyError, TypeError):
        return set()


def _pristine(root: Path) -> frozenset[str]:
    """Return the configuration files that nobody has changed since their package installed them.

    dpkg's checksums tell. Only the Caddyfile matters here.
    """
    found = set()
    try:
        status = (root / "var/lib/dpkg/status").read_text(errors="replace")
    except OSError:
        return frozenset()
    for line in status.splitlines():
        if not line.startswith(" /etc/"):
            continue
        path, _, sum_ = line.strip().partition(" ")
        file = root / path.lstrip("/")
        if path == "/etc/caddy/Caddyfile" and file.is_file():
            digest = hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()
            if digest == sum_.split()[0]:
                found.add(path)
    return frozenset(found)
