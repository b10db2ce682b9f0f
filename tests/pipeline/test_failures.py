"""Steps that fail: what is said, what is kept, and how the work goes on."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import select, update

from reflector.cli import cli
from reflector.db.models import Status, Step, StepState, Transcript, now
from reflector.housekeeping import deletions
from reflector.media.decode import decode
from reflector.pipeline import registry
from reflector.pipeline.context import StepContext
from reflector.pipeline.inline import InlineRunner
from reflector.pipeline.memory import MAX_ATTEMPTS
from reflector.pipeline.queue import leases
from reflector.pipeline.queue.reconcile import reconcile
from reflector.pipeline.runner import Runner
from reflector.pipeline.step import StepDefinition, StepName
from reflector.runtime.settings import Settings
from reflector.services import Services
from reflector.speech.registry import SpeechEngines
from tests.conftest import HELD_OUT
from tests.media_files import make_file
from tests.pipeline.helpers import add_recording, begin, process, steps, transcript_of


class Remembering:
    """A dispatcher that only remembers."""

    def __init__(self) -> None:
        self.nudges: list[tuple[str, int, StepName]] = []

    def nudge(self, transcript_id: str, run: int, spec: StepDefinition) -> None:
        self.nudges.append((transcript_id, run, spec.name))

    def is_idle(self) -> bool:
        return False


@pytest.fixture
def dispatcher() -> Remembering:
    return Remembering()


@pytest.fixture
def runner(services: Services, dispatcher: Remembering) -> Runner:
    return Runner(services, dispatcher)


def replace_step(
    monkeypatch: pytest.MonkeyPatch, name: StepName, run: Callable[[StepContext], dict[str, Any]]
) -> None:
    monkeypatch.setitem(registry.STEPS, name, replace(registry.STEPS[name], run=run))


def full_disk(context: StepContext) -> dict[str, Any]:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("step", [StepName.DECODE, StepName.TRANSCRIBE, StepName.PLAYBACK])
def test_full_disk_is_said_and_the_work_goes_on_once_there_is_room(
    services: Services, runner: Runner, monkeypatch: pytest.MonkeyPatch, step: StepName
) -> None:
    transcript_id = add_recording(services, HELD_OUT)
    run = begin(services, transcript_id)
    with monkeypatch.context() as patch:
        replace_step(patch, step, full_disk)
        for name in [StepName.DECODE, StepName.TRANSCRIBE, StepName.PLAYBACK]:
            runner.execute(transcript_id, run, name)
            if name is step:
                break
    stopped = transcript_of(services, transcript_id)
    assert stopped.status == Status.ERROR
    assert "disk is full" in (stopped.error or "")
    assert steps(services, transcript_id, run)[step].state == StepState.PENDING
    with services.db.write() as session:
        session.execute(update(Step).where(Step.name == step).values(retry_at=now()))
    InlineRunner(services).run(transcript_id, run)
    finished = transcript_of(services, transcript_id)
    assert (finished.status, finished.error) == (Status.ENDED, None)


def test_full_disk_inside_a_library_is_recognised(
    services: Services, runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrapped(context: StepContext) -> dict[str, Any]:
        try:
            full_disk(context)
        except OSError as error:
            raise RuntimeError("could not write") from error
        return {}

    replace_step(monkeypatch, StepName.DECODE, wrapped)
    transcript_id = add_recording(services, HELD_OUT)
    runner.execute(transcript_id, begin(services, transcript_id), StepName.DECODE)
    assert "disk is full" in (transcript_of(services, transcript_id).error or "")


def test_full_disk_while_decoding_leaves_no_half_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_open = Path.open

    def limited(path: Path, *arguments: Any, **options: Any) -> Any:
        file = real_open(path, *arguments, **options)
        if path.parent.suffix == ".part":
            file.close()
            raise OSError(errno.ENOSPC, "No space left on device")
        return file

    monkeypatch.setattr(Path, "open", limited)
    with HELD_OUT.open("rb") as source, pytest.raises(OSError, match="No space left"):
        decode(source, tmp_path / "out" / "a.s16")
    assert not list((tmp_path / "out").iterdir())


def test_model_folder_that_is_no_model_is_one_sentence(
    services: Services, make_settings: Callable[..., Settings], tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    services.speech = SpeechEngines(make_settings(WHISPER_MODEL=str(tmp_path / "empty")))
    transcript_id = add_recording(services, HELD_OUT)
    process(services, transcript_id)
    stopped = transcript_of(services, transcript_id)
    assert stopped.status == Status.ERROR
    assert "is not a Whisper model" in (stopped.error or "")
    assert "Traceback" not in (stopped.error or "")


def test_diarizer_that_is_no_pipeline_costs_only_the_speakers(
    services: Services,
    make_settings: Callable[..., Settings],
    engines: SpeechEngines,
    tmp_path: Path,
) -> None:
    (tmp_path / "empty").mkdir()
    settings = make_settings(DIARIZATION_MODEL=str(tmp_path / "empty"), DIARIZATION_ENABLED=True)
    services.speech = SpeechEngines(settings)
    services.speech.__dict__["transcriber"] = engines.transcriber
    transcript_id = add_recording(services, HELD_OUT)
    run = process(services, transcript_id)
    assert transcript_of(services, transcript_id).status == Status.ENDED
    failed = steps(services, transcript_id, run)[StepName.DIARIZE]
    assert failed.state == StepState.FAILED
    assert failed.error


def test_recording_without_speech_ends_with_a_warning(services: Services, tmp_path: Path) -> None:
    transcript_id = add_recording(services, make_file(tmp_path / "tone.wav", 5.0))
    run = process(services, transcript_id)
    ended = transcript_of(services, transcript_id)
    assert (ended.status, ended.title) == (Status.ENDED, None)
    warnings = (steps(services, transcript_id, run)[StepName.TRANSCRIBE].output or {})["warnings"]
    assert warnings == ["No speech was found in the recording."]


def test_step_that_starts_after_its_neighbour_failed_does_not_hide_the_failure(
    services: Services, runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(context: StepContext) -> dict[str, Any]:
        raise RuntimeError("broken on purpose")

    transcript_id = add_recording(services, HELD_OUT)
    run = begin(services, transcript_id)
    runner.execute(transcript_id, run, StepName.DECODE)
    replace_step(monkeypatch, StepName.TRANSCRIBE, broken)
    runner.execute(transcript_id, run, StepName.TRANSCRIBE)
    runner.execute(transcript_id, run, StepName.PLAYBACK)
    stopped = transcript_of(services, transcript_id)
    assert stopped.status == Status.ERROR
    assert "failed unexpectedly (RuntimeError)" in (stopped.error or "")
    assert steps(services, transcript_id, run)[StepName.PLAYBACK].state == StepState.PENDING


def test_deleting_a_transcript_at_work_leaves_nothing(
    services: Services, runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    transcript_id = add_recording(services, HELD_OUT)
    run = begin(services, transcript_id)
    runner.execute(transcript_id, run, StepName.DECODE)
    real = registry.STEPS[StepName.PLAYBACK].run

    def deleted_meanwhile(context: StepContext) -> dict[str, Any]:
        output = real(context)
        with services.db.write() as session:
            session.delete(session.get_one(Transcript, transcript_id))
        return output

    replace_step(monkeypatch, StepName.PLAYBACK, deleted_meanwhile)
    runner.execute(transcript_id, run, StepName.PLAYBACK)
    deletions.execute(services)
    assert services.storage.keys(transcript_id) == []
    with services.db.read() as session:
        assert session.scalars(select(Step)).all() == []


def test_message_that_comes_twice_is_harmless(
    services: Services, runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def counted(context: StepContext) -> dict[str, Any]:
        calls.append(context.step)
        return {"duration": 1.0, "waveform": [], "warnings": []}

    replace_step(monkeypatch, StepName.DECODE, counted)
    transcript_id = add_recording(services, HELD_OUT)
    run = begin(services, transcript_id)
    for _ in range(3):
        runner.execute(transcript_id, run, StepName.DECODE)
    assert calls == [StepName.DECODE]


def test_only_one_of_two_workers_gets_a_step(services: Services) -> None:
    transcript_id = add_recording(services, HELD_OUT)
    run = begin(services, transcript_id)
    assert leases.take(services.db, transcript_id, run, "decode", "one") is not None
    assert leases.take(services.db, transcript_id, run, "decode", "two") is None


def test_worker_that_lost_its_lease_writes_nothing(services: Services, runner: Runner) -> None:
    transcript_id = add_recording(services, HELD_OUT)
    run = begin(services, transcript_id)
    real = registry.STEPS[StepName.DECODE].run

    def robbed(context: StepContext) -> dict[str, Any]:
        with services.db.write() as session:
            session.execute(update(Step).values(worker="somebody else"))
        return real(context)

    registry.STEPS[StepName.DECODE] = replace(registry.STEPS[StepName.DECODE], run=robbed)
    try:
        runner.execute(transcript_id, run, StepName.DECODE)
    finally:
        registry.STEPS[StepName.DECODE] = replace(registry.STEPS[StepName.DECODE], run=real)
    step = steps(services, transcript_id, run)[StepName.DECODE]
    assert (step.state, step.worker) == (StepState.RUNNING, "somebody else")


def test_dead_lease_is_freed_and_its_step_nudged(
    services: Services, runner: Runner, dispatcher: Remembering
) -> None:
    transcript_id = add_recording(services, HELD_OUT)
    run = begin(services, transcript_id)
    leases.take(services.db, transcript_id, run, "decode", "dead")
    assert reconcile(runner) == 0
    with services.db.write() as session:
        session.execute(update(Step).values(lease_until=now() - timedelta(seconds=1)))
    assert reconcile(runner) == 1
    assert dispatcher.nudges == [(transcript_id, run, StepName.DECODE)]


def test_step_is_not_nudged_again_at_every_look(services: Services, runner: Runner) -> None:
    begin(services, add_recording(services, HELD_OUT))
    assert [reconcile(runner) for _ in range(3)] == [1, 0, 0]


def test_recording_that_takes_all_memory_gets_one_more_try(
    services: Services, runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the command of the worker's unit, as systemd calls it after the end."""
    transcript_id = add_recording(services, HELD_OUT)
    run = begin(services, transcript_id)
    monkeypatch.setenv("DATABASE_URL", services.settings.database_url)
    monkeypatch.setenv("INVOCATION_ID", "0123456789abcdef")

    def end(result: str) -> None:
        """Of a worker at `decode`."""
        name = f"{Runner(services, runner.dispatcher).worker}/1"
        assert leases.take(services.db, transcript_id, run, "decode", name)
        monkeypatch.setenv("SERVICE_RESULT", result)
        assert CliRunner().invoke(cli, ["worker", "--ended"]).exit_code == 0

    end("success")
    assert reconcile(runner) == 0  # the lease goes on
    with services.db.write() as session:
        session.execute(update(Step).values(lease_until=now() - timedelta(seconds=1)))
    reconcile(runner)
    end("oom-kill")
    reconcile(runner)
    assert transcript_of(services, transcript_id).status != Status.ERROR
    end("oom-kill")
    reconcile(runner)
    stopped = transcript_of(services, transcript_id)
    assert stopped.status == Status.ERROR
    assert "more memory than the machine has" in (stopped.error or "")


def test_step_that_keeps_killing_its_worker_is_given_up(services: Services, runner: Runner) -> None:
    transcript_id = add_recording(services, HELD_OUT)
    run = begin(services, transcript_id)
    for _ in range(MAX_ATTEMPTS):
        assert leases.take(services.db, transcript_id, run, "decode", "dies")
        with services.db.write() as session:
            session.execute(update(Step).values(lease_until=now() - timedelta(seconds=1)))
        reconcile(runner)
    stopped = transcript_of(services, transcript_id)
    assert stopped.status == Status.ERROR
    assert "stopped 5 times during decode" in (stopped.error or "")
