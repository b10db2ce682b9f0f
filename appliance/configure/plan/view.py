"""Hold what a part sees when it plans, and the rules that all parts share."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from appliance.artifacts import Artifact, read
from appliance.config.model import ApplianceConfig
from appliance.configure.placement import Placement
from appliance.configure.plan.changes import (
    Change,
    InstallArtifact,
    KeepSecret,
    MakeSecret,
    RemoveFile,
    WriteFile,
    difference,
)
from appliance.configure.plan.state import State
from appliance.machine.facts.model import Facts


@dataclass(frozen=True)
class Note:
    """What an operator should know and no change says.

    `diff` shows how a file that stays as it is differs from the plan.
    """

    step: str
    text: str
    diff: str = ""


# Stands among the units of `restarts`: the set of trusted certificates has to be built again
TRUST_STORE = "trust-store"

Planned = Iterator[Change | Note]


@dataclass(frozen=True)
class View:
    """What a part sees when it plans.

    `given` has the secrets that this run received, by name. `authorities` are certificates that the
    machine will trust, in PEM. `models` has the offered speech models, with the folder to import
    each from. `artifacts` is the lock file.
    `force` replaces files that an operator edited. `offline` means that a tree is prepared, in
    which nothing runs.
    """

    facts: Facts
    config: ApplianceConfig
    placement: Placement
    state: State
    given: Mapping[str, str] = field(default_factory=dict)
    authorities: tuple[str, ...] = ()
    models: Mapping[str, Path] = field(default_factory=dict)
    artifacts: Mapping[str, Artifact] = field(default_factory=read)
    force: bool = False
    offline: bool = False

    def file(
        self,
        step: str,
        path: str,
        text: str,
        reason: str,
        *,
        mode: int = 0o644,
        owner: str = "root:root",
        restarts: tuple[str, ...] = (),
    ) -> Planned:
        """Yield the change that makes the file's text `text`.

        A file that was edited by hand stays as it is, and a note shows the difference, unless
        `force` is set.
        """
        there = self.state.files.get(path)
        if there == text:
            return
        if there is not None and not self.force and self._edited(path, there):
            yield Note(
                step,
                f"{path} was edited by hand and is not changed. Use --force to replace it.",
                difference(path, there, text),
            )
            return
        yield WriteFile(
            step=step, reason=reason, path=path, text=text, before=there, mode=mode, owner=owner,
            restarts=restarts,
        )  # fmt: skip

    def no_file(self, step: str, path: str, reason: str, restarts: tuple[str, ...] = ()) -> Planned:
        """Yield the removal of a file that the appliance wrote and that is not needed any more."""
        there = self.state.files.get(path)
        if there is None or path not in self.state.written:
            return
        if self._edited(path, there) and not self.force:
            yield Note(
                step, f"{path} is no longer needed, but it was edited by hand and is not removed."
            )
            return
        yield RemoveFile(step=step, reason=reason, path=path, before=there, restarts=restarts)

    def secret(
        self, step: str, name: str, reason: str, *, made: bool, restarts: tuple[str, ...] = ()
    ) -> Planned:
        """Yield the change that stores a secret, if one was given or `made` asks for a random one.

        A secret that exists stays as it is, unless this run received another value.
        """
        if name in self.given:
            yield KeepSecret(
                step=step, reason=reason, name=name, value=self.given[name], restarts=restarts
            )
        elif made and name not in self.state.credentials:
            yield MakeSecret(step=step, reason=reason, name=name, restarts=restarts)

    def artifact(self, step: str, name: str, reason: str) -> Planned:
        """Yield the installation of a program, in the version of the lock file.

        Raises PlanError if the lock file has no checksum for it.
        """
        wanted = self.artifacts[name]
        if self.state.artifacts.get(name) != wanted.version:
            wanted.sum(self.facts.processor.architecture)
            yield InstallArtifact(step=step, reason=reason, name=name, version=wanted.version)

    def has_secret(self, name: str) -> bool:
        return name in self.given or name in self.state.credentials

    def _edited(self, path: str, text: str) -> bool:
        if path in self.state.pristine:
            return False
        return digest(text) not in self.state.written.get(path, ())


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
