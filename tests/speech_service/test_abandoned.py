"""A job that nobody asks for costs the device nothing."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict

import pytest

from reflector.runtime.settings import Settings
from reflector.speech.engines import TranscribeOptions
from reflector.speech.registry import SpeechEngines
from reflector.speech_service import jobs
from reflector.speech_service.jobs import Job, JobKind, Jobs, JobState
from tests.speech_service.test_scheduling import meeting
from tests.waiting import wait_until

__all__ = ["meeting"]  # a fixture


@pytest.fixture
def all_jobs(make_settings: Callable[..., Settings], engines: SpeechEngines) -> Iterator[Jobs]:
    opened = Jobs(make_settings(), engines)
    yield opened
    opened.close()


def accept(all_jobs: Jobs, content: bytes) -> Job:
    options = asdict(TranscribeOptions(language="en"))
    return all_jobs.accept("nobodys-job", JobKind.TRANSCRIPTION, options, io.BytesIO(content))


def windows(job: Job) -> int:
    path = job.folder / "windows.jsonl"
    return len(path.read_bytes().splitlines()) if path.exists() else 0


def test_job_stops_when_nobody_asks_and_goes_on_when_somebody_does(
    all_jobs: Jobs, meeting: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = accept(all_jobs, meeting)
    wait_until(lambda: windows(job) > 0, "it has begun", 60)
    with monkeypatch.context() as patch:
        patch.setattr(jobs, "ASKED_SECONDS", 0.0)
        wait_until(lambda: job.state is JobState.STOPPED, "it stops", 60)
    done = windows(job)
    assert job.result is None
    assert all_jobs.find("nobodys-job") is job
    wait_until(lambda: windows(job) > done, "it goes on", 60)
    all_jobs.remove("nobodys-job")
    wait_until(lambda: job.state is JobState.STOPPED, "it ends with its removal", 60)


def test_listener_keeps_a_job_at_work(
    all_jobs: Jobs, meeting: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "ASKED_SECONDS", 0.0)
    heard: list[str] = []

    def listener(event: dict[str, object]) -> None:
        heard.append(str(event["event"]))

    job = accept(all_jobs, meeting)
    wait_until(lambda: job.state is JobState.STOPPED, "nobody asks", 60)
    all_jobs.listen(job, listener)
    all_jobs.find("nobodys-job")
    wait_until(lambda: heard.count("phrase") >= 3, "phrases come", 60)
    all_jobs.leave(job, listener)
    wait_until(lambda: job.state is JobState.STOPPED, "nobody listens", 60)
    all_jobs.remove("nobodys-job")


def test_what_nobody_fetches_goes_after_a_day(
    all_jobs: Jobs, meeting: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = accept(all_jobs, meeting)
    all_jobs.clear_old()
    assert job.folder.exists()
    monkeypatch.setattr(jobs, "KEPT_SECONDS", -1.0)
    all_jobs.clear_old()
    assert job.folder.exists()  # somebody has just asked for it
    monkeypatch.setattr(jobs, "ASKED_SECONDS", 0.0)
    all_jobs.clear_old()
    assert not job.folder.exists()


def test_removal_is_whole_while_the_job_writes(all_jobs: Jobs, meeting: bytes) -> None:
    job = accept(all_jobs, meeting)
    ended = threading.Event()

    def write() -> None:
        number = 0
        while not ended.is_set():
            number += 1
            with suppress(FileNotFoundError):
                (job.folder / f"{number}.jsonl").touch()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        wait_until((job.folder / "500.jsonl").exists, "it writes", 60)
        all_jobs.remove(job.id)
        assert not job.folder.exists()
    finally:
        ended.set()
        writer.join(60)
    assert all_jobs.find(job.id) is None
