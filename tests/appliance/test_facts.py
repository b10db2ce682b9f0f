"""Facts: of this machine as they are, of others from trees made for it. Only cards and NVML are
not real here: none can be had."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import psutil
import pynvml
import pytest
from click.testing import CliRunner

from appliance.cli import cli
from appliance.commands.facts import described
from appliance.config import ApplianceConfig
from appliance.configure.placement import place
from appliance.errors import PlanError
from appliance.machine.facts import Facts, gather
from appliance.machine.facts.cards import cards_on_the_bus, with_driver
from appliance.machine.facts.model import Interface

GIB = 1 << 30
FIRST, SECOND = "0000:01:00.0", "0000:02:00.0"


def add_device(root: Path, address: str, vendor: str, kind: str, device: str = "0x2684") -> None:
    folder = root / "sys/bus/pci/devices" / address
    folder.mkdir(parents=True)
    for name, value in (("vendor", vendor), ("class", kind), ("device", device)):
        (folder / name).write_text(f"{value}\n")


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A root folder as far as facts are looked for there."""
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text(
        "processor\t: 0\nmodel name\t: Old Processor\nflags\t\t: fpu sse2 avx\n"
    )
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/os-release").write_text(
        'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nID=debian\nVERSION_ID="13"\n'
    )
    return tmp_path


