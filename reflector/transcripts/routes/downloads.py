"""Serve exports of one transcript, and everything in a zip."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from urllib.parse import quote

from fastapi import APIRouter
from fastapi.responses import Response, StreamingResponse
from pydantic_core import to_json

from reflector.accounts.access import Right, get_authorized_transcript
from reflector.db.models import Transcript
from reflector.http.deps import AnyCaller, ServicesDep, UserCaller
from reflector.services import Services
from reflector.storage.keys import audio_key
from reflector.transcript import formats
from reflector.transcript.words import cues
from reflector.transcripts import queries
from reflector.transcripts.exports.archive import Entry, zipped
from reflector.transcripts.exports.data import data
from reflector.transcripts.exports.document import Document, Options, file_name
from reflector.transcripts.exports.formats import EXPORTS, ExportFormat

router = APIRouter(tags=["transcripts"])


def attachment(title: str, suffix: str) -> dict[str, str]:
    """Return `Content-Disposition` with the title, for old and new clients (RFC 6266)."""
    name = file_name(title)
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().strip()
    value = f'attachment; filename="{plain or "transcript"}.{suffix}"'
    return {"Content-Disposition": f"{value}; filename*=UTF-8''{quote(name)}.{suffix}"}


@router.get("/transcripts/{transcript_id}/export/{format}", response_class=Response)
def transcript_export(
    services: ServicesDep,
    caller: AnyCaller,
    transcript_id: str,
    format: ExportFormat,
    times: bool = True,
    names: bool = True,
) -> Response:
    """Extra: export the transcript as a file.

    `times=false` and `names=false` leave them out; subtitles always have times, JSON has both.
    """
    with services.db.read() as session:
        document = queries.document_of(
            session, get_authorized_transcript(session, caller, transcript_id)
        )
    media_type, render = EXPORTS[format]
    headers = attachment(document.title, format.value)
    return Response(render(document, Options(times, names)), media_type=media_type, headers=headers)


@router.get("/transcripts/{transcript_id}/download/zip")
def transcript_download_zip(
    services: ServicesDep, caller: UserCaller, transcript_id: str
) -> Response:
    """Download the audio and everything that is known about it, as a zip."""
    with services.db.read() as session:
        transcript = get_authorized_transcript(session, caller, transcript_id, Right.CHANGE)
        document = queries.document_of(session, transcript)
        metadata = _metadata(transcript, document)
        hidden = bool(transcript.audio_deleted)
    name = f"transcript_{transcript_id[:8]}.zip"
    return StreamingResponse(
        zipped(_entries(services, document, metadata, hidden)),
        media_type="application/zip",
        headers={"Content-Disposition": f"attachment; filename={name}"},
    )


def _metadata(transcript: Transcript, document: Document) -> bytes:
    body = data(document)
    del body["segments"], body["words"]
    body["webvtt"] = formats.webvtt(cues(document.words), document.names)
    body["recording_id"], body["meeting_id"] = transcript.recording_id, transcript.meeting_id
    return to_json(body, indent=2)


def _entries(
    services: Services, document: Document, metadata: bytes, hidden: bool
) -> Iterator[Entry]:
    yield Entry("metadata.json", [metadata], compressed=True)
    for format in (ExportFormat.TXT, ExportFormat.SRT, ExportFormat.MD, ExportFormat.DOCX):
        render = EXPORTS[format][1]
        yield Entry(f"transcript.{format}", [render(document, Options())], compressed=True)
    key = audio_key(document.id)
    size = None if hidden else services.storage.size(key)
    if size is not None:
        yield Entry("audio.mp3", services.storage.read_range(key, 0, size))
