"""List NVIDIA's cards: what is on the bus, and what their driver reports."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pynvml

from appliance.machine.facts.model import Card, Driver

NVIDIA = "0x10de"
# Base class 03 is a display controller: 00 VGA, 02 3D; others are the card's audio and USB
DISPLAY = "0x03"


def cards_on_the_bus(root: Path) -> tuple[Card, ...]:
    """List the cards on the PCI bus by address, with or without a driver."""
    found = []
    for device in sorted((root / "sys/bus/pci/devices").glob("*")):
        vendor, kind, model = (_word(device / name) for name in ("vendor", "class", "device"))
        if vendor == NVIDIA and kind.startswith(DISPLAY):
            found.append(Card(pci=device.name, device_id=model.removeprefix("0x")))
    return tuple(found)


def with_driver(root: Path, cards: tuple[Card, ...]) -> tuple[tuple[Card, ...], Driver]:
    """Return the same cards with what NVML reports about each, and the driver.

    NVML is asked only if there are cards.
    """
    module = (root / "sys/module/nvidia").is_dir()
    nodes = tuple(
        f"/dev/{path.name}"
        for path in sorted((root / "dev").glob("nvidia*"))
        if re.fullmatch(r"nvidia(\d+|ctl|-uvm|-uvm-tools|-modeset)", path.name)
    )
    driver = Driver(module_loaded=module, device_nodes=nodes)
    if not cards:
        return cards, driver
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        return cards, replace(driver, problem=str(error))
    try:
        return _asked(cards, driver)
    except pynvml.NVMLError as error:
        return cards, replace(driver, problem=str(error))
    finally:
        pynvml.nvmlShutdown()


def _asked(cards: tuple[Card, ...], driver: Driver) -> tuple[tuple[Card, ...], Driver]:
    version = int(pynvml.nvmlSystemGetCudaDriverVersion_v2())
    known = replace(
        driver,
        version=str(pynvml.nvmlSystemGetDriverVersion()),
        cuda=(version // 1000, version % 1000 // 10),
    )
    described = []
    for card in cards:
        try:
            handle = pynvml.nvmlDeviceGetHandleByPciBusId(card.pci.encode())
        except pynvml.NVMLError:
            described.append(card)  # another driver uses it, for a virtual machine for example
            continue
        major, minor = pynvml.nvmlDeviceGetCudaComputeCapability(handle)
        described.append(
            replace(
                card,
                name=str(pynvml.nvmlDeviceGetName(handle)),
                memory=int(pynvml.nvmlDeviceGetMemoryInfo(handle).total),
                compute=(int(major), int(minor)),
            )
        )
    return tuple(described), known


def _word(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:
        return ""
