"""Install what the tests need from the system. Without root, print the command to do so.

Chromium drives the pages. PostgreSQL and Redis (or Valkey) are the servers behind the API.
systemd-analyze checks the units. mmdebstrap makes the tree that is booted. Tests whose program is
missing are skipped, and the run says so at its end.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

PROGRAMS = {
    "chromium": "chromium",
    "postgres": "postgresql",
    "redis-server": "redis-server",
    "systemd-analyze": "systemd",
    # A Debian tree, booted in namespaces
    "mmdebstrap": "mmdebstrap",
    "arch-test": "arch-test",
    "newuidmap": "uidmap",
    "ip": "iproute2",
    "curl": "curl",
    # The disk image, and machines made from it
    "mcopy": "mtools",
    "mkfs.vfat": "dosfstools",
    "sfdisk": "fdisk",
    "ssh": "openssh-client",
    "gpg": "gpg",
    "gpgv": "gpgv",
    "gpgconf": "gpgconf",
}
ALTERNATIVES = {"redis-server": ["valkey-server"], "postgres": ["initdb"]}
POSTGRES = Path("/usr/lib/postgresql")


def main() -> None:
    missing = [package for program, package in PROGRAMS.items() if not _is_there(program)]
    if not missing:
        return
    if os.geteuid() or not shutil.which("apt-get"):
        print(
            f"Some tests will be skipped. To run them: apt install {' '.join(missing)}",
            file=sys.stderr,
        )
        return
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "-y", "--no-install-recommends", *missing]):
        result = subprocess.run(
            ["apt-get", "-q", *command],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode:
            print(f"apt-get {command[0]} failed: {result.stderr.strip()[-500:]}", file=sys.stderr)


def _is_there(program: str) -> bool:
    if program == "postgres" and any(POSTGRES.glob("*/bin/postgres")):
        return True
    return any(shutil.which(name) for name in (program, *ALTERNATIVES.get(program, ())))


if __name__ == "__main__":
    main()
