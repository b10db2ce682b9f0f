"""Accept recordings in chunks, and start their runs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import Annotated

from fastapi import APIRouter, Query, Request
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from reflector.accounts.access import Caller, Right, get_authorized_transcript
from reflector.db.engine import retry_on_disconnect
from reflector.db.models import SourceKind, Status, Transcript
from reflector.errors import InvalidInput
from reflector.events.outbox import Outbox
from reflector.http.deps import DispatcherDep, PublicCaller, ServicesDep
from reflector.http.limits import refuse_large_recording
from reflector.http.multipart import receive_file
from reflector.http.schemas import StatusAnswer
from reflector.pipeline.queue.dispatch import nudge_ready
from reflector.pipeline.runs import (
    take_recording,
)
from reflector.services import Services
from reflector.storage.keys import upload_key
from reflector.uploads.chunks import Receiving, incoming_of

router = APIRouter(tags=["transcripts"])

IN_PROGRESS = "There is already an upload in progress"
SHOWN_MISSING = 20
RESTART_SECONDS = 20.0
MAX_CHUNKS = 100_000
EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,8}$")


@router.post(
    "/transcripts/{transcript_id}/record/upload",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "required": ["chunk"],
                        "properties": {"chunk": {"type": "string", "format": "binary"}},
                    }
                }
            },
        }
    },
)
async def transcript_record_upload(
    request: Request,
    services: ServicesDep,
    dispatcher: DispatcherDep,
    caller: PublicCaller,
    transcript_id: str,
    chunk_number: Annotated[int, Query()],
    total_chunks: Annotated[int, Query()],
) -> StatusAnswer:
    """Upload one chunk, numbered from 0. The recording is complete once all chunks are stored."""
    target = _Target(services, caller, transcript_id)
    await run_in_threadpool(target.check)
    if not 0 <= chunk_number < total_chunks <= MAX_CHUNKS:
        raise InvalidInput(
            f"Chunk {chunk_number} of {total_chunks} cannot be: chunks are numbered from 0 to "
            f"total_chunks - 1, and there are at most {MAX_CHUNKS}."
        )
    incoming = incoming_of(services, transcript_id)
    with (
        request.app.state.admission.upload(),
        await run_in_threadpool(incoming.receive, chunk_number, total_chunks) as chunk,
    ):
        part = await receive_file(request, "chunk", chunk.out)
        run = await run_in_threadpool(target.accept, chunk, part.filename)
    if run is not None:
        await run_in_threadpool(nudge_ready, services.db, dispatcher, transcript_id, run)
    return StatusAnswer()


@dataclass(frozen=True)
class _Target:
    """The transcript that a caller sends a recording to."""

    services: Services
    caller: Caller
    transcript_id: str

    def check(self) -> None:
        """Check that the caller may send a recording, and that the transcript still accepts one.

        Raises an error otherwise.
        """
        with self.services.db.read() as session:
            _refuse_another_recording(self._find(session))

    def _find(self, session: Session, lock: bool = False) -> Transcript:
        return get_authorized_transcript(
            session, self.caller, self.transcript_id, Right.MANAGE, lock=lock
        )

    def accept(self, chunk: Receiving, filename: str | None) -> int | None:
        """Keep the chunk. After the last one, start the first run and return its number."""
        incoming = chunk.incoming
        with incoming.lock:
            self.check()
            refuse_large_recording(
                self.services.settings, incoming.stored_bytes() + chunk.received()
            )
            if not incoming.accept(chunk):
                missing = incoming.missing(chunk.total)
                if chunk.number == chunk.total - 1 and missing:
                    raise InvalidInput(_missing_sentence(missing))
                return None
            incoming.complete()
            key = upload_key(self.transcript_id, _extension(filename))
            # If the transcript is destroyed meanwhile, its deletion looks for objects once more
            self.services.storage.adopt(incoming.file, key)
            # The recording is in the storage now, so wait for a database that restarts
            run = retry_on_disconnect(lambda: self._start(key), RESTART_SECONDS)
            incoming.discard()
            return run

    def _start(self, key: str) -> int:
        with self.services.db.write() as session:
            transcript = self._find(session, lock=True)
            if transcript.upload_key == key:
                return transcript.last_run  # committed before, but the answer was lost
            _refuse_another_recording(transcript)
            events = Outbox(self.services.bus, session, transcript)
            transcript.source_kind = SourceKind.FILE
            return take_recording(session, transcript, key, events)


def _refuse_another_recording(transcript: Transcript) -> None:
    if transcript.locked:
        raise InvalidInput("Transcript is locked")
    if transcript.audio_deleted:
        raise InvalidInput("The audio of this transcript was deleted. Make a new one for another.")
    if transcript.upload_key or transcript.status == Status.RECORDING:
        raise InvalidInput(IN_PROGRESS)


def _missing_sentence(missing: list[int]) -> str:
    shown = ", ".join(str(number) for number in missing[:SHOWN_MISSING])
    more = f" and {len(missing) - SHOWN_MISSING} more" if len(missing) > SHOWN_MISSING else ""
    return f"Chunks are missing: {shown}{more}. Send them; the others are kept."


def _extension(filename: str | None) -> str:
    suffix = PurePath(filename or "").suffix
    return suffix.lower() if EXTENSION.fullmatch(suffix) else ""
