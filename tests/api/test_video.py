"""The link to a meeting's video. Daily's storage is Amazon's: the link is checked, not followed."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from reflector.db.models import Meeting, Room, now
from reflector.services import Services
from tests.api.people import make_transcript
from tests.conftest import OpenServices, client_of

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
    assert "secret" not in body["url"]


def test_meeting_without_a_video_has_none(open_with: OpenServices) -> None:
    services = open_with(**DAILY)
    answer = client_of(services).get(meeting_with_video(services, None))
    assert (answer.status_code, answer.json()) == (404, {"detail": "No video available"})


def test_video_in_a_storage_without_settings_says_which_to_set(open_with: OpenServices) -> None:
    services = open_with()
    answer = client_of(services).get(meeting_with_video(services, "daily/a.mp4"))
    assert answer.status_code == 503
    assert "DAILYCO_STORAGE_AWS_BUCKET_NAME" in answer.json()["detail"]
