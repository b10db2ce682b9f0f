"""The lock file of downloads: programs by name, with version, place and SHA-256."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from appliance.errors import PlanError

LOCK = Path(__file__).with_name("artifacts.toml")


@dataclass(frozen=True)
class Artifact:
    """`files` and `sha256` by architecture, as the kernel names it. `checksums`: the publisher's list,
    None where there is none."""

    name: str
    version: str
    url: str
    files: dict[str, str]
    sha256: dict[str, str]
    checksums: str | None = None

    def file_name(self, architecture: str) -> str:
        """In a folder of artifacts: name and version, so that two versions can lie side by side."""
        last = self._file(architecture).rpartition("/")[2]
        return f"{self.name}-{self.version}-{architecture}-{last}"

    def address(self, architecture: str) -> str:
        return self.url.format(version=self.version, file=self._file(architecture))

    def checksums_address(self) -> str | None:
        return self.checksums and self.checksums.format(version=self.version)

    def published_name(self, architecture: str) -> str:
        """As the publisher's list of sums has it."""
        return self._file(architecture).rpartition("/")[2]

    def sum(self, architecture: str) -> str:
        """Raise PlanError if the lock has none: what cannot be checked is not installed."""
        self._file(architecture)
        found = self.sha256.get(architecture)
        if not found:
            raise PlanError(
                f"The lock file has no SHA-256 of {self.name} {self.version} for {architecture}.",
                "Run `appliance fetch --lock` on a machine with a network.",
            )
        return found

    def _file(self, architecture: str) -> str:
        if architecture not in self.files:
            raise PlanError(f"There is no {self.name} for {architecture}.", "Use another machine.")
        return self.files[architecture]


def read(path: Path = LOCK) -> dict[str, Artifact]:
    return {
        name: Artifact(name, **values) for name, values in tomllib.loads(path.read_text()).items()
    }


def pinned(name: str) -> Artifact:
    return read()[name]
