"""Runs without a server: the steps in this process, on the engines that are loaded already."""

from __future__ import annotations

import shutil
from pathlib import Path

from reflector.db.models import SourceKind, Step, Transcript
from reflector.pipeline.inline import InlineRunner
from reflector.pipeline.runs import start_run, steps_of
from reflector.pipeline.step import StepName
from reflector.services import Services


def add_recording(services: Services, recording: Path, digest: str = "digest") -> str:
    """A transcript with its recording in storage, not yet processed."""
    with services.db.write() as session:
        transcript = Transcript(name="m", source_kind=SourceKind.FILE, source_language="en")
        session.add(transcript)
        session.flush()
        transcript.upload_key = f"{transcript.id}/upload{recording.suffix}"
        transcript.upload_version = digest
        transcript_id, key = transcript.id, transcript.upload_key
    assert services.storage.root is not None
    target = services.storage.root / key
    target.parent.mkdir(parents=True)
    shutil.copy(recording, target)
    return transcript_id


def begin(services: Services, transcript_id: str) -> int:
    with services.db.write() as session:
        return start_run(session, session.get_one(Transcript, transcript_id))


def process(services: Services, transcript_id: str) -> int:
    run = begin(services, transcript_id)
    InlineRunner(services).run(transcript_id, run)
    return run


def transcript_of(services: Services, transcript_id: str) -> Transcript:
    with services.db.read() as session:
        return session.get_one(Transcript, transcript_id)


def steps(services: Services, transcript_id: str, run: int) -> dict[StepName, Step]:
    with services.db.read() as session:
        found = steps_of(session, transcript_id, run)
        for step in found.values():
            session.refresh(step, ["output"])
        return found