@pytest.fixture
def nvml(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A driver that knows the cards at `known`, or one that fails with `error`."""

    def nvml(*known: str, error: int | None = None) -> None:
        def initialise() -> None:
            if error is not None:
                raise pynvml.NVMLError(error)

        def handle(address: bytes) -> str:
            if address.decode() not in known:
                raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_FOUND)
            return address.decode()

        answers = {
            "nvmlInit": initialise,
            "nvmlShutdown": lambda: None,
            "nvmlSystemGetDriverVersion": lambda: "550.163.01",
            "nvmlSystemGetCudaDriverVersion_v2": lambda: 12040,
            "nvmlDeviceGetHandleByPciBusId": handle,
            "nvmlDeviceGetName": lambda card: f"Card at {card}",
            "nvmlDeviceGetMemoryInfo": lambda card: SimpleNamespace(total=24 * GIB),
            "nvmlDeviceGetCudaComputeCapability": lambda card: (8, 9),
        }
        for name, answer in answers.items():
            monkeypatch.setattr(pynvml, name, answer)

    return nvml


def test_this_machine_is_as_the_kernel_says() -> None:
    facts = gather()
    assert facts.memory == psutil.virtual_memory().total
    assert facts.processor.cores == len(os.sched_getaffinity(0))
    assert facts.release.id
    assert all(0 <= disk.free <= disk.total for disk in facts.disks)
    assert any(interface.is_loopback for interface in facts.interfaces)
    assert not any(address.startswith(("127.", "::1", "fe80")) for address in facts.addresses)


def test_other_machine_is_as_its_files_say(machine: Path) -> None:
    facts = gather(machine)
    assert (facts.release.id, facts.release.version) == ("debian", "13")
    assert facts.processor.name == "Old Processor"
    assert facts.processor.features == ("avx",)
    assert facts.secure_boot is None
    assert facts.tpm is False
    assert facts.cards == ()


@pytest.mark.parametrize(("value", "expected"), [(b"\x01", True), (b"\x00", False)])
def test_secure_boot_and_tpm(machine: Path, value: bytes, expected: bool) -> None:
    folder = machine / "sys/firmware/efi/efivars"
    folder.mkdir(parents=True)
    (folder / "SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c").write_bytes(
        b"\x06\x00\x00\x00" + value
    )
    (machine / "sys/class/tpm/tpm0").mkdir(parents=True)
    facts = gather(machine)
    assert facts.secure_boot is expected
    assert facts.tpm is True


def test_only_displays_of_nvidia_are_cards(machine: Path) -> None:
    add_device(machine, SECOND, "0x10de", "0x030200", "0x2330")
    add_device(machine, FIRST, "0x10de", "0x030000")
    add_device(machine, "0000:01:00.1", "0x10de", "0x040300")  # the card's audio
    add_device(machine, "0000:00:02.0", "0x8086", "0x030000")  # another maker's
    assert [card.pci for card in cards_on_the_bus(machine)] == [FIRST, SECOND]


def test_driver_says_what_the_cards_are(machine: Path, nvml: Callable[..., None]) -> None:
    add_device(machine, FIRST, "0x10de", "0x030000")
    (machine / "sys/module/nvidia").mkdir(parents=True)
    (machine / "dev").mkdir()
    for name in ("nvidia0", "nvidiactl", "nvidia-uvm", "nvidia-caps", "null"):
        (machine / "dev" / name).touch()
    nvml(FIRST)
    facts = gather(machine)
    (card,) = facts.cards
    assert (card.memory, card.compute) == (24 * GIB, (8, 9))
    assert (facts.driver.version, facts.driver.cuda) == ("550.163.01", (12, 4))
    assert facts.driver.device_nodes == ("/dev/nvidia-uvm", "/dev/nvidia0", "/dev/nvidiactl")
    assert "compute capability 8.9" in dict(described(facts))["card"]


def test_card_without_a_driver_is_still_a_card(machine: Path, nvml: Callable[..., None]) -> None:
    add_device(machine, FIRST, "0x10de", "0x030000")
    nvml(error=pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)
    facts = gather(machine)
    assert facts.cards[0].memory is None
    assert "NVML" in (facts.driver.problem or "")
    assert "without a driver" in dict(described(facts))["card"]


def test_card_that_another_driver_has_does_not_hide_the_others(
    machine: Path, nvml: Callable[..., None]
) -> None:
    add_device(machine, FIRST, "0x10de", "0x030000")
    add_device(machine, SECOND, "0x10de", "0x030000")
    nvml(SECOND)
    cards, driver = with_driver(machine, cards_on_the_bus(machine))
    assert [card.memory for card in cards] == [None, 24 * GIB]
    assert driver.problem is None


def test_facts_as_data_and_for_people() -> None:
    runner = CliRunner()
    data = json.loads(runner.invoke(cli, ["facts", "--json"]).stdout)
    assert set(data) >= set(Facts.__dataclass_fields__)
    shown = runner.invoke(cli, ["facts"])
    assert shown.exit_code == 0
    assert "processor" in shown.stdout


def test_address_is_that_of_the_default_route_and_not_of_a_bridge(machine: Path) -> None:
    interfaces = (
        Interface("br-8a0c1", ("172.18.0.1",)),
        Interface("docker0", ("172.17.0.1",)),
        Interface("enp1s0", ("10.0.0.5",)),
        Interface("enp3s0", ("192.168.1.20", "2001:db8::1"), has_default_route=True),
        Interface("lo", ("127.0.0.1",), is_loopback=True),
    )
    facts = replace(gather(machine), interfaces=interfaces)
    assert facts.addresses == ["192.168.1.20", "10.0.0.5", "2001:db8::1"]


def test_default_routes_are_read_from_the_kernel(machine: Path) -> None:
    (machine / "proc/net").mkdir()
    head = "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT"
    (machine / "proc/net/route").write_text(
        f"{head}\nlo 00000000 0101A8C0 0003 0 0 100 00000000 0 0 0\n"
        "docker0 000011AC 00000000 0001 0 0 0 0000FFFF 0 0 0\n"
    )
    assert not any(each.has_default_route for each in gather(machine).interfaces)


@pytest.mark.parametrize(
    ("flags", "missing"),
    [
        ("fpu sse2 cx16 hypervisor lahf_lm", ("popcnt", "sse4_1", "sse4_2", "ssse3")),
        ("fpu sse2 ssse3 sse4_1 sse4_2 popcnt cx16 avx2", ()),
    ],
)
def test_processor_that_the_libraries_cannot_use_is_known(
    machine: Path, flags: str, missing: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """KVM's kvm64, and a processor of this century."""
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    (machine / "proc/cpuinfo").write_text(f"model name\t: Common KVM processor\nflags : {flags}\n")
    facts = gather(machine)
    assert facts.processor.missing == missing
    if missing:
        with pytest.raises(PlanError, match="which the application needs") as refused:
            place(facts, ApplianceConfig())
        assert "processor type to host" in str(refused.value.hint)
