"""Place in the queue and time left, and recordings that are recognised when they come again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from reflector.db.models import Status, Step, StepState, Transcript, now
from reflector.pipeline.runs import start_run
from reflector.pipeline.step import StepName
from reflector.services import Services
from tests.api.people import SECRET, make_person, make_transcript
from tests.conftest import OpenServices, client_of


def begin(services: Services, minutes: float = 0, **values: object) -> str:
    """A recording whose run has begun; its words have not."""
    fields = {
        "status": Status.PROCESSING,
        "duration": minutes * 60_000,
        "upload_key": "x",
        **values,
    }
    transcript_id = make_transcript(services, **fields)
    with services.db.write() as session:
        start_run(session, session.get_one(Transcript, transcript_id))
    return transcript_id


def put(services: Services, transcript_id: str, name: StepName, seconds: float, state: str) -> None:
    """The step has begun so many seconds ago; a step that is done has ended just now."""
    with services.db.write() as session:
        step = session.query(Step).filter_by(transcript_id=transcript_id, name=name).one()
        step.state, step.started_at = state, now() - timedelta(seconds=seconds)
        step.finished_at = now() if state == StepState.DONE else None


def finish(services: Services, minutes: float, seconds: float) -> str:
    """A recording that took so many seconds."""
    done = begin(services, minutes, status=Status.ENDED)
    with services.db.write() as session:
        session.query(Step).filter_by(transcript_id=done).update({"state": StepState.DONE})
    put(services, done, StepName.FINISH, 0, StepState.DONE)
    put(services, done, StepName.TRANSCRIBE, seconds, StepState.DONE)
    return done


@pytest.fixture
def services(open_with: OpenServices) -> Services:
    return open_with(AUTH_BACKEND="password", SECRET_KEY=SECRET)


def test_place_and_time_follow_the_order_and_the_speed_of_before(services: Services) -> None:
    anna, ben = (make_person(services, f"{name}@example.org") for name in ("anna", "ben"))
    finish(services, minutes=10, seconds=60)  # a tenth of the time of the sound
    running = begin(services, 20, user_id=anna.id)
    put(services, running, StepName.TRANSCRIBE, 30, StepState.RUNNING)
    foreign = begin(services, 10, user_id=ben.id)
    waiting = begin(services, 30, user_id=anna.id)
    unknown = begin(services, 0, user_id=anna.id)
    make_transcript(services, user_id=anna.id, status=Status.ENDED)
    client = client_of(services)
    found = client.get("/v1/work", headers=anna.bearer).json()
    assert [each["transcript_id"] for each in found] == [running, waiting, unknown]
    assert [each["place"] for each in found] == [0, 2, 3]
    left = [each["seconds_left"] for each in found]
    assert left[:2] == pytest.approx([120 - 30, 90 + 60 + 180], abs=10)
    assert left[2] is None
    other = client.get("/v1/work", headers=ben.bearer).json()
    assert [each["transcript_id"] for each in other] == [foreign]
    assert client.get("/v1/work").status_code == 401


def test_without_any_recording_before_there_is_no_estimate(services: Services) -> None:
    anna = make_person(services, "anna@example.org")
    begin(services, 20, user_id=anna.id)
    (found,) = client_of(services).get("/v1/work", headers=anna.bearer).json()
    assert (found["place"], found["seconds_left"]) == (1, None)


def test_recording_that_comes_again_is_found_by_its_owner_only(services: Services) -> None:
    anna, ben = (make_person(services, f"{name}@example.org") for name in ("anna", "ben"))
    client = client_of(services)
    body = {"name": "Board", "fingerprint": "1-ab"}
    first = client.post("/v1/transcripts", json=body, headers=anna.bearer).json()["id"]

    def same(headers: dict[str, str], fingerprint: str = "1-ab") -> list[str]:
        query = {"fingerprint": fingerprint}
        answer = client.get("/v1/transcripts/same", params=query, headers=headers)
        return [each["id"] for each in answer.json()]

    assert same(anna.bearer) == []  # nothing was sent yet
    with services.db.write() as session:
        transcript = session.get_one(Transcript, first)
        transcript.status, transcript.share_mode = Status.ENDED, "public"
    assert same(anna.bearer) == [first]
    assert same(anna.bearer, "2-ab") == same(ben.bearer) == []
    client.delete(f"/v1/transcripts/{first}", headers=anna.bearer)
    assert same(anna.bearer) == []


@pytest.mark.parametrize("fingerprint", ["", "x" * 101])
def test_bad_fingerprints_are_refused(services: Services, fingerprint: str) -> None:
    anna = make_person(services, "anna@example.org")
    client = client_of(services)
    query = {"fingerprint": fingerprint}
    found = client.get("/v1/transcripts/same", params=query, headers=anna.bearer)
    body = {"name": "x", "fingerprint": fingerprint}
    made = client.post("/v1/transcripts", json=body, headers=anna.bearer)
    assert (found.status_code, made.status_code) == (422, 422)
