"""Define bodies of requests and responses, with the same fields as the reference."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, model_validator

from reflector.db.models import SourceKind, Status, new_id
from reflector.http.schemas import Language, SpokenLanguage, Vocabulary

ShareMode = Literal["public", "semi-private", "private"]


class VideoUrlResponse(BaseModel):
    """A link to a video. `duration` is in seconds."""

    url: str
    duration: int | None = None
    content_type: str = "video/mp4"


class DeletionStatus(BaseModel):
    status: str


class ProcessStatus(BaseModel):
    status: str


class SpeakerAssignmentStatus(BaseModel):
    status: str


SpeakerCount = Annotated[int, Field(ge=1, le=99)]


class ProcessingOptions(BaseModel):
    """Extra: how to process a recording. What is missing is as its tags, and then the server, say."""

    vocabulary: Vocabulary | None = None
    min_speakers: SpeakerCount | None = None
    max_speakers: SpeakerCount | None = None
    summary_template_id: Annotated[str, Field(max_length=100)] | None = None

    @model_validator(mode="after")
    def _limits_fit(self) -> ProcessingOptions:
        if self.min_speakers and self.max_speakers and self.min_speakers > self.max_speakers:
            raise ValueError("min_speakers cannot be above max_speakers")
        return self


class EffectiveOptions(BaseModel):
    """Extra: options with what the tags add. `language` is null where it is detected."""

    language: str | None
    vocabulary: str | None
    min_speakers: int | None
    max_speakers: int | None
    summary_template_id: str | None


class ProcessingOptionsView(BaseModel):
    """Extra: the options of a recording, and what follows from them and its tags."""

    own: ProcessingOptions
    effective: EffectiveOptions


class CreateParticipant(BaseModel):
    name: str
    speaker: int | None = None


class Participant(BaseModel):
    id: str
    speaker: int | None
    name: str


class UpdateParticipant(BaseModel):
    name: str | None = None
    speaker: int | None = None


class SpeakerAssignment(BaseModel):
    """Times are in seconds."""

    speaker: Annotated[int, Field(ge=0)] | None = None
    participant: str | None = None
    timestamp_from: float
    timestamp_to: float


class WordCorrection(BaseModel):
    """Extra: what to put in place of words. Times are in seconds."""

    timestamp_from: float
    timestamp_to: float
    before: str = Field(max_length=100_000, description="the words as they were read")
    text: str = Field(max_length=100_000, description="empty removes the words")


class WordCorrections(BaseModel):
    """Extra: corrections that are made together."""

    corrections: Annotated[list[WordCorrection], Field(min_length=1, max_length=5000)]


class CorrectionCount(BaseModel):
    corrected: int


class Change(BaseModel):
    """Extra: one part of an edit, in words. `at_seconds` is where in the recording it is."""

    part: str
    at_seconds: float | None
    before: str
    after: str


class EditView(BaseModel):
    """Extra: what a person changed. `by` is the e-mail address of the account."""

    id: int
    at: str
    by: str | None
    changes: list[Change]


class SpeakerMerge(BaseModel):
    speaker_from: int
    speaker_to: int


class CreateTranscript(BaseModel):
    name: str
    source_kind: SourceKind | None = None
    source_language: SpokenLanguage = "en"
    target_language: Language = "en"
    fingerprint: Annotated[str, Field(min_length=1, max_length=100)] | None = Field(
        default=None,
        description="extra: something that only this recording has, to recognise it when it comes again",
    )
    room_id: Annotated[str, Field(max_length=100)] | None = Field(
        default=None,
        description="extra: a room that the caller owns or shares; who shares it reads the recording",
    )


class TranscriptParticipant(BaseModel):
    id: str | None = None
    speaker: int | None
    name: str
    user_id: str | None = None


ActionText = Annotated[str, Field(max_length=2000)]


class Decision(BaseModel):
    decision: Annotated[ActionText, Field(min_length=1)]
    rationale: ActionText | None = None
    decided_by: ActionText | None = None


class NextStep(BaseModel):
    """Extra: `done` says that the task is completed."""

    task: Annotated[ActionText, Field(min_length=1)]
    assigned_to: ActionText | None = None
    deadline: ActionText | None = None
    context: ActionText | None = None
    done: bool = False


class ActionItems(BaseModel):
    decisions: Annotated[list[Decision], Field(max_length=500)] = []
    next_steps: Annotated[list[NextStep], Field(max_length=500)] = []


class UpdateTranscript(BaseModel):
    name: str | None = None
    locked: bool | None = None
    title: str | None = None
    short_summary: str | None = None
    long_summary: str | None = None
    share_mode: ShareMode | None = None
    participants: list[TranscriptParticipant] | None = None
    base_change_seq: int | None = Field(
        default=None, description="of the transcript that the changed list was made from"
    )
    reviewed: bool | None = None
    audio_deleted: bool | None = None
    source_language: SpokenLanguage | None = None
    target_language: Language | None = None
    action_items: ActionItems | None = Field(
        default=None, description="extra: null returns them to the next run"
    )


class TranscriptParticipantWithEmail(BaseModel):
    id: str = Field(default_factory=new_id)
    speaker: int | None
    name: str
    user_id: str | None = None
    email: str | None = None


class GetTranscriptMinimal(BaseModel):
    """A transcript in lists. `duration` is in milliseconds."""

    id: str
    user_id: str | None
    name: str
    status: Status
    locked: bool
    duration: float
    title: str | None
    short_summary: str | None
    long_summary: str | None
    created_at: str
    share_mode: str = "private"
    source_language: str | None
    target_language: str | None
    reviewed: bool
    meeting_id: str | None
    source_kind: SourceKind
    room_id: str | None = None
    room_name: str | None = None
    audio_deleted: bool | None = None
    change_seq: int | None = None
    has_cloud_video: bool = False
    cloud_video_duration: int | None = None


class SameRecording(BaseModel):
    """Extra: a transcript of one's own of the same recording."""

    id: str
    title: str
    created_at: str


