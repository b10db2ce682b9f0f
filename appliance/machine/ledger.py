"""What the appliance did on a machine: which files it wrote, and what remains to be done after a run
that was cut off. One JSON file, replaced whole after each change."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from appliance.errors import ApplianceError
from appliance.machine.durable import write_durably

PATH = "var/lib/reflector-appliance/ledger.json"
KEYS = ("written", "waiting", "done", "artifacts")


class Ledger:
    def __init__(self, root: Path) -> None:
        self._path = root / PATH
        self._data: dict[str, Any] = {"written": {}, "waiting": [], "done": [], "artifacts": {}}
        try:
            self._data |= json.loads(self._path.read_text())
        except FileNotFoundError:
            pass
        except ValueError as error:
            raise ApplianceError(
                f"{self._path} is damaged: {error}.",
                "Move it away. Unchanged files are recognised again.",
            ) from error

    @property
    def written(self) -> dict[str, list[str]]:
        return dict(self._data["written"])

    @property
    def waiting(self) -> frozenset[str]:
        return frozenset(self._data["waiting"])

    @property
    def done(self) -> frozenset[str]:
        return frozenset(self._data["done"])

    @property
    def artifacts(self) -> dict[str, str]:
        return dict(self._data["artifacts"])

    def will_write(self, path: str, digest: str, restarts: Iterable[str]) -> None:
        """Record a file before it is written: its old and its new content are ours then."""
        known = self._data["written"].setdefault(path, [])
        if digest not in known:
            known.append(digest)
        self.wait_for(restarts)

    def has_written(self, path: str, digest: str | None) -> None:
        """Record that a file was written, or removed if `digest` is None."""
        if digest is None:
            self._data["written"].pop(path, None)
        else:
            self._data["written"][path] = [digest]
        self._save()

    def wait_for(self, units: Iterable[str]) -> None:
        self._data["waiting"] = sorted({*self._data["waiting"], *units})
        self._save()

    def started(self, units: Iterable[str]) -> None:
        self._data["waiting"] = sorted(set(self._data["waiting"]) - set(units))
        self._save()

    def did(self, name: str) -> None:
        self._data["done"] = sorted({*self._data["done"], name})
        self._save()

    def installed(self, name: str, version: str) -> None:
        self._data["artifacts"][name] = version
        self._save()

    def _save(self) -> None:
        write_durably(self._path, json.dumps(self._data, indent=1), mode=0o644)
