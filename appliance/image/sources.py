"""Choose where Debian's packages come from: this machine's mirror, another one, or a day of the archive."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from appliance.errors import ConfigError

COMPONENTS = "main contrib non-free non-free-firmware"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
FIRST = re.compile(r"^(?:URIs:|deb(?: \[[^]]*])?)\s+(\S+)", re.MULTILINE)
SNAPSHOT = re.compile(r"\d{8}T\d{6}Z")


@dataclass(frozen=True)
class Sources:
    """`main` and `security`: addresses of the archive and of its security updates."""

    main: str
    security: str
    suite: str = "trixie"

    def lines(self) -> list[str]:
        """Return lines for sources.list."""
        return [
            f"deb {self.main} {self.suite} {COMPONENTS}",
            f"deb {self.main} {self.suite}-updates {COMPONENTS}",
            f"deb {self.security} {self.suite}-security {COMPONENTS}",
        ]

    def text(self) -> str:
        """Return text for sources.list.d/debian.sources (deb822)."""
        rows = [
            (self.main, f"{self.suite} {self.suite}-updates"),
            (self.security, f"{self.suite}-security"),
        ]
        return "\n".join(
            f"Types: deb\nURIs: {uri}\nSuites: {suites}\nComponents: {COMPONENTS}\nSigned-By: {KEYRING}\n"
            for uri, suites in rows
        )


def sources(mirror: str | None = None, snapshot: str | None = None) -> Sources:
    """Return apt's sources.

    `snapshot` is a moment like 20261101T000000Z in the archive of `mirror`. Raises ConfigError if
    it is malformed or if no mirror is known.
    """
    if snapshot:
        if not SNAPSHOT.fullmatch(snapshot):
            raise ConfigError(
                f"{snapshot} is not a moment of the archive.", "Write it like 20261101T000000Z."
            )
        if mirror is None:
            raise ConfigError(
                "Debian's mirrors have no earlier states of the archive. Its snapshot service has.",
                "Give its address, the part before `/debian/`, with --mirror.",
            )
        archive = mirror.rstrip("/")
        return Sources(f"{archive}/debian/{snapshot}", f"{archive}/debian-security/{snapshot}")
    chosen = (mirror or own_mirror()).rstrip("/")
    return Sources(chosen, f"{chosen}-security")


def own_mirror(root: Path = Path("/")) -> str:
    """Return the mirror that this machine's apt uses."""
    lists = root / "etc/apt"
    for file in [
        *sorted((lists / "sources.list.d").glob("debian*.sources")),
        lists / "sources.list",
    ]:
        found = FIRST.search(file.read_text()) if file.is_file() else None
        if found:
            return found[1]
    raise ConfigError(
        "This machine's apt names no mirror of Debian.", "Give one with --mirror URL."
    )
