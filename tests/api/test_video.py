"""The link to a meeting's video. Daily's storage is Amazon's: the link is checked, not followed."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import httpx2
import obstore
from pydantic import SecretStr

from reflector.db.models import Meeting, Room, now
from reflector.services import Services
from reflector.storage.store import Bucket
from tests.api.people import make_transcript
from tests.conftest import OpenServices, client_of
from tests.real.stack import Stack

DAILY = {
    "DAILYCO_STORAGE_AWS_BUCKET_NAME": "videos",
    "DAILYCO_STORAGE_AWS_REGION": "eu-west-1",
    "DAILYCO_STORAGE_AWS_ACCESS_KEY_ID": "key",
    "DAILYCO_STORAGE_AWS_SECRET_ACCESS_KEY": "secret of the tests",
}


def meeting_with_video(services: Services, key: str | None) -> str:
    with services.db.write() as session:
        room = Room(name="room", user_id="u", platform="daily")
        session.add(room)
        session.flush()
        meeting = Meeting(
            id="m", room_name="room", room_url="u", host_room_url="h", start_date=now(),
            end_date=now(), room_id=room.id, platform="daily", daily_composed_video_s3_key=key,
            daily_composed_video_duration=61,
        )  # fmt: skip
        session.add(meeting)
    return f"/v1/transcripts/{make_transcript(services, meeting_id='m')}/video/url"


def test_link_is_signed_for_a_quarter_of_an_hour(open_with: OpenServices) -> None:
    services = open_with(**DAILY)
    body = client_of(services).get(meeting_with_video(services, "daily/a b.mp4")).json()
    assert (body["duration"], body["content_type"]) == (61, "video/mp4")
    link = urlsplit(body["url"])
    assert (link.scheme, link.path) == ("https", "/daily/a%20b.mp4")
    assert link.netloc == "videos.s3.eu-west-1.amazonaws.com"
    query = parse_qs(link.query)
    assert query["X-Amz-Expires"] == ["900"]
    assert query["X-Amz-Credential"][0].startswith("key/")
    assert query["response-content-disposition"] == ["inline"]
    assert query["response-content-type"] == ["video/mp4"]
    assert "secret" not in body["url"]


def test_link_opens_with_the_headers_that_were_asked_for(stack: Stack) -> None:
    settings = stack.settings()
    bucket = Bucket(
        settings["TRANSCRIPT_STORAGE_AWS_BUCKET_NAME"],
        "us-east-1",
        settings["TRANSCRIPT_STORAGE_AWS_ACCESS_KEY_ID"],
        SecretStr(settings["TRANSCRIPT_STORAGE_AWS_SECRET_ACCESS_KEY"]),
        settings["TRANSCRIPT_STORAGE_AWS_ENDPOINT_URL"],
    )
    obstore.put(bucket.open(), "daily/a b.mp4", b"a video")
    link = bucket.link("daily/a b.mp4", 900, "video/mp4")
    answer = httpx2.get(link)
    assert (answer.status_code, answer.content) == (200, b"a video")
    assert httpx2.get(link.replace("video%2Fmp4", "text%2Fhtml")).status_code == 403
    stack.drop(settings)


def test_meeting_without_a_video_has_none(open_with: OpenServices) -> None:
    services = open_with(**DAILY)
    answer = client_of(services).get(meeting_with_video(services, None))
    assert (answer.status_code, answer.json()["detail"]) == (404, "No video available")


def test_video_in_a_storage_without_settings_says_which_to_set(open_with: OpenServices) -> None:
    services = open_with()
    answer = client_of(services).get(meeting_with_video(services, "daily/a.mp4"))
    assert answer.status_code == 503
    assert "DAILYCO_STORAGE_AWS_BUCKET_NAME" in answer.json()["detail"]
