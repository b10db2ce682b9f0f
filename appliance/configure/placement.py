"""Which models run where: from facts and settings alone.

A card is shared by the recogniser, the diarizer and the language model. What does not fit together is
made smaller or goes to the CPU, and a sentence says so; what was demanded and cannot be is an error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from appliance.config.model import ApplianceConfig, LanguageModelOn, SpeechOn
from appliance.errors import PlanError
from appliance.machine.facts.model import Card, Facts

GIB = 1 << 30

# float16, in GiB: the weights (openai/whisper, model cards) and what a batch of eight windows adds
WHISPER = {
    "large-v3": 3.1, "large-v2": 3.1, "large-v3-turbo": 1.7, "medium": 1.6, "small": 0.5,
    "base": 0.2, "tiny": 0.1,
}  # fmt: skip
WHISPER_WORK, DIARIZER = 2.0, 2.0
# Ollama at 4 bits: weights by billions of parameters, and keys and values for each 1,000 tokens
LLM_BASE, LLM_PER_BILLION, LLM_PER_KILOTOKEN = 1.0, 0.62, 0.014
# What the wheels in requirements/ were built against: CTranslate2 for CUDA 12, torch for CUDA 13
CUDA_FOR_WORDS, CUDA_FOR_SPEAKERS = (12, 0), (13, 0)
# Ollama from 0.30.11 on. It asks for 570 on cards older than OLDEST_COMPUTE, which are not used.
OLLAMA_DRIVER = 550
# CTranslate2's float16 and torch's wheels begin with Volta
OLDEST_COMPUTE = (7, 0)
DRIVER_PACKAGES = "nvidia-driver from non-free, or nvidia-open from NVIDIA's own repository"


@dataclass(frozen=True)
class Placement:
    """`speech_device` as SPEECH_DEVICE has it, None where another machine does the work.

    `remarks`: what is otherwise than asked for, and why, a sentence each.
    """

    speech_device: str | None
    whisper_model: str | None
    language_model_on_card: bool
    remarks: list[str] = field(default_factory=list)


def place(facts: Facts, config: ApplianceConfig) -> Placement:
    """Raise PlanError if a card was demanded that cannot be used."""
    if facts.processor.missing:
        raise PlanError(
            f"The processor ({facts.processor.name}) lacks {', '.join(facts.processor.missing)}, "
            "which the application needs.",
            "Set the virtual machine's processor type to host, or to x86-64-v2 or newer.",
        )
    remarks: list[str] = []
    if config.speech.on is SpeechOn.HOSTED:
        on_card = _language_model_alone(facts, config, remarks)
        return Placement(None, None, on_card, remarks)
    wants_card = config.speech.on is SpeechOn.GPU
    cards = [] if config.speech.on is SpeechOn.CPU else usable_cards(facts, remarks)
    if not cards:
        if wants_card:
            raise PlanError(*_no_card(facts, remarks))
        on_card = config.speech.on is SpeechOn.CPU and _language_model_alone(facts, config, remarks)
        speech_on_cpu = config.speech.on is SpeechOn.CPU
        if not speech_on_cpu and config.llm.on is LanguageModelOn.OLLAMA_GPU:
            raise PlanError(*_no_card(facts, remarks))
        model = config.speech.model or _whisper_on_processor(facts)
        return Placement("cpu", model, on_card, remarks)
    return _on_cards(cards, facts, config, remarks)


def _on_cards(
    cards: list[Card], facts: Facts, config: ApplianceConfig, remarks: list[str]
) -> Placement:
    wants_llm = config.llm.on is LanguageModelOn.OLLAMA_GPU
    llm = language_model_size(config)
    # The language model has the last card to itself where there are several
    shared = wants_llm and len(cards) == 1
    room = _gib(cards[0]) - (llm if shared else 0.0)
    llm_on_card = wants_llm
    if wants_llm and _is_too_old_for_ollama(facts, remarks):
        llm_on_card, shared, room = False, False, _gib(cards[0])
    elif wants_llm and (llm > _gib(cards[-1]) or (shared and room < _speech("tiny", config))):
        remarks.append(
            f"{config.llm.model} needs about {llm:.0f} GiB with {config.llm.context} tokens, and the "
            f"card has {_gib(cards[-1]):.0f} GiB, so it runs on the CPU. A smaller llm.model may fit."
        )
        llm_on_card, room = False, _gib(cards[0])
    model = _whisper(config, room, remarks)
    if config.speech.diarization and not _can_run(facts, CUDA_FOR_SPEAKERS):
        remarks.append(
            f"The driver {facts.driver.version} runs CUDA {_dotted(facts.driver.cuda)}. Speaker "
            f"diarization runs on the CPU, because it needs CUDA {_dotted(CUDA_FOR_SPEAKERS)} (driver "
            "580 or newer)."
        )
    for_speech = cards[:-1] if llm_on_card and len(cards) > 1 else cards
    # CUDA counts the cards that the driver has, in the order of their addresses
    counted = [card for card in facts.cards if card.memory]
    device = "cuda:" + ",".join(str(counted.index(card)) for card in for_speech)
    return Placement(device, model, llm_on_card, remarks)


def _whisper(config: ApplianceConfig, room: float, remarks: list[str]) -> str:
    """Return the model that is wanted, or the largest that has room beside the others."""
    wanted = config.speech.model or "large-v3-turbo"
    if wanted not in WHISPER or _speech(wanted, config) <= room:
        return wanted
    fitting = [name for name in WHISPER if _speech(name, config) <= room]
    chosen = max(fitting, key=lambda name: WHISPER[name], default="tiny")
    remarks.append(
        f"{wanted} needs about {_speech(wanted, config):.0f} GiB including the other services, but "
        f"there are {room:.0f} GiB. {chosen} is used instead."
    )
    return chosen


def _whisper_on_processor(facts: Facts) -> str:
    """Return the largest that keeps up with speech; as the application chooses for itself, said
    here so that the plan knows what to fetch (figures: docs/speech.md)."""
    if facts.processor.cores >= 8 and facts.memory >= 8 * GIB:
        return "small"
    return "base" if facts.memory >= 3 * GIB else "tiny"


def usable_cards(facts: Facts, remarks: list[str]) -> list[Card]:
    """Return cards that words can be recognised on; `remarks` gets why others cannot be used."""
    if not facts.cards:
        return []
    driver = facts.driver
    if driver.version is None:
        state = (
            "is not loaded" if not driver.module_loaded else f"does not answer ({driver.problem})"
        )
        remarks.append(
            f"There is an NVIDIA card at {facts.cards[0].pci}, but its driver {state}: install "
            f"{DRIVER_PACKAGES}, and restart the machine."
        )
        return []
    if not _can_run(facts, CUDA_FOR_WORDS):
        remarks.append(
            f"The driver {driver.version} runs CUDA {_dotted(driver.cuda)}, and the speech models need "
            f"{_dotted(CUDA_FOR_WORDS)} or newer: install {DRIVER_PACKAGES}."
        )
        return []
    if "/dev/nvidia-uvm" not in driver.device_nodes:
        remarks.append(
            "CUDA does not work because /dev/nvidia-uvm is missing. Run nvidia-modprobe -u, or start "
            "nvidia-persistenced."
        )
        return []
    old = [card for card in facts.cards if card.compute and card.compute < OLDEST_COMPUTE]
    remarks += [
        f"{card.name} has compute capability {_dotted(card.compute)}, but the wheels need "
        f"{_dotted(OLDEST_COMPUTE)}. It is not used."
        for card in old
    ]
    return [card for card in facts.cards if card.memory and card not in old]


def _language_model_alone(facts: Facts, config: ApplianceConfig, remarks: list[str]) -> bool:
    """Return whether Ollama has a card to itself, where it asks for one."""
    if config.llm.on is not LanguageModelOn.OLLAMA_GPU:
        return False
    problems: list[str] = []
    cards = usable_cards(facts, problems)
    if not cards:
        raise PlanError(*_no_card(facts, problems))
    if _is_too_old_for_ollama(facts, remarks):
        return False
    if language_model_size(config) > max(_gib(card) for card in cards):
        raise PlanError(
            f"{config.llm.model} needs about {language_model_size(config):.0f} GiB, more than the card has.",
            "Choose a smaller llm.model, or llm.on = ollama-cpu.",
        )
    return True


def _is_too_old_for_ollama(facts: Facts, remarks: list[str]) -> bool:
    """Return whether Ollama would silently work on the processor; `remarks` gets the reason."""
    major = re.match(r"\d+", facts.driver.version or "")
    if major is None or int(major[0]) >= OLLAMA_DRIVER:
        return False
    remarks.append(
        f"Ollama needs the NVIDIA driver {OLLAMA_DRIVER} or newer, and {facts.driver.version} is "
        f"installed, so the language model runs on the CPU. Install {DRIVER_PACKAGES}."
    )
    return True


def _no_card(facts: Facts, remarks: list[str]) -> tuple[str, str]:
    if remarks:
        return " ".join(remarks), "Or choose the CPU: --cpu."
    return (
        "A card was asked for, but no display controller of NVIDIA (10de) is on the PCI bus of this "
        f"machine ({facts.virtualization or 'unknown'}).",
        "Choose --cpu, or pass the card through to this machine.",
    )


def _speech(model: str, config: ApplianceConfig) -> float:
    return WHISPER[model] + WHISPER_WORK + (DIARIZER if config.speech.diarization else 0.0)


def language_model_size(config: ApplianceConfig) -> float:
    """Return GiB; a name without a number of parameters counts as 14 billion."""
    found = re.search(r"[:-](\d+(?:\.\d+)?)b", config.llm.model.lower())
    billions = float(found[1]) if found else 14.0
    context = LLM_PER_KILOTOKEN * config.llm.context / 1000
    return LLM_BASE + billions * (LLM_PER_BILLION + context)


def _can_run(facts: Facts, needed: tuple[int, int]) -> bool:
    return facts.driver.cuda is not None and facts.driver.cuda >= needed


def _gib(card: Card) -> float:
    return (card.memory or 0) / GIB


def _dotted(version: tuple[int, int] | None) -> str:
    return ".".join(map(str, version)) if version else "of no version"
