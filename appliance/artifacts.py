"""Read the lock file of downloads: programs by name, with version, address and SHA-256."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from appliance.errors import PlanError

LOCK = Path(__file__).with_name("artifacts.toml")


@dataclass(frozen=True)
class Artifact:
    """A program to download.

    `files` and `sha256` are keyed by architecture, as the kernel names it. `checksums` is the
    address of the publisher's list of checksums, or None if it publishes none.
    """

    name: str
    version: str
    url: str
    files: dict[str, str]
    sha256: dict[str, str]
    checksums: str | None = None

    def file_name(self, architecture: str) -> str:
        """Return the name in a folder of artifacts. It names the version, so two can coexist."""
        last = self._file(architecture).rpartition("/")[2]
        return f"{self.name}-{self.version}-{architecture}-{last}"

    def address(self, architecture: str) -> str:
        return self.url.format(version=self.version, file=self._file(architecture))

    def checksums_address(self) -> str | None:
        return self.checksums and self.checksums.format(version=self.version)

    def published_name(self, architecture: str) -> str:
        """Return the file's name as it stands in the publisher's list of checksums."""
        return self._file(architecture).rpartition("/")[2]

    def sum(self, architecture: str) -> str:
        """Return the SHA-256 of the file for `architecture`.

        Raises PlanError if the lock file has no such file or no checksum for it: a file that cannot
        be checked is not installed.
        """
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
