"""Define the WebSocket messages for the OpenAPI document, from which clients generate types."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from reflector.db.models import Status
from reflector.http.schemas import NonEmpty
from reflector.transcripts.schemas import GetTranscriptTopic


class TranscriptText(BaseModel):
    text: str
    translation: str | None


class TranscriptWsTranscript(BaseModel):
    event: Literal["TRANSCRIPT"] = "TRANSCRIPT"
    data: TranscriptText


class TranscriptWsTopic(BaseModel):
    event: Literal["TOPIC"] = "TOPIC"
    data: GetTranscriptTopic


class TranscriptWsStatusData(BaseModel):
    value: Status


class TranscriptWsStatus(BaseModel):
    event: Literal["STATUS"] = "STATUS"
    data: TranscriptWsStatusData


class TranscriptFinalTitle(BaseModel):
    title: str


class TranscriptWsFinalTitle(BaseModel):
    event: Literal["FINAL_TITLE"] = "FINAL_TITLE"
    data: TranscriptFinalTitle


class TranscriptFinalLongSummary(BaseModel):
    long_summary: str


class TranscriptWsFinalLongSummary(BaseModel):
    event: Literal["FINAL_LONG_SUMMARY"] = "FINAL_LONG_SUMMARY"
    data: TranscriptFinalLongSummary


class TranscriptFinalShortSummary(BaseModel):
    short_summary: str


class TranscriptWsFinalShortSummary(BaseModel):
    event: Literal["FINAL_SHORT_SUMMARY"] = "FINAL_SHORT_SUMMARY"
    data: TranscriptFinalShortSummary


class TranscriptActionItems(BaseModel):
    action_items: dict[str, Any]


class TranscriptWsActionItems(BaseModel):
    event: Literal["ACTION_ITEMS"] = "ACTION_ITEMS"
    data: TranscriptActionItems


class TranscriptDuration(BaseModel):
    """A duration in milliseconds."""

    duration: float


class TranscriptWsDuration(BaseModel):
    event: Literal["DURATION"] = "DURATION"
    data: TranscriptDuration


class TranscriptWaveform(BaseModel):
    waveform: list[float]


class TranscriptWsWaveform(BaseModel):
    event: Literal["WAVEFORM"] = "WAVEFORM"
    data: TranscriptWaveform


TranscriptWsEvent = Annotated[
    TranscriptWsTranscript
    | TranscriptWsTopic
    | TranscriptWsWaveform
    | TranscriptWsFinalTitle
    | TranscriptWsStatus
    | TranscriptWsFinalLongSummary
    | TranscriptWsFinalShortSummary
    | TranscriptWsActionItems
    | TranscriptWsDuration,
    Field(discriminator="event"),
]


class UserTranscriptCreatedData(BaseModel):
    id: NonEmpty


class UserWsTranscriptCreated(BaseModel):
    event: Literal["TRANSCRIPT_CREATED"] = "TRANSCRIPT_CREATED"
    data: UserTranscriptCreatedData


class UserTranscriptDeletedData(BaseModel):
    id: NonEmpty


class UserWsTranscriptDeleted(BaseModel):
    event: Literal["TRANSCRIPT_DELETED"] = "TRANSCRIPT_DELETED"
    data: UserTranscriptDeletedData


class UserTranscriptRestoredData(BaseModel):
    id: NonEmpty


class UserWsTranscriptRestored(BaseModel):
    event: Literal["TRANSCRIPT_RESTORED"] = "TRANSCRIPT_RESTORED"
    data: UserTranscriptRestoredData


class UserTranscriptStatusData(BaseModel):
    id: NonEmpty
    value: Status


class UserWsTranscriptStatus(BaseModel):
    event: Literal["TRANSCRIPT_STATUS"] = "TRANSCRIPT_STATUS"
    data: UserTranscriptStatusData


class UserTranscriptFinalTitleData(BaseModel):
    id: NonEmpty
    title: NonEmpty


class UserWsTranscriptFinalTitle(BaseModel):
    event: Literal["TRANSCRIPT_FINAL_TITLE"] = "TRANSCRIPT_FINAL_TITLE"
    data: UserTranscriptFinalTitleData


class UserTranscriptDurationData(BaseModel):
    id: NonEmpty
    duration: float


class UserWsTranscriptDuration(BaseModel):
    event: Literal["TRANSCRIPT_DURATION"] = "TRANSCRIPT_DURATION"
    data: UserTranscriptDurationData


UserWsEvent = Annotated[
    UserWsTranscriptCreated
    | UserWsTranscriptDeleted
    | UserWsTranscriptRestored
    | UserWsTranscriptStatus
    | UserWsTranscriptFinalTitle
    | UserWsTranscriptDuration,
    Field(discriminator="event"),
]
