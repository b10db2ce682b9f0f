"""Choose the addresses and UDP ports to which a browser sends its audio.

By default, they are those of this machine and any free port. `WEBRTC_PORT_RANGE` is for a firewall
that opens only some ports. `WEBRTC_HOST` is for a machine whose public address differs from its
local one.
"""

from __future__ import annotations

import asyncio
import ipaddress
import random
import re
import socket
from collections.abc import Callable
from typing import Any

import aioice.ice

from reflector.errors import Unavailable

CANDIDATE = re.compile(
    r"^(?P<before>a=candidate:\S+ \d+ \S+ \d+ )(?P<address>\S+)(?P<after> .*)$", re.MULTILINE
)


class _Loop:
    """The running loop, which binds sockets on "any port" to one of a range."""

    def __init__(self, loop: asyncio.AbstractEventLoop, ports: range) -> None:
        self._loop, self._ports = loop, ports

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)

    async def create_datagram_endpoint(
        self, factory: Callable[[], Any], local_addr: tuple[str, int] | None = None, **options: Any
    ) -> Any:
        if local_addr is None or local_addr[1] != 0:
            return await self._loop.create_datagram_endpoint(factory, local_addr, **options)
        for port in random.sample(self._ports, len(self._ports)):
            try:
                return await self._loop.create_datagram_endpoint(
                    factory, (local_addr[0], port), **options
                )
            except OSError:
                continue
        raise OSError(f"every port of WEBRTC_PORT_RANGE is taken on {local_addr[0]}")


class _Asyncio:
    """The module `asyncio` as aioice sees it."""

    def __init__(self, ports: range) -> None:
        self._ports = ports

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    def get_running_loop(self) -> Any:
        return _Loop(asyncio.get_running_loop(), self._ports)


def use_ports(ports: range | None) -> None:
    """Make every connection of this process take its ports from `ports`.

    aioice 0.13 has no such option and binds to port 0 through its module's `asyncio`. Remove this
    workaround once aioice takes a range.
    """
    vars(aioice.ice)["asyncio"] = _Asyncio(ports) if ports else asyncio


def with_host(sdp: str, host: str) -> str:
    """Return the description with the address of `host` instead of this machine's own.

    The name is looked up each time, because its address may be dynamic. Raises Unavailable if it
    has no address.
    """
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_DGRAM)
    except OSError as error:
        raise Unavailable(
            f"WEBRTC_HOST={host} has no address: {error.strerror}.", "Set it to one that has."
        ) from error
    addresses = {4 if family == socket.AF_INET else 6: str(at[0]) for family, *_, at in found}

    def replaced(match: re.Match[str]) -> str:
        version = ipaddress.ip_address(match["address"]).version
        address = addresses.get(version)
        return f"{match['before']}{address}{match['after']}" if address else ""

    return re.sub(r"(?:\r\n){2,}", "\r\n", CANDIDATE.sub(replaced, sdp))
