"""Addresses that people type lead nowhere inside the network of this server."""

from __future__ import annotations

import socket
from ipaddress import ip_address
from typing import Any

import pytest

from reflector.errors import ConfigurationError, InvalidInput, Unavailable
from reflector.outgoing import client
from reflector.outgoing.addresses import Allowed, is_public
from tests.webhooks.receiver import receiving

INTERNAL = [
    "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
    "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "198.18.0.1", "192.0.2.1", "2001:db8::1",
]  # fmt: skip


def named(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Let every name have these addresses."""

    def found(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        return [(None, None, 0, "", (each, port)) for each in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", found)


@pytest.mark.parametrize("address", INTERNAL)
def test_internal_address_is_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    named(monkeypatch, address)
    with pytest.raises(InvalidInput, match="inside the network of this server"):
        Allowed("").resolve("innocent.example.org", 443)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "64:ff9b::808:808"])
def test_address_of_the_internet_is_asked(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    named(monkeypatch, address)
    assert Allowed("").resolve("example.org", 443) == [address]


def test_one_internal_address_among_others_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    named(monkeypatch, "8.8.8.8", "10.1.2.3")
    with pytest.raises(InvalidInput):
        Allowed("").resolve("example.org", 443)


def test_operators_list_what_may_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    named(monkeypatch, "192.168.7.9")
    for listed in ("192.168.7.0/24", "10.0.0.1, 192.168.7.9", "Hooks.LAN."):
        assert Allowed(listed).resolve("hooks.lan", 80) == ["192.168.7.9"]
    for listed in ("192.168.8.0/24", "other.lan", "lan", "10.0.0.0/8"):
        with pytest.raises(InvalidInput):
            Allowed(listed).resolve("hooks.lan", 80)


def test_wrong_list_is_said_at_the_start() -> None:
    with pytest.raises(ConfigurationError, match="which is neither a host"):
        Allowed("hooks.lan, 192.168.7.0/33")


@pytest.mark.parametrize("number", ["2130706433", "0x7f000001", "127.1", "017700000001"])
def test_other_ways_to_write_an_address_are_seen_through(number: str) -> None:
    with pytest.raises((InvalidInput, Unavailable)):
        client.request(Allowed(""), "POST", f"http://{number}:9/", headers={})


def test_connection_goes_to_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name whose address changes between the check and the connection reaches nothing else."""
    real = socket.getaddrinfo
    looked: list[str] = []

    def found(host: Any, *arguments: Any, **options: Any) -> list[Any]:
        if host == "rebinding.example.org":
            looked.append(host)
            host = "127.0.0.1"
        return real(host, *arguments, **options)

    with receiving() as receiver:
        monkeypatch.setattr(socket, "getaddrinfo", found)
        url = receiver.url.replace("127.0.0.1", "rebinding.example.org")
        answer = client.request(Allowed("127.0.0.1"), "POST", url, headers={}, content=b"{}")
        assert (answer.status, len(looked)) == (200, 1)
        (headers, _) = receiver.requests[0]
        assert headers["host"].startswith("rebinding.example.org:")


def test_redirect_is_not_followed() -> None:
    with receiving() as receiver, receiving() as other:
        receiver.answers, receiver.headers = [302], {"Location": other.url}
        answer = client.request(Allowed("127.0.0.1"), "POST", receiver.url, headers={})
        assert (answer.status, other.requests) == (302, [])


def test_long_answer_is_cut_off() -> None:
    with receiving() as receiver:
        receiver.body = b"x" * 3_000_000
        answer = client.request(
            Allowed("127.0.0.1"), "POST", receiver.url, headers={}, most_bytes=1000
        )
        assert len(answer.content) == 1000


@pytest.mark.parametrize(
    "url", ["ftp://example.org/", "file:///etc/passwd", "https://", "no address", ""]
)
def test_what_is_no_address_of_the_web_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput, match="begins with https"):
        client.request(Allowed(""), "POST", url, headers={})


def test_public_is_what_the_internet_reaches() -> None:
    assert not any(is_public(ip_address(each)) for each in ("10.0.0.1", "::1", "224.0.0.1"))
