"""Decide which addresses requests may go to.

An address that people type must not lead into the network of this server: to its own services, to
the metadata of a cloud, to a printer. Operators list what may be reached all the same.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import httpx2

from reflector.errors import N_, ConfigurationError, InvalidInput, Unavailable

Address = IPv4Address | IPv6Address
# These carry an IPv4 address in their last 32 bits (RFC 6052, 2765 and 4291)
CARRIERS = [ip_network(each) for each in ("64:ff9b::/96", "::ffff:0:0:0/96", "::/96")]
# A site translates these its own way (RFC 8215); Azure has its machines' metadata at the second
INSIDE = [ip_network("64:ff9b:1::/48"), ip_network("168.63.129.16/32")]
HINT = N_("An administrator can allow it with ALLOWED_INTERNAL_ADDRESSES.")


class Allowed:
    """Hosts and networks that an operator lists: `hooks.lan, 192.168.1.0/24, 10.0.0.7`."""

    def __init__(self, text: str) -> None:
        """Raise ConfigurationError if an entry is neither a host nor a network."""
        self._hosts: set[str] = set()
        self._networks = []
        for entry in filter(None, (each.strip() for each in text.split(","))):
            try:
                self._networks.append(ip_network(entry))
            except ValueError:
                if "/" in entry or ":" in entry:
                    raise ConfigurationError(
                        f"ALLOWED_INTERNAL_ADDRESSES has “{entry}”, which is neither a host nor a network",
                        "Write hosts, addresses and networks like 192.168.1.0/24, separated by commas.",
                    ) from None
                self._hosts.add(in_ascii(entry))

    def resolve(self, host: str, port: int) -> list[str]:
        """Return the addresses of `host` that may be asked, for a connection right away.

        Another lookup could give others. Raises InvalidInput if one of them is internal and not
        listed, and Unavailable if there are none.
        """
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise Unavailable("The address of “{host}” cannot be found.", host=host) from None
        addresses = list(dict.fromkeys(str(each[4][0]).partition("%")[0] for each in found))
        if in_ascii(host) not in self._hosts:
            self._check(host, addresses)
        return addresses

    def _check(self, host: str, addresses: Sequence[str]) -> None:
        for each in map(ip_address, addresses):
            real = _real(each)
            if not is_public(real) and not any(real in network for network in self._networks):
                raise InvalidInput(
                    "“{host}” is inside the network of this server.", HINT, host=host
                )


def in_ascii(host: str) -> str:
    """Return a host as requests name it: in small letters, and in ASCII (IDNA)."""
    try:
        return httpx2.URL(f"http://{host.strip()}").raw_host.decode("ascii").rstrip(".").lower()
    except (httpx2.InvalidURL, ValueError):
        return host.strip().rstrip(".").lower()


def _real(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address stands for, if it does."""
    if isinstance(address, IPv4Address):
        return address
    if address.is_loopback or address.is_unspecified:
        return address
    if any(address in network for network in CARRIERS):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def is_public(address: Address) -> bool:
    """Return whether the address is reached over the internet, and is that of one machine."""
    if address.is_multicast or (isinstance(address, IPv6Address) and address.is_site_local):
        return False
    return address.is_global and not any(address in network for network in INSIDE)
