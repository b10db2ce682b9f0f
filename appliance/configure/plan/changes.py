"""The changes that a plan is made of. They are data: `appliance/configure/effects/` makes them happen.

`title()` is what an operator reads; a secret's value is in none of them.
"""

from __future__ import annotations

import difflib
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Change:
    """`step`: which part of the appliance wants it, and `reason`: why."""

    step: str
    reason: str

    def title(self) -> str:
        raise NotImplementedError

    def difference(self) -> str:
        """Return a unified diff of a text file; empty for other changes."""
        return ""

    def as_json(self) -> dict[str, Any]:
        hidden = {"text", "before", "value", "password"}
        values = {key: value for key, value in asdict(self).items() if key not in hidden}
        return {"kind": type(self).__name__, "title": self.title(), **values}


@dataclass(frozen=True, kw_only=True)
class WriteFile(Change):
    """`restarts`: units that read it when they start."""

    path: str
    text: str
    before: str | None = None
    mode: int = 0o644
    owner: str = "root:root"
    restarts: tuple[str, ...] = ()

    def title(self) -> str:
        return f"{'write' if self.before is None else 'change'} {self.path}"

    def difference(self) -> str:
        return difference(self.path, self.before or "", self.text)


@dataclass(frozen=True, kw_only=True)
class RemoveFile(Change):
    path: str
    before: str
    restarts: tuple[str, ...] = ()

    def title(self) -> str:
        return f"remove {self.path}"

    def difference(self) -> str:
        return difference(self.path, self.before, "")


@dataclass(frozen=True, kw_only=True)
class MakeFolder(Change):
    path: str
    mode: int = 0o750
    owner: str = "reflector:reflector"

    def title(self) -> str:
        return f"create the folder {self.path}"


@dataclass(frozen=True, kw_only=True)
class TakeDisk(Change):
    """An empty one, as ext4 labelled `label`, mounted at `folder` by `unit`."""

    device: str
    label: str
    unit: str
    folder: str

    def title(self) -> str:
        return f"format {self.device} for {self.folder}"


@dataclass(frozen=True, kw_only=True)
class MakeSecret(Change):
    """A random one, `length` bytes."""

    name: str
    length: int = 32
    restarts: tuple[str, ...] = ()

    def title(self) -> str:
        return f"create the secret {self.name}"


@dataclass(frozen=True, kw_only=True)
class KeepSecret(Change):
    """One that was given."""

    name: str
    value: str = field(repr=False)
    restarts: tuple[str, ...] = ()

    def title(self) -> str:
        return f"store the secret {self.name}"


@dataclass(frozen=True, kw_only=True)
class MakeCluster(Change):
    """Of PostgreSQL, not started yet."""

    version: str
    name: str

    def title(self) -> str:
        return f"create the PostgreSQL cluster {self.version}/{self.name}"


@dataclass(frozen=True, kw_only=True)
class MakeDatabase(Change):
    """The role and the database `reflector`, in the cluster that `unit` runs."""

    unit: str

    def title(self) -> str:
        return "create the database reflector"


@dataclass(frozen=True, kw_only=True)
class RefreshTrust(Change):
    def title(self) -> str:
        return "collect the certificate authorities that this machine trusts"


@dataclass(frozen=True, kw_only=True)
class InstallArtifact(Change):
    """A program from the lock file, at the version that stands there."""

    name: str
    version: str

    def title(self) -> str:
        return f"install {self.name} {self.version}"


@dataclass(frozen=True, kw_only=True)
class SetUpGarage(Change):
    """Layout, bucket and key, by Garage's administration API. `capacity` in bytes."""

    capacity: int
    bucket: str

    def title(self) -> str:
        return f"set up Garage: the bucket {self.bucket}, {self.capacity / 1e9:.0f} GB"


@dataclass(frozen=True, kw_only=True)
class PullLanguageModel(Change):
    name: str

    def title(self) -> str:
        return f"pull the language model {self.name}"


@dataclass(frozen=True, kw_only=True)
class PullModel(Change):
    """Of speech, by the hub."""

    name: str

    def title(self) -> str:
        return f"download the speech model {self.name}"


@dataclass(frozen=True, kw_only=True)
class ImportModels(Change):
    """Of speech, from a folder, into the application's data folder `target`."""

    folder: str
    target: str

    def title(self) -> str:
        return f"copy the speech models in {self.folder}"


@dataclass(frozen=True, kw_only=True)
class KeepPassword(Change):
    """The administrator's, as a hash that the application makes the account from, once."""

    password: str = field(repr=False)
    restarts: tuple[str, ...] = ()

    def title(self) -> str:
        return "store the hash of the administrator's password"


@dataclass(frozen=True, kw_only=True)
class EnableUnit(Change):
    unit: str

    def title(self) -> str:
        return f"enable {self.unit}"


@dataclass(frozen=True, kw_only=True)
class DisableUnit(Change):
    unit: str

    def title(self) -> str:
        return f"stop and disable {self.unit}"


@dataclass(frozen=True, kw_only=True)
class StartUnits(Change):
    units: tuple[str, ...]

    def title(self) -> str:
        return f"start {', '.join(self.units)}"


@dataclass(frozen=True, kw_only=True)
class RestartUnits(Change):
    units: tuple[str, ...]

    def title(self) -> str:
        return f"restart {', '.join(self.units)}"


def difference(path: str, before: str, after: str) -> str:
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), path, path
    )
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)
