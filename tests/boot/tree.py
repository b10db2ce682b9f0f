"""A Debian tree, and the appliance installed into it by its own command.

Debian 13's is the tree that the disk image is made of (`image/tree`), 12's is made here. Both as Debian has them are
kept in the cache, because they do not depend on the source.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from appliance.image.build import Mkosi, Profile, Request
from appliance.image.keys import Keys
from appliance.image.sources import own_mirror as mirror
from appliance.image.sources import sources
from appliance.image.tools import Tools, prepared
from appliance.image.version import Version

ROOT = Path(__file__).parent.parent.parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "reflector-appliance"
SUITES = {"12": "bookworm"}
PYTHONS = {"12": "3.11", "13": "3.13"}
PROGRAMS = ["mmdebstrap", "ip", "nsenter", "unshare", "curl"]
# Debian 13 has an ACME authority for tests
ACME = "pebble"
# What any Debian has, and what the tests look with
PACKAGES = [
    "ca-certificates", "curl", "dbus", "iproute2", "kmod", "nftables", "procps", "python3",
    "python3-venv", "systemd", "systemd-sysv", "udev",
]  # fmt: skip


def missing() -> list[str]:
    """What keeps this machine from booting a tree."""
    found = [] if os.geteuid() == 0 else ["root"]
    return found + [name for name in PROGRAMS if shutil.which(name) is None]


def tools() -> Tools:
    """systemd's container manager and others, of Debian 13."""
    with exclusive_lock():
        return prepared(CACHE / "image", sources(), print)


def debian(release: str = "13") -> Path:
    """The plain tree; made once, and complete or not there."""
    with exclusive_lock():
        return _of_the_image() if release == "13" else _made_here(release)


@contextlib.contextmanager
def exclusive_lock() -> Iterator[None]:
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _of_the_image() -> Path:
    plain = Request(
        Version("0", 0),
        Profile.CPU,
        True,
        Keys(CACHE / "keys"),
        sources(),
        CACHE / "image",
        CACHE,
        print,
    )
    (CACHE / "keys").mkdir(exist_ok=True)
    return Mkosi(plain).kept("tree", "tree")


def _made_here(release: str) -> Path:
    target = CACHE / f"debian-{release}-2"
    if not (target / "etc/debian_version").is_file():
        part = target.with_name(f".{target.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        suite = SUITES[release]
        include = f"--include={','.join(PACKAGES)}"
        run(
            "mmdebstrap", "--variant=apt", include, suite, str(part), f"deb {mirror()} {suite} main"
        )
        run("systemctl", f"--root={part}", "enable", "systemd-networkd")
        shutil.copy("/etc/resolv.conf", part / "etc/resolv.conf")
        part.rename(target)
    return target


def _with_acme(target: Path) -> None:
    """The tree has no package manager; the tools have. Lists of its own, as another process may be building an
    image with the same tools."""
    script = (
        "cd /tmp; mkdir -p lists/partial; own='-q -o Dir::State::Lists=/tmp/lists -o Dir::Cache=/tmp';"
        'apt-get $own update; apt-get $own download "$1"; dpkg -x "$1"_*.deb "$2"'
    )
    tools().run("bash", "-euc", script, "acme", ACME, target, sees=(target,))


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
    if release == "13":
        _with_acme(target)
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