class WorkView(BaseModel):
    """Extra: a transcript that waits or is being processed.

    `place` counts from 1, and is 0 once words are being recognised. `seconds_left` is an estimate
    from recordings before, null where there are none or the length is not known yet.
    """

    transcript_id: str
    place: int
    seconds_left: float | None


class GetTranscriptWithParticipants(GetTranscriptMinimal):
    participants: list[TranscriptParticipantWithEmail] | None


class GetTranscriptWithText(GetTranscriptWithParticipants):
    transcript_format: Literal["text"] = "text"
    transcript: str


class GetTranscriptWithTextTimestamped(GetTranscriptWithParticipants):
    transcript_format: Literal["text-timestamped"] = "text-timestamped"
    transcript: str


class GetTranscriptWithWebVTTNamed(GetTranscriptWithParticipants):
    transcript_format: Literal["webvtt-named"] = "webvtt-named"
    transcript: str


class TranscriptSegment(BaseModel):
    speaker: int
    speaker_name: str
    text: str
    start: float
    end: float


class GetTranscriptWithJSON(GetTranscriptWithParticipants):
    transcript_format: Literal["json"] = "json"
    transcript: list[TranscriptSegment]


GetTranscript = Annotated[
    GetTranscriptWithText
    | GetTranscriptWithTextTimestamped
    | GetTranscriptWithWebVTTNamed
    | GetTranscriptWithJSON,
    Field(discriminator="transcript_format"),
]


class GetTranscriptSegmentTopic(BaseModel):
    text: str
    start: float
    speaker: int


class GetTranscriptTopic(BaseModel):
    """A topic. Times are in seconds."""

    id: str
    title: str
    summary: str
    timestamp: float
    duration: float | None
    transcript: str
    segments: list[GetTranscriptSegmentTopic] = []


class Word(BaseModel):
    text: str
    start: Annotated[float, Field(ge=0)]
    end: Annotated[float, Field(ge=0)]
    speaker: int = 0


class GetTranscriptTopicWithWords(GetTranscriptTopic):
    words: list[Word] = []


class RecognisedWord(Word):
    """Extra: a word. `probability`, from 0 to 1, is there if the recogniser was not sure of it."""

    probability: float | None = None


class SpeakerWords(BaseModel):
    speaker: int
    words: list[Word]


class GetTranscriptTopicWithWordsPerSpeaker(GetTranscriptTopic):
    words_per_speaker: list[SpeakerWords] = []


class AudioWaveform(BaseModel):
    data: list[float]


class AudioLink(BaseModel):
    """Extra: a link to the audio. `expires_in` is in seconds."""

    url: str
    expires_in: int


class LiveLine(BaseModel):
    """Extra: a line of live text; times in seconds. `track` is null without two tracks."""

    text: str
    start: float
    end: float
    track: Literal["microphone", "shared"] | None


class Translation(BaseModel):
    text: str
    language: str
    model: str | None


class StepView(BaseModel):
    """Extra: a step of the newest run. `method` tells how a step of the analysis was done."""

    name: str
    state: Literal["pending", "running", "done", "failed"]
    attempt: int
    error: str | None
    seconds: float | None
    method: str | None = None
    warnings: list[str] = []
    engine: dict[str, Any] | None = None


class RunView(BaseModel):
    """Extra: the steps of the newest run, and results of the analysis besides the text."""

    run: int
    status: Status
    error: str | None
    steps: list[StepView]
    action_items: dict[str, Any] | None
    change_seq: int = Field(description="of the transcript, for changes that are based on it")
    edited: list[str] = Field(description="what people changed, which a new run keeps")
