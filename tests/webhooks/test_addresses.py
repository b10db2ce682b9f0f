"""Addresses that people type lead nowhere inside the network of this server."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Iterator
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from reflector.errors import ConfigurationError, InvalidInput, Unavailable
from reflector.outgoing import client
from reflector.outgoing.addresses import Allowed, is_public
from tests.certificates import certificate_for
from tests.webhooks.receiver import receiving

INTERNAL = [
    "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
    "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "198.18.0.1", "192.0.2.1", "2001:db8::1",
    "64:ff9b:1::a00:1", "fec0::1", "::7f00:1", "::ffff:0:127.0.0.1", "168.63.129.16",
]  # fmt: skip


def named(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Let every name have these addresses. Return the names that are looked up."""
    real = socket.getaddrinfo
    looked: list[str] = []

    def found(host: str, port: int, *arguments: Any, **options: Any) -> list[Any]:
        with contextlib.suppress(ValueError):
            ip_address(host)
            return list(real(host, port, *arguments, **options))
        looked.append(host)
        return [(None, None, 0, "", (each, port)) for each in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", found)
    return looked


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
    with receiving() as receiver:
        looked = named(monkeypatch, "127.0.0.1")
        url = receiver.url.replace("127.0.0.1", "rebinding.example.org")
        answer = client.request(Allowed("127.0.0.1"), "POST", url, headers={}, content=b"{}")
        assert (answer.status, looked) == (200, ["rebinding.example.org"])
        (headers, _) = receiver.requests[0]
        assert headers["host"].startswith("rebinding.example.org:")


@contextlib.contextmanager
def answering(answer: bytes, *, every: float) -> Iterator[str]:
    """A server that sends this again and again, and never ends."""
    ended = threading.Event()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(65536)
            with contextlib.suppress(OSError):
                while not ended.wait(every):
                    self.request.sendall(answer)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        ended.set()
        server.shutdown()


@pytest.mark.parametrize(
    "answer", [b"H", b"HTTP/1.1 103 Early Hints\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: "]
)
def test_server_that_sends_little_by_little_takes_no_longer(answer: bytes) -> None:
    begun = time.monotonic()
    with answering(answer, every=0.1) as url, pytest.raises(Unavailable):
        client.request(Allowed("127.0.0.1"), "POST", url, headers={}, seconds=1.0)
    assert time.monotonic() - begun < 20  # it goes on for ever


def test_other_addresses_of_a_name_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving() as receiver:
        port = int(receiver.url.rsplit(":", 1)[1].split("/")[0])
        named(monkeypatch, "127.0.0.2", "127.0.0.1")
        with socket.create_server(("127.0.0.2", port)) as taken:
            taken.close()  # refused there
            url = f"http://two.example.org:{port}/"
            answer = client.request(Allowed("127.0.0.0/8"), "POST", url, headers={})
        assert answer.status == 200


def test_name_beyond_ascii_is_looked_up_as_it_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python's own encoding of names makes straße.de another company's strasse.de."""
    with receiving() as receiver:
        looked = named(monkeypatch, "127.0.0.1")
        url = receiver.url.replace("127.0.0.1", "straße.example.org")
        assert client.request(Allowed("Straße.example.org"), "POST", url, headers={}).status == 200
        assert looked[0] == receiver.requests[0][0]["host"].split(":")[0]
        assert looked[0].startswith("xn--strae")


def test_certificate_is_that_of_the_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    certificate, key = certificate_for("hooks.example.org", tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with receiving(context) as receiver:
        port = receiver.url.rsplit(":", 1)[1].split("/")[0]
        named(monkeypatch, "127.0.0.1")
        asked = partial(client.request, Allowed("127.0.0.1"), "POST", headers={})
        assert asked(f"https://hooks.example.org:{port}/").status == 200
        with pytest.raises(Unavailable, match="certificate"):
            asked(f"https://other.example.org:{port}/")


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
