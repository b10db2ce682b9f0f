"""Gather the facts of the running system, from /proc, /sys, systemd and NVML.

`root` is the tree with /etc, /proc and /sys: tests use their own.
"""

from __future__ import annotations

import ipaddress
import os
import platform
import re
import socket
from pathlib import Path

import psutil

from appliance.machine.facts.cards import cards_on_the_bus, with_driver
from appliance.machine.facts.model import Disk, Facts, Interface, Processor, Release
from appliance.machine.run import first_line

# The features by which CTranslate2 and torch choose their code
FEATURES = ("avx", "avx2", "fma", "avx512f", "avx512_vnni", "asimd", "sve")
# x86-64-v2 (x86-64 psABI), which the wheels of NumPy and ONNX Runtime need. KVM's default
# processors (kvm64, qemu64) lack some of it, and Python then dies with an illegal instruction.
NEEDED = ("cx16", "popcnt", "sse4_1", "sse4_2", "ssse3")
# File systems that hold no data of the machine's own
PASSING = {"erofs", "squashfs", "vfat", "iso9660", "overlay", "tmpfs", "devtmpfs", "ramfs"}


def gather(root: Path = Path("/")) -> Facts:
    cards, driver = with_driver(root, cards_on_the_bus(root))
    return Facts(
        release=_release(root),
        processor=_processor(root),
        memory=psutil.virtual_memory().total,
        host_name=socket.gethostname(),
        disks=_disks(),
        interfaces=_interfaces(root),
        cards=cards,
        driver=driver,
        virtualization=first_line("systemd-detect-virt"),
        secure_boot=_secure_boot(root),
        tpm=any((root / "sys/class/tpm").glob("tpm*")),
        clock_synchronized=_clock(),
        systemd=_systemd(),
    )


def _release(root: Path) -> Release:
    fields: dict[str, str] = {}
    for name in ("etc/os-release", "usr/lib/os-release"):
        file = root / name
        if file.is_file():
            for line in file.read_text().splitlines():
                key, _, value = line.partition("=")
                fields.setdefault(key, value.strip("\"'"))
    return Release(
        fields.get("ID", ""), fields.get("VERSION_ID", ""), fields.get("PRETTY_NAME", "unknown")
    )


def _processor(root: Path) -> Processor:
    name, known = platform.machine(), set[str]()
    file = root / "proc/cpuinfo"
    if not file.exists():  # a tree that is not running: this machine will run it
        file = Path("/proc/cpuinfo")
    for line in file.read_text().splitlines():
        key, _, value = (part.strip() for part in line.partition(":"))
        if key == "model name":
            name = value
        elif key in {"flags", "Features"}:
            known.update(value.split())
    features = tuple(feature for feature in FEATURES if feature in known)
    architecture = platform.machine()
    needed = NEEDED if architecture == "x86_64" and known else ()
    missing = tuple(feature for feature in needed if feature not in known)
    return Processor(name, len(os.sched_getaffinity(0)), architecture, features, missing)


def _disks() -> tuple[Disk, ...]:
    found: dict[str, Disk] = {}
    for part in psutil.disk_partitions(all=False):
        # A container sees a file system of its host through single files
        if part.fstype in PASSING or part.device in found or not Path(part.mountpoint).is_dir():
            continue
        try:
            usage = psutil.disk_usage(part.mountpoint)
        except OSError:
            continue  # the disk does not answer
        found[part.device] = Disk(
            part.device, part.mountpoint, part.fstype, usage.total, usage.free
        )
    if "/" not in {disk.mount for disk in found.values()}:  # a container has its root in layers
        usage = psutil.disk_usage("/")
        found["/"] = Disk("/", "/", "overlay", usage.total, usage.free)
    return tuple(found.values())


def _interfaces(root: Path) -> tuple[Interface, ...]:
    found = []
    routed = _with_default_route(root)
    for name, addresses in sorted(psutil.net_if_addrs().items()):
        known = [
            ipaddress.ip_address(a.address.partition("%")[0])
            for a in addresses
            if a.family in {socket.AF_INET, socket.AF_INET6}
        ]
        usable = tuple(str(address) for address in known if not address.is_link_local)
        is_loopback = bool(known) and all(address.is_loopback for address in known)
        found.append(Interface(name, usable, is_loopback, name in routed))
    return tuple(found)


def _with_default_route(root: Path) -> set[str]:
    """Return the names of interfaces with a default route, from the kernel's routing tables.

    See proc(5), net/route and net/ipv6_route.
    """
    found = {
        columns[0]
        for columns in _columns(root / "proc/net/route")
        if columns[1] == columns[7] == "00000000"
    }
    found |= {
        columns[-1]
        for columns in _columns(root / "proc/net/ipv6_route")
        if columns[0] == "0" * 32 and columns[1] == "00"
    }
    return found - {"lo"}


def _columns(file: Path) -> list[list[str]]:
    try:
        lines = file.read_text().splitlines()
    except OSError:
        return []
    return [line.split() for line in lines if len(line.split()) >= 8]


def _secure_boot(root: Path) -> bool | None:
    """Return the value of the EFI variable; None if there is none.

    Its first four bytes are attributes, the fifth is the value.
    """
    folder = root / "sys/firmware/efi/efivars"
    for file in folder.glob("SecureBoot-*"):
        return file.read_bytes()[4:5] == b"\x01"
    return None


def _clock() -> bool | None:
    said = first_line("timedatectl", "show", "--property=NTPSynchronized", "--value")
    return None if said not in {"yes", "no"} else said == "yes"


def _systemd() -> int:
    """Return systemd's version, or 0 without systemd."""
    found = re.match(r"systemd (\d+)", first_line("systemctl", "--version") or "")
    return int(found[1]) if found else 0
