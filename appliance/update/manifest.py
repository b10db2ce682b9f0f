"""The list of a source's files with their sums, signed by whoever builds the images."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from appliance.boot.entries import order
from appliance.errors import ApplianceError
from appliance.machine.run import run
from appliance.update.source import Source

SUMS, SIGNATURE = "SHA256SUMS", "SHA256SUMS.gpg"
KEYRING = Path("/usr/lib/systemd/import-pubring.gpg")
LINE = re.compile(r"([0-9a-f]{64})[ *]{1,2}(reflector_[^/\s]+)")
# A partition's UUID stands in its name; how `image/disk/mkosi.repart` names them
FILES = {
    "usr": re.compile(r"reflector_(.+)\.usr\.[0-9a-f-]{32,36}\.raw"),
    "verity": re.compile(r"reflector_(.+)\.usr-verity\.[0-9a-f-]{32,36}\.raw"),
    "signature": re.compile(r"reflector_(.+)\.usr-verity-sig\.[0-9a-f-]{32,36}\.raw"),
    "kernel": re.compile(r"reflector_(.+)\.efi"),
}


@dataclass(frozen=True)
class Offer:
    """A version that is whole. `files`: SHA-256 by name."""

    version: str
    files: dict[str, str] = field(repr=False)


@dataclass(frozen=True)
class Manifest:
    """As it came, because systemd-sysupdate checks it once more. `offers`: the newest first."""

    sums: bytes
    signature: bytes
    offers: list[Offer]

    def offer(self, version: str) -> Offer:
        for each in self.offers:
            if each.version == version:
                return each
        known = ", ".join(each.version for each in self.offers) or "nothing"
        raise ApplianceError(f"{version} is not offered.", f"There is {known}.")


def read(source: Source, keyring: Path = KEYRING) -> Manifest:
    """Raise ApplianceError if it is not there, or not signed by a key that this machine takes
    updates from."""
    sums, signature = source.small(SUMS), source.small(SIGNATURE)
    _verify(sums, signature, source, keyring)
    return Manifest(sums, signature, _offers(sums.decode(errors="replace")))


def _verify(sums: bytes, signature: bytes, source: Source, keyring: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / SUMS).write_bytes(sums)
        (folder / SIGNATURE).write_bytes(signature)
        files = (folder / SIGNATURE, folder / SUMS)
        done = run(["gpgv", "--status-fd", "1", "--keyring", keyring, *files], check=False)
    if "[GNUPG:] EXPSIG" in done.output:
        raise ApplianceError(
            f"The signature of the list of updates at {source.address} has expired.",
            "Nothing was changed. Ask the image's builder to renew it (`appliance image renew`).",
        )
    if done.status:
        raise ApplianceError(
            f"{SUMS} of {source.address} has no signature that this machine trusts.",
            "Nothing was changed. Use updates only from the builder of this machine's image.",
        )


def _offers(text: str) -> list[Offer]:
    found: dict[str, dict[str, str]] = {}
    kinds: dict[str, set[str]] = {}
    for line in text.splitlines():
        if not (match := LINE.fullmatch(line.strip())):
            continue
        for kind, pattern in FILES.items():
            if named := pattern.fullmatch(match[2]):
                found.setdefault(named[1], {})[match[2]] = match[1]
                kinds.setdefault(named[1], set()).add(kind)
    whole = [Offer(v, files) for v, files in found.items() if kinds[v] == set(FILES)]
    return sorted(whole, key=lambda offer: order(offer.version), reverse=True)
