"""A Debian tree, and the appliance installed into it by its own command.

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
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "reflector-appliance"
SUITES = {"12": "bookworm", "13": "trixie"}
PYTHONS = {"12": "3.11", "13": "3.13"}
PROGRAMS = ["mmdebstrap", "ip", "nsenter", "unshare", "curl"]
# Debian 13 has an ACME authority for tests
ACME = {"13": ["pebble"]}
# What any Debian has, systemd's container manager to boot it, and what the tests look with
PACKAGES = [
    "ca-certificates", "curl", "dbus", "iproute2", "kmod", "nftables", "procps", "python3",
    "python3-venv", "systemd", "systemd-container", "systemd-sysv", "udev",
]  # fmt: skip


def missing() -> list[str]:
    """What keeps this machine from booting a tree."""
    found = [] if os.geteuid() == 0 else ["root"]
    return found + [name for name in PROGRAMS if shutil.which(name) is None]


def debian(release: str = "13") -> Path:
    """The plain tree; made once, and complete or not there."""
    CACHE.mkdir(parents=True, exist_ok=True)
    target = CACHE / f"debian-{release}-1"
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (target / "etc/debian_version").is_file():
            _bootstrap(target, release)
    return target


def _bootstrap(target: Path, release: str) -> None:
    part = target.with_name(f".{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    suite = SUITES[release]
    include = f"--include={','.join([*PACKAGES, *ACME.get(release, [])])}"
    source = f"deb {mirror()} {suite} main"
    run("mmdebstrap", "--variant=apt", include, suite, str(part), source)
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


def wheels(release: str = "13") -> Path:
    """All that the lock files name, for the tree's Python; torch only where this machine has a build of
    it without CUDA, for the same Python."""
    python = PYTHONS[release]
    folder = CACHE / f"wheels-{python}"
    appliance("fetch", "--wheels", str(folder), "--python", python)
    if has_torch(release):
        lock = str(ROOT / "requirements" / "torch.lock")
        run(
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "-r",
            lock,
            "-d",
            str(folder),
        )
    return folder


def has_torch(release: str) -> bool:
    own = ".".join(map(str, sys.version_info[:2]))
    try:
        return own == PYTHONS[release] and "+cpu" in version("torch")
    except PackageNotFoundError:
        return False


def installed(target: Path, release: str = "13") -> Path:
    """The plain tree with the appliance, at `target`."""
    run("cp", "--archive", "--reflink=auto", str(debian(release)), str(target))
    appliance("install", "--root", str(target), "--wheels", str(wheels(release)))
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
