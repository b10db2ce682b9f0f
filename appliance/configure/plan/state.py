"""Describe what is on a machine so far, as far as a plan depends on it: plain data.

`appliance/machine/state.py` reads it from a machine. Tests write it themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Unit:
    enabled: bool = False
    active: bool = False


@dataclass(frozen=True)
class State:
    """What the appliance finds on a machine.

    `files` has the text by path of the files that a plan asks for. `written` has the SHA-256 of
    each file as the appliance wrote it (two while it is being written). `pristine` names the
    configuration files that nobody has changed since their package installed them.
    `credentials` names the stored secrets. `waiting` names the units that have not restarted since
    their files changed. `postgresql` is the newest installed major version, and `broker` is
    `valkey` or `redis`. `clusters` are those of PostgreSQL, such as `17-reflector`. `listening` has
    the program for each used TCP port. `firewalls` names other active firewalls. `folders` are the
    existing ones among those that the configuration names. `artifacts` has the installed version by
    name. `done` names what is made once and leaves no file: `database`, `garage`, `data-disk`.
    """

    files: Mapping[str, str] = field(default_factory=dict)
    written: Mapping[str, Sequence[str]] = field(default_factory=dict)
    pristine: frozenset[str] = frozenset()
    credentials: frozenset[str] = frozenset()
    units: Mapping[str, Unit] = field(default_factory=dict)
    waiting: frozenset[str] = frozenset()
    postgresql: str | None = "17"
    broker: str | None = "valkey"
    clusters: frozenset[str] = frozenset()
    models: frozenset[str] = frozenset()
    language_models: frozenset[str] = frozenset()
    artifacts: Mapping[str, str] = field(default_factory=dict)
    done: frozenset[str] = frozenset()
    folders: frozenset[str] = frozenset()
    listening: Mapping[int, str] = field(default_factory=dict)
    firewalls: frozenset[str] = frozenset()

    def unit(self, name: str) -> Unit:
        return self.units.get(name, Unit())
