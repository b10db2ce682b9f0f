"""Plan the language model: Ollama on this machine, or a server elsewhere."""

from __future__ import annotations

from appliance.config.model import LanguageModelOn
from appliance.configure.placement import language_model_size, usable_cards
from appliance.configure.plan.changes import PullLanguageModel
from appliance.configure.plan.view import Note, Planned, View
from appliance.machine import units
from appliance.render import render

STEP = "llm"
GIB = 1 << 30
# What else has to be in the memory beside a language model on the CPU: speech, database, system
OTHERS = 8.0


def plan(view: View) -> Planned:
    match view.config.llm.on:
        case LanguageModelOn.NONE:
            yield Note(
                STEP,
                "Without a language model, titles and summaries are extracted from what was said. "
                "Set one up with --ollama-gpu, --ollama-cpu or llm.url.",
            )
        case LanguageModelOn.EXTERNAL:
            if not view.has_secret("LLM_API_KEY"):
                yield Note(
                    STEP,
                    "There is no secret LLM_API_KEY. Requests to the language model carry no key.",
                )
        case _:
            yield from _ollama(view)


def _ollama(view: View) -> Planned:
    yield from view.artifact(STEP, "ollama", "the language model's server")
    size = language_model_size(view.config)
    on_card = view.placement.language_model_on_card
    room = view.facts.memory / GIB - OTHERS
    if not on_card and size > room:
        yield Note(
            STEP,
            f"{view.config.llm.model} needs about {size:.0f} GiB of memory, but only "
            f"{max(room, 0):.0f} GiB are left. It will be slow or fail. Choose a smaller llm.model.",
        )
    cards = usable_cards(view.facts, [])
    # CUDA does not count cards that are passed through to a virtual machine
    counted = [card for card in view.facts.cards if card.memory]
    text = render(
        "ollama-unit.conf.j2",
        context=view.config.llm.context,
        # Loaded for good where nothing else wants the memory, given back soon where something does
        keep_alive="-1" if on_card or size * 2 < room else "5m",
        cards=counted.index(cards[-1]) if on_card and cards else None,
    )
    yield from view.file(
        STEP, units.drop_in(units.OLLAMA), text, "context and memory", restarts=(units.OLLAMA,)
    )
    if view.config.llm.model not in view.state.language_models and not view.offline:
        yield PullLanguageModel(
            step=STEP, reason="writes titles and summaries", name=view.config.llm.model
        )
