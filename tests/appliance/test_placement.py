"""Facts and settings in, models and their places out: cases as data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from appliance.config import ApplianceConfig
from appliance.configure.placement import place
from appliance.errors import PlanError
from appliance.machine.facts.model import Card, Driver, Facts, Processor, Release

GIB = 1 << 30
NODES = ("/dev/nvidia-uvm", "/dev/nvidia0", "/dev/nvidiactl")
NEW = Driver("580.95", (13, 0), module_loaded=True, device_nodes=NODES)
DEBIANS = Driver("550.163.01", (12, 4), module_loaded=True, device_nodes=NODES)
OLD = Driver("470.256", (11, 4), module_loaded=True, device_nodes=NODES)
NONE = Driver()
DEBIAN_12S = Driver("535.247.01", (12, 2), module_loaded=True, device_nodes=NODES)
MACHINE = Facts(
    Release("debian", "13", "Debian 13"), Processor("cpu", 16, "x86_64"), 64 * GIB, "server",
    virtualization="none",
)  # fmt: skip


def card(gib: float, compute: tuple[int, int] = (8, 9), number: int = 1) -> Card:
    return Card(f"0000:0{number}:00.0", "2684", f"Card {number}", int(gib * GIB), compute)


def bare(number: int = 1) -> Card:
    return Card(f"0000:0{number}:00.0", "2684")


def with_cards(*cards: Card, driver: Driver = NEW) -> Facts:
    return replace(MACHINE, cards=cards, driver=driver)


def config(
    speech: dict[str, Any] | None = None, llm: dict[str, Any] | None = None
) -> ApplianceConfig:
    return ApplianceConfig.model_validate({"speech": speech or {}, "llm": llm or {}})


HOSTED = {"on": "hosted", "url": "https://gpu.example.org"}
OLLAMA = {"on": "ollama-gpu"}


@dataclass(frozen=True)
class Case:
    facts: Facts
    config: ApplianceConfig
    device: str | None
    model: str | None
    llm_on_card: bool = False
    remark: str | None = None


CASES = {
    "driver too old for Ollama": Case(
        with_cards(card(24), driver=DEBIAN_12S), config({"diarization": False}, OLLAMA), "cuda:0",
        "large-v3-turbo", remark="Ollama needs the NVIDIA driver 550",
    ),
    "driver too old for Ollama, speech on the CPU": Case(
        with_cards(card(24), driver=DEBIAN_12S), config({"on": "cpu"}, OLLAMA), "cpu", "small",
        remark="the language model runs on the CPU",
    ),
    "driver too old for Ollama, speech elsewhere": Case(
        with_cards(card(24), driver=DEBIAN_12S), config(HOSTED, OLLAMA), None, None,
        remark="535.247.01 is installed",
    ),
    "nothing asked, no card": Case(MACHINE, config(), "cpu", "small"),
    "nothing asked, a card": Case(with_cards(card(24)), config(), "cuda:0", "large-v3-turbo"),
    "the CPU asked for beside a card": Case(with_cards(card(24)), config({"on": "cpu"}), "cpu", "small"),
    "a card asked for": Case(with_cards(card(24)), config({"on": "gpu"}), "cuda:0", "large-v3-turbo"),
    "two cards": Case(
        with_cards(card(24), card(24, number=2)), config(), "cuda:0,1", "large-v3-turbo"
    ),
    "two cards, one for the language model": Case(
        with_cards(card(24), card(24, number=2)), config(llm=OLLAMA), "cuda:0", "large-v3-turbo", True
    ),
    "a large card for everything": Case(
        with_cards(card(24)), config(llm=OLLAMA), "cuda:0", "large-v3-turbo", True
    ),
    "8 GB and a model of 14 billion": Case(
        with_cards(card(8)), config(llm=OLLAMA), "cuda:0", "large-v3-turbo", False,
        "qwen2.5:14b needs about 13 GiB",
    ),
    "8 GB and a small language model": Case(
        with_cards(card(8)), config(llm={**OLLAMA, "model": "llama3.2:1b", "context": 4096}),
        "cuda:0", "large-v3-turbo", True,
    ),
    "11 GB shared makes the recogniser smaller": Case(
        with_cards(card(11)), config(llm={**OLLAMA, "model": "qwen2.5:7b", "context": 8000}),
        "cuda:0", "small", True, "large-v3-turbo needs about 6 GiB",
    ),
    "large-v3 on 6 GB": Case(
        with_cards(card(6)), config({"model": "large-v3"}), "cuda:0", "large-v3-turbo", False,
        "large-v3 needs about 7 GiB",
    ),
    "large-v3 on 6 GB without speakers": Case(
        with_cards(card(6)), config({"model": "large-v3", "diarization": False}), "cuda:0", "large-v3"
    ),
    "a model that is not in the table is believed": Case(
        with_cards(card(6)), config({"model": "owner/own-whisper"}), "cuda:0", "owner/own-whisper"
    ),
    "Debian's driver leaves the speakers to the CPU": Case(
        with_cards(card(24), driver=DEBIANS), config(), "cuda:0", "large-v3-turbo", False,
        "Speaker diarization runs on the CPU",
    ),
    "a driver too old is said, and the CPU is used": Case(
        with_cards(card(24), driver=OLD), config(), "cpu", "small", False, "runs CUDA 11.4"
    ),
    "no driver is said, and the CPU is used": Case(
        with_cards(bare(), driver=NONE), config(), "cpu", "small", False, "nvidia-driver from non-free"
    ),
    "a device node is missing": Case(
        with_cards(card(24), driver=replace(NEW, device_nodes=("/dev/nvidia0",))), config(),
        "cpu", "small", False, "nvidia-modprobe",
    ),
    "a card before Volta": Case(
        with_cards(card(8, (6, 1))), config(), "cpu", "small", False, "compute capability 6.1"
    ),
    "a card before Volta beside a new one": Case(
        with_cards(card(8, (6, 1)), card(24, number=2)), config(), "cuda:1", "large-v3-turbo", False,
        "compute capability 6.1",
    ),
    "a card that a virtual machine has is not counted": Case(
        with_cards(bare(), card(24, number=2)), config(), "cuda:0", "large-v3-turbo"
    ),
    "few cores": Case(
        replace(MACHINE, processor=replace(MACHINE.processor, cores=4)), config(), "cpu", "base"
    ),
    "little memory": Case(replace(MACHINE, memory=2 * GIB), config(), "cpu", "tiny"),
    "hosted": Case(MACHINE, config(HOSTED), None, None),
    "hosted speech, own language model": Case(
        with_cards(card(16)), config(HOSTED, OLLAMA), None, None, True
    ),
    "speech on the CPU leaves the card to the language model": Case(
        with_cards(card(16)), config({"on": "cpu"}, OLLAMA), "cpu", "small", True
    ),
    "the language model on the CPU": Case(
        with_cards(card(8)), config(llm={"on": "ollama-cpu"}), "cuda:0", "large-v3-turbo"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_models_have_their_places(case: Case) -> None:
    found = place(case.facts, case.config)
    assert (found.speech_device, found.whisper_model) == (case.device, case.model), found.remarks
    assert found.language_model_on_card is case.llm_on_card
    if case.remark is None:
        assert found.remarks == []
    else:
        assert any(case.remark in remark for remark in found.remarks), found.remarks


REFUSED = {
    "a card asked for, none there": (MACHINE, config({"on": "gpu"}), "10de"),
    "a card asked for, no driver": (
        with_cards(bare(), driver=NONE), config({"on": "gpu"}), "nvidia-driver from non-free"
    ),
    "a card asked for, too old a driver": (
        with_cards(card(24), driver=OLD), config({"on": "gpu"}), "runs CUDA 11.4"
    ),
    "a card asked for, NVML fails": (
        with_cards(bare(), driver=Driver(module_loaded=True, problem="Driver/library version mismatch")),
        config({"on": "gpu"}), "version mismatch",
    ),
    "Ollama on a card, none there": (MACHINE, config(llm=OLLAMA), "10de"),
    "Ollama on a card too small for it alone": (
        with_cards(card(8)), config(HOSTED, OLLAMA), "more than the card has"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("facts", "settings", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_what_was_demanded_and_cannot_be_is_an_error(
    facts: Facts, settings: ApplianceConfig, said: str
) -> None:
    with pytest.raises(PlanError) as refused:
        place(facts, settings)
    assert said in str(refused.value)
    assert refused.value.hint
