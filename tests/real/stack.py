"""All three servers together, and what an application has to be told to use them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reflector.db.engine import Database
from tests.real import containers, postgres, redis, s3

SECRET = "a-secret-of-the-tests-only"
REMEDY = "apt install postgresql redis-server; rclone comes with the tests' own packages"


def missing() -> list[str]:
    """What neither this machine nor a container engine has."""
    if containers.engine():
        return []
    there = {"PostgreSQL": postgres.installed(), "Redis or Valkey": redis.installed(),
             "rclone": s3.installed()}  # fmt: skip
    return [name for name, found in there.items() if not found]


def description() -> str:
    if postgres.installed() and redis.installed():
        versions = ", ".join(str(v) for v in sorted(postgres.installed()))
        return f"PostgreSQL {versions}, {Path(str(redis.installed())).name}, rclone serve s3"
    if containers.engine():
        return f"containers of {containers.engine()}"
    return f"NONE: {', '.join(missing())} missing ({REMEDY})"


class Stack:
    """PostgreSQL, Redis or Valkey, and S3 in `folder`. `is_durable`: as on a server, for measuring."""

    def __init__(
        self, folder: Path, version: int | None = None, *, is_durable: bool = False
    ) -> None:
        found = postgres.installed()
        if found:
            chosen = found[version] if version is not None else found[min(found)]
            self.postgres: Any = postgres.Postgres(chosen, is_durable=is_durable)
        else:
            self.postgres = containers.Postgres(version)
        binary = redis.installed()
        self.redis: Any = redis.Redis(folder / "redis", binary) if binary else containers.Redis()
        rclone = s3.installed()
        assert rclone is not None
        self.s3 = s3.S3(folder / "s3", rclone)
        self._template = self.postgres.url()
        database = Database(self._template.replace("postgresql://", "postgresql+psycopg://"))
        database.migrate()
        database.close()

    def settings(self) -> dict[str, Any]:
        """For one application: a database of its own, the others shared and emptied."""
        self.redis.client().flushall()
        return {
            "DATABASE_URL": self.postgres.url(template=self._template),
            "CELERY_BROKER_URL": f"{self.redis.url}/1",
            "REDIS_URL": f"{self.redis.url}/0",
            "SECRET_KEY": SECRET,
            **self.s3.settings(),
        }

    def drop(self, settings: dict[str, Any]) -> None:
        self.postgres.drop(settings["DATABASE_URL"])

    def stop(self) -> None:
        self.s3.stop()
        self.redis.server.stop()
        self.postgres.close()
