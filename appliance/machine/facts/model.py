"""Facts as plain data. Sizes in bytes; None where the machine does not tell."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

# Bridges and ends of containers and virtual machines, as their managers name them
INTERNAL = re.compile(r"(docker|br-|virbr|veth|vnet|podman|cni|flannel|cali|lxc|lxdbr)")


class Sealing(StrEnum):
    """The values of `systemd-creds --with-key=`; FILE: a file that only root reads."""

    TPM = "host+tpm2"
    HOST = "host"
    FILE = "file"

    @property
    def described(self) -> str:
        return {
            Sealing.TPM: "sealed by the TPM",
            Sealing.HOST: "sealed by this machine's key",
            Sealing.FILE: "a file that only root reads",
        }[self]


@dataclass(frozen=True)
class Processor:
    """`cores`: those that this system may use. `features`: of the instruction set, as Linux names
    them, as far as anything here depends on them."""

    name: str
    cores: int
    architecture: str
    features: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    """What the application's libraries need of a processor and this one has not."""


@dataclass(frozen=True)
class Disk:
    """A mounted file system on a device."""

    device: str
    mount: str
    kind: str
    total: int
    free: int


@dataclass(frozen=True)
class Interface:
    """`has_default_route`: whether what goes elsewhere leaves by it."""

    name: str
    addresses: tuple[str, ...]
    is_loopback: bool = False
    has_default_route: bool = False

    @property
    def is_internal(self) -> bool:
        """Whether it leads to containers and virtual machines on this machine only."""
        return bool(INTERNAL.match(self.name)) and not self.has_default_route


@dataclass(frozen=True)
class Card:
    """An NVIDIA card. `pci` is always known; the rest only with a driver that works.

    `compute`: (major, minor) of the compute capability, (7, 5) is Turing.
    """

    pci: str
    device_id: str
    name: str | None = None
    memory: int | None = None
    compute: tuple[int, int] | None = None


@dataclass(frozen=True)
class Driver:
    """NVIDIA's. `cuda`: the newest version of CUDA that it can run, (12, 4).

    `problem`: why NVML cannot be asked, where there are cards and it cannot.
    """

    version: str | None = None
    cuda: tuple[int, int] | None = None
    module_loaded: bool = False
    device_nodes: tuple[str, ...] = ()
    problem: str | None = None


@dataclass(frozen=True)
class Release:
    """Of the operating system: `id` and `version` of os-release(5)."""

    id: str
    version: str
    name: str


@dataclass(frozen=True)
class Facts:
    """`virtualization`: what systemd-detect-virt says, `none` for metal. `systemd`: its version."""

    release: Release
    processor: Processor
    memory: int
    host_name: str
    disks: tuple[Disk, ...] = ()
    interfaces: tuple[Interface, ...] = ()
    cards: tuple[Card, ...] = ()
    driver: Driver = field(default_factory=Driver)
    virtualization: str | None = None
    secure_boot: bool | None = None
    tpm: bool = False
    clock_synchronized: bool | None = None
    systemd: int = 257

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def sealing(self) -> Sealing:
        """How this machine keeps secrets. systemd 250 and newer have a key in the TPM; one of the
        host, without a TPM, works from 254 on."""
        if self.tpm and self.systemd >= 250:
            return Sealing.TPM
        return Sealing.HOST if self.systemd >= 254 else Sealing.FILE

    @property
    def addresses(self) -> list[str]:
        """Where the machine may be reached from others: by the interface of the default route
        first, IPv4 first."""
        usable = [i for i in self.interfaces if not i.is_loopback and not i.is_internal]
        usable.sort(key=lambda interface: not interface.has_default_route)
        found = [address for interface in usable for address in interface.addresses]
        return sorted(found, key=lambda address: ":" in address)
