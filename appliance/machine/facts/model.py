"""Represent facts as plain data. Sizes are in bytes. None means that the machine does not tell."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

# Bridges and virtual interfaces of containers and virtual machines, as their managers name them
INTERNAL = re.compile(r"(docker|br-|virbr|veth|vnet|podman|cni|flannel|cali|lxc|lxdbr)")


class Sealing(StrEnum):
    """The values of `systemd-creds --with-key=`. FILE is a file that only root can read."""

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
    """A processor.

    `cores` counts those that this system may use. `features` are the instruction set extensions
    that the appliance cares about, as Linux names them.
    """

    name: str
    cores: int
    architecture: str
    features: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    """What the application's libraries need and this processor lacks."""


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
    """A network interface. `has_default_route`: whether traffic to other networks leaves by it."""

    name: str
    addresses: tuple[str, ...]
    is_loopback: bool = False
    has_default_route: bool = False

    @property
    def is_internal(self) -> bool:
        """Whether it leads only to containers and virtual machines on this machine."""
        return bool(INTERNAL.match(self.name)) and not self.has_default_route


@dataclass(frozen=True)
class Card:
    """An NVIDIA card. `pci` is always known, the other fields only with a working driver.

    `compute` is (major, minor) of the compute capability: (7, 5) is Turing.
    """

    pci: str
    device_id: str
    name: str | None = None
    memory: int | None = None
    compute: tuple[int, int] | None = None


@dataclass(frozen=True)
class Driver:
    """NVIDIA's driver.

    `cuda` is the newest version of CUDA that it can run, such as (12, 4). `problem` says why NVML
    does not answer although there are cards.
    """

    version: str | None = None
    cuda: tuple[int, int] | None = None
    module_loaded: bool = False
    device_nodes: tuple[str, ...] = ()
    problem: str | None = None


@dataclass(frozen=True)
class Release:
    """The operating system: `id` and `version` are those of os-release(5)."""

    id: str
    version: str
    name: str


@dataclass(frozen=True)
class Facts:
    """What the machine is.

    `virtualization` is the answer of systemd-detect-virt, `none` on metal. `systemd` is its
    version.
    """

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
        """How this machine seals secrets.

        A key in the TPM needs systemd 250. A key of the host without a TPM needs 254.
        """
        if self.tpm and self.systemd >= 250:
            return Sealing.TPM
        return Sealing.HOST if self.systemd >= 254 else Sealing.FILE

    @property
    def addresses(self) -> list[str]:
        """The addresses at which others may reach the machine.

        Those of the default route's interface come first, and IPv4 comes before IPv6.
        """
        usable = [i for i in self.interfaces if not i.is_loopback and not i.is_internal]
        usable.sort(key=lambda interface: not interface.has_default_route)
        found = [address for interface in usable for address in interface.addresses]
        return sorted(found, key=lambda address: ":" in address)
