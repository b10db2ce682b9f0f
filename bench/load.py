"""Request pages with a client that costs little itself: bytes over a socket that stays open."""

from __future__ import annotations

import socket
import statistics
import threading
import time
from collections.abc import Sequence
from typing import Any


class Connection:
    def __init__(self, port: int, headers: dict[str, str]) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._headers = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self._file = self._socket.makefile("rb")

    def get(self, path: str) -> int:
        """Return the size of the answer. Raises AssertionError if its status is not 200."""
        request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{self._headers}\r\n"
        self._socket.sendall(request.encode())
        status = self._file.readline()
        assert b" 200 " in status, status
        length = 0
        while (line := self._file.readline()) != b"\r\n":
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        body = self._file.read(length)
        return len(body)

    def close(self) -> None:
        self._file.close()
        self._socket.close()


def measure(
    port: int, headers: dict[str, str], paths: Sequence[str], seconds: float, clients: int = 1
) -> dict[str, Any]:
    """Request `paths` in turn for `seconds`; return requests a second and times in milliseconds."""
    times: list[list[float]] = [[] for _ in range(clients)]
    sizes: list[int] = []

    def run(number: int) -> None:
        connection = Connection(port, headers)
        turn = number
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            started = time.perf_counter()
            size = connection.get(paths[turn % len(paths)])
            times[number].append(1000 * (time.perf_counter() - started))
            turn += 1
            if number == 0 and len(sizes) < len(paths):
                sizes.append(size)
        connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(clients)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - started
    everything = sorted(value for some in times for value in some)
    return {
        "clients": clients,
        "requests_per_s": round(len(everything) / took, 1),
        "p50_ms": round(statistics.median(everything), 2),
        "p95_ms": round(everything[int(0.95 * len(everything))], 2),
        "answer_kib": round(max(sizes) / 1024, 1),
    }
