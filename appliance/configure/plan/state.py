"""What the appliance has done on a machine so far, as far as a plan depends on it: plain data.

`here.py` reads it from a machine; a test writes it down.
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
    """`files`: text by path, of those that a plan asks for. `written`: the SHA-256 of each file as the
    appliance wrote it (two while it is being written). `pristine`: configuration files that are as their package brought them.

    `credentials`: names of the secrets that are kept. `waiting`: units whose files were changed and
    that were not started again since. `postgresql`: the newest installed major version. `broker`:
    `valkey` or `redis`. `clusters`: of PostgreSQL, as `17-reflector`. `listening`: who has a TCP
    port, by number. `firewalls`: others that are at work.
    `folders`: that exist, of those that the configuration names. `artifacts`: installed version by name.
    `done`: what is made once and leaves no file: `database`, `garage`, `admin`.
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
