"""Where newer versions come from: a folder behind HTTPS, a folder, or a stick."""

from __future__ import annotations

import shutil
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import httpx2

from appliance.boot.usb_media import mounted
from appliance.configure.effects.downloads import download
from appliance.errors import ApplianceError, ConfigError
from appliance.machine.run import run

SECONDS = 60.0
ON_STICK = "updates"
NOWHERE = (
    "There is no source of updates.",
    "Set update.source in /etc/reflector/appliance.toml, give a folder with --from, or insert a "
    "USB stick labelled REFLECTOR with a folder `updates`.",
)


@dataclass(frozen=True)
class Source:
    """`address`: a URL without the slash at its end, or a folder."""

    address: str | Path

    def small(self, name: str) -> bytes:
        """Return a file whole; ApplianceError where it is not there."""
        try:
            if isinstance(self.address, Path):
                return (self.address / name).read_bytes()
            answer = httpx2.get(
                f"{self.address}/{name}", timeout=SECONDS, follow_redirects=True, verify=_trust()
            )
            return answer.raise_for_status().content
        except (OSError, httpx2.HTTPError) as error:
            raise ApplianceError(
                f"{name} cannot be read from {self.address}: {error}.",
                "Check update.source or --from, and the network.",
            ) from error

    def fetch(self, name: str, part: Path, say: Callable[[str], None]) -> None:
        """Download to `part`, and resume an earlier download."""
        if not isinstance(self.address, Path):
            download(f"{self.address}/{name}", part, say, _trust())
            return
        say(f"reading {name}")
        try:
            shutil.copyfile(self.address / name, part)
        except OSError as error:
            raise ApplianceError(
                f"{name} cannot be copied from {self.address}: {error.strerror}.",
                "Check the USB stick and the free space in /var.",
            ) from error


@contextmanager
def chosen(wanted: str | None, configured: str | None) -> Iterator[Source]:
    """Return the source: `wanted` from --from, else the setting, else a USB stick.

    Raises ConfigError if there is none.
    """
    named = wanted or configured
    if named and "://" in named:
        if not named.startswith(("https://", "http://")):
            raise ConfigError(
                f"{named} is not the address of a folder.",
                "Use an address that begins with https://.",
            )
        if named.startswith("http://") and not _is_in_local_network(named):
            raise ConfigError(
                f"{named} would be read over plain HTTP.",
                "Use https://. Plain http:// is allowed only for addresses of the local network.",
            )
        yield Source(named.rstrip("/"))
    elif named:
        if not Path(named).is_dir():
            raise ConfigError(f"{named} is not a folder.", "Give the folder with SHA256SUMS.")
        yield Source(Path(named).absolute())
    else:
        run(["udevadm", "settle", "--timeout=10"], check=False)
        with mounted() as stick:
            if stick is None or not (stick / ON_STICK).is_dir():
                raise ConfigError(*NOWHERE)
            yield Source(stick / ON_STICK)


def _is_in_local_network(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    try:
        return ip_address(host).is_private
    except ValueError:
        return host == "localhost"


def _trust() -> ssl.SSLContext:
    """Return the system's authorities, with those that the operator added."""
    return ssl.create_default_context()
