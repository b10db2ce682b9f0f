"""Processing again: what did not change is not paid for, and the old result stays until the end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from reflector.db.models import Participant, Status, StepState, SummaryTemplate, Transcript
from reflector.events import Message
from reflector.events.outbox import Outbox
from reflector.pipeline import registry
from reflector.pipeline.context import StepContext
from reflector.pipeline.inline import InlineRunner
from reflector.pipeline.registry import LANGUAGE_STEPS
from reflector.pipeline.runs import failed_language_steps, reset_steps, steps_of
from reflector.pipeline.step import StepDefinition, StepName
from reflector.services import Services
from reflector.transcripts import queries
from tests.conftest import HELD_OUT
from tests.doubles.language_server import GOOD, LanguageServer, language_server
from tests.pipeline.helpers import add_recording, process, steps, transcript_of


@pytest.fixture
def executed(monkeypatch: pytest.MonkeyPatch) -> list[StepName]:
    """The steps that were really worked on, in order."""
    done: list[StepName] = []

    def counting(name: StepName, work: StepDefinition) -> StepDefinition:
        def run(context: StepContext) -> dict[str, Any]:
            done.append(name)
            return work.run(context)

        return replace(work, run=run)

    for name, work in registry.STEPS.items():
        monkeypatch.setitem(registry.STEPS, name, counting(name, work))
    return done


@pytest.fixture
def llm() -> Iterator[LanguageServer]:
    with language_server() as server:
        yield server


def use(services: Services, llm: LanguageServer) -> None:
    services.settings = services.settings.model_copy(
        update={"LLM_URL": llm.url, "LLM_PARSE_MAX_RETRIES": 0}
    )
    services.__dict__.pop("analyst", None)


def test_same_again_costs_nothing(services: Services, executed: list[StepName]) -> None:
    transcript_id = add_recording(services, HELD_OUT)
    process(services, transcript_id)
    first = transcript_of(services, transcript_id)
    assert set(executed) == set(StepName) - {StepName.TRANSLATE}  # it stays in its language
    executed.clear()
    process(services, transcript_id)
    second = transcript_of(services, transcript_id)
    assert executed == [StepName.FINISH]
    assert (second.status, second.title, second.shown_run) == (Status.ENDED, first.title, 2)


def test_named_speaker_costs_no_speech(services: Services, executed: list[StepName]) -> None:
    transcript_id = add_recording(services, HELD_OUT)
    process(services, transcript_id)
    executed.clear()
    with services.db.write() as session:
        session.add(Participant(transcript_id=transcript_id, speaker=0, name="Anna"))
    process(services, transcript_id)
    assert set(executed) == {StepName.ASSEMBLE, *LANGUAGE_STEPS, StepName.FINISH}


def test_old_run_is_cleared_away(services: Services) -> None:
    transcript_id = add_recording(services, HELD_OUT)
    process(services, transcript_id)
    with services.db.read() as session:
        before = queries.topics_of(session, transcript_of(services, transcript_id), with_words=True)
    process(services, transcript_id)
    assert steps(services, transcript_id, 1) == {}
    with services.db.read() as session:
        after = queries.topics_of(session, transcript_of(services, transcript_id), with_words=True)
    assert [(t["title"], t["words"]) for t in after] == [(t["title"], t["words"]) for t in before]


def test_old_result_is_on_show_until_the_new_one_is_complete(
    services: Services, llm: LanguageServer
) -> None:
    transcript_id = add_recording(services, HELD_OUT)
    process(services, transcript_id)
    old = transcript_of(services, transcript_id).title
    use(services, llm)
    shown: list[tuple[str | None, int | None]] = []
    told: list[str] = []

    def answer(name: str, request: dict[str, Any]) -> Any:
        now = transcript_of(services, transcript_id)
        shown.append((now.title, now.shown_run))
        return GOOD[name]

    def listen(channel: str, message: Message) -> None:
        told.append(message.name)

    llm.answer = answer
    services.bus.listen(listen)
    process(services, transcript_id)
    assert set(shown) == {(old, 1)}
    new = transcript_of(services, transcript_id)
    assert (new.title, new.shown_run) == ("Quarterly Planning of the Team", 2)
    assert new.action_items == {
        "decisions": [{"decision": "Approve the budget", "rationale": None, "decided_by": "Peter"}],
        "next_steps": [
            {
                "task": "Write the report",
                "assigned_to": "Maria",
                "deadline": "Tuesday",
                "context": None,
            }
        ],
    }
    # Viewers of the old result are told of the new one at its end, not in between
    assert "TOPIC" not in told
    assert told.index("FINAL_TITLE") > told.index("STATUS")


def test_language_model_that_fails_leaves_an_ended_transcript_with_the_reason(
    services: Services, llm: LanguageServer
) -> None:
    use(services, llm)
    llm.answer = lambda name, request: 401
    transcript_id = add_recording(services, HELD_OUT)
    run = process(services, transcript_id)
    transcript = transcript_of(services, transcript_id)
    assert transcript.status == Status.ENDED
    assert transcript.title is None
    with services.db.read() as session:
        assert queries.words_of(session, transcript)
    found = steps(services, transcript_id, run)
    for name in LANGUAGE_STEPS:
        assert found[name].state == StepState.FAILED
        assert "LLM_API_KEY" in (found[name].error or "")


def test_only_the_missing_parts_are_done_again(
    services: Services, llm: LanguageServer, executed: list[StepName]
) -> None:
    use(services, llm)
    llm.answer = lambda name, request: 401 if name == "SummaryAnswer" else GOOD[name]
    transcript_id = add_recording(services, HELD_OUT)
    run = process(services, transcript_id)
    assert transcript_of(services, transcript_id).title == "Quarterly Planning of the Team"
    assert transcript_of(services, transcript_id).short_summary is None
    executed.clear()
    llm.answer = lambda name, request: GOOD[name]
    with services.db.write() as session:
        transcript = session.get_one(Transcript, transcript_id)
        current = steps_of(session, transcript_id, run)
        assert failed_language_steps(current) == [StepName.SUMMARY]
        events = Outbox(services.bus, session, transcript, run)
        reset_steps(current, [StepName.SUMMARY], events)
    InlineRunner(services).run(transcript_id, run)
    assert set(executed) == {StepName.SUMMARY, StepName.FINISH}
    assert transcript_of(services, transcript_id).short_summary == "The team planned the quarter."


def test_reprocess_that_fails_leaves_the_old_result(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    transcript_id = add_recording(services, HELD_OUT)
    process(services, transcript_id)
    old = transcript_of(services, transcript_id)

    def broken(context: StepContext) -> dict[str, Any]:
        raise RuntimeError("broken on purpose")

    work = replace(registry.STEPS[StepName.TRANSCRIBE], run=broken, version=99)
    monkeypatch.setitem(registry.STEPS, StepName.TRANSCRIBE, work)
    process(services, transcript_id)
    now = transcript_of(services, transcript_id)
    assert now.status == Status.ERROR
    assert "failed unexpectedly (RuntimeError)" in (now.error or "")
    assert (now.title, now.shown_run) == (old.title, 1)
    with services.db.read() as session:
        assert queries.words_of(session, now)


def test_template_gives_a_new_summary_and_nothing_else(
    services: Services, executed: list[StepName], llm: LanguageServer
) -> None:
    use(services, llm)
    transcript_id = add_recording(services, HELD_OUT)
    process(services, transcript_id)
    executed.clear()
    with services.db.write() as session:
        template = SummaryTemplate(name="Log", instructions="Only what was decided.")
        session.add(template)
        session.flush()
        transcript = session.get_one(Transcript, transcript_id)
        transcript.options = {"summary_template_id": template.id}
    asked = len(llm.prompts())
    process(services, transcript_id)
    assert set(executed) == {StepName.SUMMARY, StepName.FINISH}
    assert "Only what was decided." in llm.prompts()[asked]


def test_vocabulary_and_number_of_speakers_reach_the_engines(
    services: Services, executed: list[StepName], monkeypatch: pytest.MonkeyPatch
) -> None:
    transcript_id = add_recording(services, HELD_OUT)
    process(services, transcript_id)
    executed.clear()
    options = {"vocabulary": "Zyxel, Qualle", "max_speakers": 1}
    with services.db.write() as session:
        session.get_one(Transcript, transcript_id).options = options
    heard: list[Any] = []
    transcriber = services.speech.transcriber
    recognise = transcriber.transcribe

    def transcribe(pcm: Any, wanted: Any, progress: Any) -> Any:
        heard.append(wanted.hotwords)
        return recognise(pcm, wanted, progress)

    monkeypatch.setattr(transcriber, "transcribe", transcribe)
    run = process(services, transcript_id)
    assert {StepName.TRANSCRIBE, StepName.DIARIZE} <= set(executed)
    assert heard == ["Zyxel, Qualle"]
    output = steps(services, transcript_id, run)[StepName.DIARIZE].output
    assert output is not None
    assert output["speakers"] == 1


@pytest.mark.parametrize(
    ("own", "servers", "expected"),
    [
        ({"min_speakers": 2}, (None, 4), (2, 4)),
        ({"max_speakers": 3}, (2, 8), (2, 3)),
        ({"min_speakers": 6}, (None, 4), (6, None)),
        ({"max_speakers": 1}, (2, 4), (None, 1)),
        ({}, (2, 4), (2, 4)),
    ],
)
def test_limits_of_the_server_hold_where_the_recording_has_none(
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
    own: dict[str, int],
    servers: tuple[int | None, int | None],
    expected: tuple[int | None, int | None],
) -> None:
    """One limit of a recording dropped the other one of the server."""
    monkeypatch.setattr(services.speech, "speakers", servers)
    asked: list[tuple[int | None, int | None]] = []

    def diarize(pcm: Any, options: Any, progress: Any) -> Any:
        asked.append((options.min_speakers, options.max_speakers))
        raise ValueError("enough")

    monkeypatch.setattr(services.speech.diarizer, "diarize", diarize)
    transcript_id = add_recording(services, HELD_OUT)
    with services.db.write() as session:
        session.get_one(Transcript, transcript_id).options = own
    process(services, transcript_id)
    assert asked == [expected]
