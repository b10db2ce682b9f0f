"""Serve the video of a recording: an upload with pictures, or what a platform made of a meeting."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.requests import Request
from fastapi.responses import Response

from reflector.accounts.access import get_audible_transcript
from reflector.db.models import Meeting
from reflector.errors import NotFound, Unavailable
from reflector.http.deps import AnyCaller, ServicesDep, UserCaller
from reflector.http.ranges import serve
from reflector.storage.store import Bucket
from reflector.transcripts import schemas
from reflector.transcripts.video import NO_VIDEO, video_type

router = APIRouter(tags=["transcripts"])

LINK_SECONDS = 900
VIDEO_TYPE = "video/mp4"


@router.get("/transcripts/{transcript_id}/video/url")
def transcript_get_video_url(
    services: ServicesDep, caller: UserCaller, transcript_id: str
) -> schemas.VideoUrlResponse:
    """Get a link to the video in the platform's storage, valid for a quarter of an hour."""
    with services.db.read() as session:
        transcript = get_audible_transcript(
            session, caller, transcript_id, services.identity.policy
        )
        meeting = session.get(Meeting, transcript.meeting_id) if transcript.meeting_id else None
    if meeting is None or meeting.daily_composed_video_s3_key is None:
        raise NotFound(NO_VIDEO)
    settings = services.settings
    name, key_id = (
        settings.DAILYCO_STORAGE_AWS_BUCKET_NAME,
        settings.DAILYCO_STORAGE_AWS_ACCESS_KEY_ID,
    )
    if name is None or key_id is None:
        raise Unavailable(
            "The video is in Daily's storage, which this server cannot reach.",
            "Set DAILYCO_STORAGE_AWS_BUCKET_NAME, _REGION, _ACCESS_KEY_ID and _SECRET_ACCESS_KEY.",
        )
    bucket = Bucket(
        name,
        settings.DAILYCO_STORAGE_AWS_REGION,
        key_id,
        settings.DAILYCO_STORAGE_AWS_SECRET_ACCESS_KEY,
    )
    return schemas.VideoUrlResponse(
        url=bucket.link(meeting.daily_composed_video_s3_key, LINK_SECONDS, VIDEO_TYPE),
        content_type=VIDEO_TYPE,
        duration=meeting.daily_composed_video_duration,
    )


@router.head("/transcripts/{transcript_id}/video", operation_id="v1_transcript_head_video")
@router.get("/transcripts/{transcript_id}/video", operation_id="v1_transcript_get_video")
def transcript_get_video(
    request: Request, services: ServicesDep, caller: AnyCaller, transcript_id: str
) -> Response:
    """Extra: get the recording as it was uploaded, if browsers may show it as a video."""
    with services.db.read() as session:
        transcript = get_audible_transcript(
            session, caller, transcript_id, services.identity.policy
        )
        key = transcript.upload_key
        kind = video_type(key)
    if key is None or kind is None:
        raise NotFound(NO_VIDEO)
    name = f"recording_{transcript_id.partition('-')[0]}{key[key.rindex('.') :]}"
    return serve(request, services.storage, key, kind, name, NO_VIDEO)
