"""A Debian 13 tree, and the appliance installed into it by its own command.

The tree as Debian has it is kept in the cache, because it does not depend on the source.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "reflector-appliance"
SUITE = "trixie"
PROGRAMS = ["mmdebstrap", "ip", "nsenter", "unshare"]
# What any Debian has, systemd's container manager to boot it, an ACME authority, and what the tests
# look with
PACKAGES = [
    "ca-certificates", "curl", "dbus", "iproute2", "kmod", "nftables", "pebble", "procps", "python3",
    "python3-venv", "systemd", "systemd-container", "systemd-sysv", "udev",
]  # fmt: skip


def missing() -> list[str]:
    """What keeps this machine from booting a tree."""
    found = [] if os.geteuid() == 0 else ["root"]
    return found + [name for name in PROGRAMS if shutil.which(name) is None]


def debian() -> Path:
    """The plain tree; made once, and complete or not there."""
    CACHE.mkdir(parents=True, exist_ok=True)
    target = CACHE / f"debian-{SUITE}-2"
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (target / "etc/debian_version").is_file():
            _bootstrap(target)
    return target


def _bootstrap(target: Path) -> None:
    part = target.with_name(f".{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    include = f"--include={','.join(PACKAGES)}"
    source = f"deb {mirror()} {SUITE} main"
    run("mmdebstrap", "--variant=apt", include, SUITE, str(part), source)
    run("systemctl", f"--root={part}", "enable", "systemd-networkd")
    run("chroot", str(part), "systemd-machine-id-setup")
    shutil.copy("/etc/resolv.conf", part / "etc/resolv.conf")
    part.rename(target)


def mirror() -> str:
    """Where this machine has its packages from."""
    for file in [
        *Path("/etc/apt/sources.list.d").glob("debian*.sources"),
        Path("/etc/apt/sources.list"),
    ]:
        if file.is_file():
            found = re.search(
                r"^(?:URIs:|deb(?: \[[^]]*])?)\s+(\S+)", file.read_text(), re.MULTILINE
            )
            if found:
                return found[1]
    raise RuntimeError("this machine names no Debian mirror")


def wheels(python: str = "3.13") -> Path:
    """All that the base lock names, for the tree's Python."""
    folder = CACHE / f"wheels-{python}"
    appliance("fetch", "--wheels", str(folder), "--python", python)
    return folder


def installed(target: Path) -> Path:
    """The plain tree with the appliance, at `target`."""
    run("cp", "--archive", "--reflink=auto", str(debian()), str(target))
    appliance("install", "--root", str(target), "--wheels", str(wheels()))
    return target


def appliance(*arguments: str) -> str:
    """The command of this checkout."""
    return run(str(Path(sys.executable).with_name("appliance")), *arguments)


def run(*command: str, seconds: float = 900) -> str:
    """AssertionError with what the program said where it fails."""
    with tempfile.TemporaryFile("w+") as output:
        done = subprocess.run(
            command, check=False, stdout=output, stderr=subprocess.STDOUT, timeout=seconds
        )
        output.seek(0)
        said = output.read()
    assert done.returncode == 0, f"{_shown(command)}: {said[-3000:]}"
    return said


def _shown(command: Sequence[str]) -> str:
    return " ".join(command)[:200]
