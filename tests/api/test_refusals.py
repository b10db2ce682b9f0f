"""Requests that cannot be done are refused with a sentence, and change nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient

from reflector.accounts import users
from reflector.db.models import Meeting, Recording, Room, Step, StepState, Transcript, User, now
from reflector.db.words import store_words
from reflector.errors import ConfigurationError, InvalidInput
from reflector.housekeeping import public_data
from reflector.services import Services
from reflector.transcript.words import Word
from reflector.web import first_view
from tests.api.people import SECRET, make_person, make_transcript
from tests.conftest import OpenServices, client_of
from tests.doubles.identity_provider import identity_provider


def test_repeating_failed_parts_where_none_failed(client: TestClient, services: Services) -> None:
    transcript_id = make_transcript(services, upload_key="x/upload", last_run=1)
    with services.db.write() as session:
        session.add(Step(transcript_id=transcript_id, run=1, name="title", state=StepState.DONE))
    answer = client.post(f"/v1/transcripts/{transcript_id}/process?steps=failed")
    assert (answer.status_code, answer.json()["detail"]) == (400, "No part of the analysis failed")


def test_topic_that_is_not_there(client: TestClient, services: Services) -> None:
    path = f"/v1/transcripts/{make_transcript(services)}/topics/none/words-per-speaker"
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("field", ["id", "speaker"])
def test_two_participants_that_are_one(client: TestClient, services: Services, field: str) -> None:
    path = f"/v1/transcripts/{make_transcript(services)}"
    people = [{"id": f"p{n}", "speaker": n, "name": f"Person {n}"} for n in range(2)]
    people[1][field] = people[0][field]
    answer = client.patch(path, json={"participants": people})
    assert answer.status_code == 400
    assert client.get(path).json()["participants"] == []


def recorded(services: Services, **values: Any) -> tuple[str, str]:
    """A transcript of a recording of a meeting, and the id of that recording."""
    with services.db.write() as session:
        session.add(Room(id="room", name="board", user_id="u", platform="daily"))
        session.flush()
        moment = {"start_date": now(), "end_date": now()}
        session.add(Meeting(
            id="meeting", room_name="board", room_url="u", host_room_url="u", room_id="room", **moment
        ))  # fmt: skip
        session.flush()
        session.add(Recording(
            id="recording", bucket_name="b", object_key="k", recorded_at=now(), meeting_id="meeting"
        ))  # fmt: skip
    return make_transcript(services, recording_id="recording", **values), "recording"


def test_recording_goes_to_the_trash_with_its_transcript_and_is_destroyed_with_it(
    client: TestClient, services: Services
) -> None:
    transcript_id, recording_id = recorded(services)

    def deleted_at() -> Any:
        with services.db.read() as session:
            found = session.get(Recording, recording_id)
            return found and (found.deleted_at or "not deleted")

    path = f"/v1/transcripts/{transcript_id}"
    client.delete(path)
    assert deleted_at() != "not deleted"
    client.post(f"{path}/restore")
    assert deleted_at() == "not deleted"
    client.delete(path)
    client.delete(f"{path}/destroy")
    assert deleted_at() is None


def test_old_anonymous_transcript_takes_its_meeting_along(open_with: OpenServices) -> None:
    services = open_with(PUBLIC_MODE=True)
    recorded(services, created_at=now() - timedelta(days=800))
    assert public_data.clean_up(services) == 1
    with services.db.read() as session:
        assert session.get(Meeting, "meeting") is None
        assert session.get(Recording, "recording") is None
        assert session.get(Room, "room") is not None


def test_accounts_that_cannot_be_told_apart_or_inherit_themselves(open_with: OpenServices) -> None:
    services = open_with(AUTH_BACKEND="password", SECRET_KEY=SECRET)
    anna = make_person(services, "anna@example.org")
    with services.db.write() as session:
        session.add(User(id="other", email="anna@example.org", authentik_uid="provider:anna"))
        session.flush()
        with pytest.raises(InvalidInput, match="Several accounts"):
            users.named(session, "anna@example.org")
        user = users.named(session, anna.id)
        with pytest.raises(InvalidInput, match="its own recordings"):
            users.remove(session, user, user)


def test_admin_password_that_is_no_hash_stops_the_start(open_with: OpenServices) -> None:
    values = {"AUTH_BACKEND": "password", "SECRET_KEY": SECRET, "ADMIN_EMAIL": "a@example.org"}
    services = open_with(**values)
    settings = services.settings.model_copy(
        update={"ADMIN_PASSWORD_HASH": services.settings.SECRET_KEY}
    )
    with pytest.raises(ConfigurationError, match="ADMIN_PASSWORD_HASH"):
        users.provision_admin(services.db, settings)


def test_login_that_the_identity_provider_refused_or_cannot_begin(open_with: OpenServices) -> None:
    with identity_provider() as idp:
        client = client_of(open_with(
            AUTH_BACKEND="jwt", SECRET_KEY=SECRET, AUTH_OIDC_ISSUER=idp.issuer, AUTH_JWT_AUDIENCE="api",
            AUTH_OIDC_CLIENT_ID="client",
        ))  # fmt: skip
        begun = client.get("/login", follow_redirects=False).headers["location"]
        state = httpx2.URL(begun).params["state"]
    denied = client.get(f"/login/callback?error=access_denied&state={state}")
    assert denied.status_code == 401
    assert "did not let you in" in denied.text
    other = client_of(open_with(
        AUTH_BACKEND="jwt", SECRET_KEY=SECRET, AUTH_OIDC_ISSUER="http://127.0.0.1:1",
        AUTH_JWT_AUDIENCE="api", AUTH_OIDC_CLIENT_ID="client",
    ))  # fmt: skip
    away = other.get("/login", follow_redirects=False)
    assert away.status_code == 503
    assert "identity provider" in away.text


def test_login_where_there_are_no_accounts_leads_to_the_pages(client: TestClient) -> None:
    assert client.get("/login", follow_redirects=False).headers["location"] == "/"
    assert client.post("/login", data={"email": "a", "password": "b"}).status_code == 403


def test_logout_from_a_foreign_page(open_with: OpenServices) -> None:
    client = client_of(open_with(AUTH_BACKEND="password", SECRET_KEY=SECRET))
    foreign = client.post("/logout", headers={"Origin": "https://elsewhere.example"})
    assert foreign.status_code == 403


def test_notices_of_the_machine_are_shown_and_a_broken_file_is_said(
    open_with: OpenServices, tmp_path: Any
) -> None:
    file = tmp_path / "notices.json"
    client = client_of(open_with(NOTICES_FILE=file))
    assert client.get("/").status_code == 200  # the file is not there: nothing to say
    file.write_text('["The last update <failed>."]')
    assert "The last update &lt;failed&gt;." in client.get("/").text
    file.write_text("{broken")
    assert "cannot be read" in client.get("/").text


def test_text_of_hours_is_cut_in_the_first_view_and_says_so(
    client: TestClient, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    transcript_id = make_transcript(services, shown_run=1)
    with services.db.write() as session:
        words = [Word(" word.", float(n), n + 0.5, n % 2) for n in range(40)]
        store_words(session, transcript_id, 1, words)
    monkeypatch.setattr(first_view, "MAX_CHARACTERS", 60)
    page = client.get(f"/transcripts/{transcript_id}").text
    assert 0 < page.count('class="turn"') < 40
    assert "The text goes on" in page


def test_page_of_a_transcript_that_is_gone_says_where_to_go(
    client: TestClient, services: Services
) -> None:
    with services.db.write() as session:
        session.add(Transcript(id="gone", name="x", source_kind="file", deleted_at=now()))
    page = client.get("/transcripts/gone", headers={"Accept": "text/html"})
    assert page.status_code == 404
    assert "There is nothing at this address" in page.text
