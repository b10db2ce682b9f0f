"""Valkey or Redis in a temporary folder, whichever this machine has."""

from __future__ import annotations

from pathlib import Path

import redis

from tests.real.process import ServerProcess, free_port, program


def installed() -> str | None:
    return program("valkey-server") or program("redis-server")


class Redis:
    def __init__(self, folder: Path, binary: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}"
        self.server = ServerProcess(
            Path(binary).name,
            [binary, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "",
             "--appendonly", "no", "--dir", str(folder)],
            folder, self._answers,
        )  # fmt: skip
        self.server.start()

    def client(self, database: int = 0) -> redis.Redis:
        return redis.Redis.from_url(f"{self.url}/{database}", socket_timeout=5)

    def _answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False
