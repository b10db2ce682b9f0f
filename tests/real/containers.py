"""The same servers through testcontainers, where this machine has none of its own but a
Docker-compatible socket answers."""

from __future__ import annotations

import os
import socket
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import redis as redis_client
from testcontainers.core.container import DockerContainer
from testcontainers.core.waiting_utils import wait_for_logs

from tests.real.process import free_port

SOCKET = "unix:///var/run/docker.sock"
POSTGRES, REDIS = "docker.io/library/postgres:{}", "docker.io/valkey/valkey:8"


@cache
def engine() -> str | None:
    """The socket of a container engine that answers."""
    address = os.environ.get("DOCKER_HOST", SOCKET)
    path = urlsplit(address).path
    if not address.startswith("unix://") or not Path(path).exists():
        return None
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(2)
        return address if probe.connect_ex(path) == 0 else None


class _Server:
    """Stops, kills and starts again with the same data and port."""

    def __init__(self, container: DockerContainer, ready: str) -> None:
        self._container, self._ready = container, ready
        container.start()
        wait_for_logs(container, ready)

    def start(self) -> None:
        self._container.get_wrapped_container().start()
        wait_for_logs(self._container, self._ready)

    def stop(self) -> None:
        self._container.get_wrapped_container().stop()

    def kill(self) -> None:
        self._container.get_wrapped_container().kill()


class Postgres:
    def __init__(self, version: int | None = None) -> None:
        self.port, self._count = free_port(), 0
        container = DockerContainer(POSTGRES.format(version or 17))
        container.with_bind_ports(5432, self.port)
        for name, value in {"USER": "reflector", "HOST_AUTH_METHOD": "trust"}.items():
            container.with_env(f"POSTGRES_{name}", value)
        self.server = _Server(container, "ready to accept connections")

    def close(self) -> None:
        self.server.stop()

    def _dsn(self, database: str) -> str:
        return f"postgresql://reflector@127.0.0.1:{self.port}/{database}"

    def _execute(self, statement: str) -> None:
        with psycopg.connect(self._dsn("reflector"), autocommit=True) as connection:
            connection.execute(statement.encode())

    def url(self, template: str | None = None) -> str:
        self._count += 1
        name = f"test_{self._count}"
        source = f" TEMPLATE {template.rpartition('/')[2]}" if template else ""
        self._execute(f"CREATE DATABASE {name}{source}")
        return self._dsn(name)

    def drop(self, url: str) -> None:
        self._execute(f"DROP DATABASE IF EXISTS {url.rpartition('/')[2]} WITH (FORCE)")


class Redis:
    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}"
        container = DockerContainer(REDIS).with_bind_ports(6379, self.port)
        self.server = _Server(container, "Ready to accept connections")

    def client(self, database: int = 0) -> Any:
        return redis_client.Redis.from_url(f"{self.url}/{database}", socket_timeout=5)
