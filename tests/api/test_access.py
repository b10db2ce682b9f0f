"""Every route × caller × kind of transcript × public mode, against one table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.testclient import WebSocketDenialResponse

from reflector.app import create_app
from reflector.db.base import now
from reflector.db.models import Event, Participant, Topic, Transcript, Words
from reflector.services import Services
from tests.api.people import SECRET, Person, make_person, make_transcript
from tests.conftest import OpenServices, client_of

KINDS = ["private", "semi-private", "public", "unowned"]
OK = 0  # whatever the route answers where nobody is refused
CALLERS = ["anonymous", "other", "owner", "api key", "both", "two users", "bad token"]

# caller: a status for each kind of transcript
EVERYBODY_ELSE: dict[str, list[int]] = {
    "owner": [OK, OK, OK, OK],
    "api key": [OK, OK, OK, OK],
    "both": [OK, OK, OK, OK],
    "two users": [401, 401, 401, 401],
    "bad token": [401, 401, 401, 401],
}
READ = {**EVERYBODY_ELSE, "anonymous": [403, 403, OK, OK], "other": [403, OK, OK, OK]}
CHANGE = {**EVERYBODY_ELSE, "anonymous": [401, 401, 401, 401], "other": [403, 403, 403, OK]}
CHANGE_PUBLIC = {**CHANGE, "anonymous": [403, 403, 403, OK]}
AUDIO = {**READ, "anonymous": [401, 401, 401, OK]}
NOTES = {**READ, "anonymous": [401] * 4}
# Nobody owns one without an owner, so nobody shares it
OWN = {kind: [*codes[:3], 400 if codes[3] == OK else codes[3]] for kind, codes in CHANGE.items()}


@dataclass(frozen=True)
class Route:
    """`ok`: its status where nobody is refused. `public` is its table in public mode."""

    method: str
    path: str
    private: dict[str, list[int]]
    public: dict[str, list[int]] | None = None
    ok: int = 200
    body: dict[str, Any] | None = None
    files: dict[str, Any] | None = None
    deleted: bool = False

    @property
    def name(self) -> str:
        return f"{self.method} {self.path.partition('?')[0]}"


ROUTES = [
    Route("GET", "", READ),
    Route("GET", "?transcript_format=json", READ),
    Route("GET", "/topics", READ),
    Route("GET", "/topics/with-words", READ),
    Route("GET", "/topics/{topic}/words-per-speaker", READ),
    Route("GET", "/words", READ),
    Route("GET", "/live-text", READ),
    Route("GET", "/run", READ),
    Route("GET", "/participants", READ),
    Route("GET", "/participants/{participant}", READ),
    Route("GET", "/audio/waveform", {**READ, "anonymous": [401] * 4}),
    Route("GET", "/export/srt", READ),
    Route("GET", "/export/docx", READ),
    Route("GET", "/events", READ, ok=426),
    Route("GET", "/audio/mp3", AUDIO),
    Route("HEAD", "/audio/mp3", AUDIO),
    Route("POST", "/audio/link", AUDIO),
    Route("GET", "/video", AUDIO, ok=404),
    Route("HEAD", "/video", AUDIO, ok=404),
    Route("PATCH", "", CHANGE, body={"title": "new"}),
    Route("DELETE", "", CHANGE),
    Route("POST", "/restore", CHANGE, deleted=True),
    Route("DELETE", "/destroy", CHANGE, deleted=True),
    Route("GET", "/download/zip", CHANGE),
    Route("POST", "/participants", CHANGE, body={"name": "Anna"}),
    Route("PATCH", "/participants/{participant}", CHANGE, body={"name": "Anna"}),
    Route("DELETE", "/participants/{participant}", CHANGE),
    Route(
        "PATCH", "/speaker/assign", CHANGE,
        body={"speaker": 1, "timestamp_from": 0, "timestamp_to": 1},
    ),
    Route(
        "PATCH", "/words", CHANGE, ok=404,
        body={"timestamp_from": 90, "timestamp_to": 91, "before": "", "text": "new"},
    ),
    Route(
        "POST", "/words/corrections", CHANGE, ok=404,
        body={"corrections": [{"timestamp_from": 90, "timestamp_to": 91, "before": "", "text": "new"}]},
    ),
    Route("GET", "/history", CHANGE),
    Route("PUT", "/tags/none", {**READ, "anonymous": [401] * 4}, ok=404),
    Route("DELETE", "/tags/none", {**READ, "anonymous": [401] * 4}, ok=404),
    Route("POST", "/history/1/undo", CHANGE, ok=404),
    Route("GET", "/options", CHANGE, CHANGE_PUBLIC),
    Route("PUT", "/options", CHANGE, CHANGE_PUBLIC, body={"max_speakers": 3}),
    Route("GET", "/notes", NOTES),
    Route("POST", "/notes", NOTES, body={"at": 1.5, "text": "look here"}),
    Route("PATCH", "/notes/none", NOTES, ok=404, body={"text": "x"}),
    Route("DELETE", "/notes/none", NOTES, ok=404),
    Route("GET", "/shares", CHANGE),
    Route("PUT", "/shares/people", CHANGE, ok=400, body={"email": "nobody@example.org"}),
    Route("DELETE", "/shares/people/none", OWN),
    Route("POST", "/shares/links", OWN, body={}),
    Route("DELETE", "/shares/links/none", OWN, ok=404),
    Route("GET", "/shares/links/none/qr", CHANGE, ok=404),
    Route("PATCH", "/speaker/merge", CHANGE, body={"speaker_from": 0, "speaker_to": 3}),
    Route("POST", "/process", CHANGE, CHANGE_PUBLIC, ok=400),
    Route(
        "POST", "/record/upload?chunk_number=0&total_chunks=2", CHANGE, CHANGE_PUBLIC,
        files={"chunk": ("a.wav", b"RIFF")},
    ),
    Route(
        "POST", "/record/webrtc", CHANGE, CHANGE_PUBLIC, ok=400, body={"sdp": "", "type": "offer"}
    ),
    Route("GET", "/video/url", {**READ, "anonymous": [401, 401, 401, 401]}, ok=404),
]  # fmt: skip


@pytest.fixture(params=[False, True], ids=["closed", "public"])
def world(open_with: OpenServices, request: pytest.FixtureRequest) -> World:
    services = open_with(
        AUTH_BACKEND="password", SECRET_KEY=SECRET, PUBLIC_MODE=request.param, MIN_FREE_BYTES=0
    )
    return World(services, request.param)


class World:
    def __init__(self, services: Services, public: bool) -> None:
        self.services, self.public = services, public
        self.client = client_of(services)
        self.owner = make_person(services, "owner@example.org")
        self.other = make_person(services, "other@example.org")

    def headers(self, caller: str) -> dict[str, str]:
        return {
            "anonymous": {},
            "other": self.other.bearer,
            "owner": self.owner.bearer,
            "api key": self.owner.key,
            "both": {**self.owner.bearer, **self.owner.key},
            "two users": {**self.owner.bearer, **self.other.key},
            "bad token": {"Authorization": "Bearer nonsense"},
        }[caller]

    def transcript(self, kind: str, deleted: bool = False) -> tuple[str, str, str]:
        """A transcript with everything that a route may ask for: its id, topic, participant."""
        services = self.services
        transcript_id = make_transcript(
            services,
            user_id=None if kind == "unowned" else self.owner.id,
            share_mode="private" if kind == "unowned" else kind,
            shown_run=1,
            deleted_at=now() if deleted else None,
        )
        with services.db.write() as session:
            rows = [[" Hello.", 0.0, 0.4, 0]]
            session.add(Words(transcript_id=transcript_id, run=1, words=rows))
            topic = Topic(
                transcript_id=transcript_id, run=1, position=0, title="t", summary="s",
                timestamp=0.0, duration=0.4, first_word=0, last_word=1,
            )  # fmt: skip
            person = Participant(transcript_id=transcript_id, name="A", speaker=5)
            wave = Event(
                transcript_id=transcript_id, run=1, name="WAVEFORM", data={"waveform": [1.0]}
            )
            session.add_all([topic, person, wave])
            session.flush()
            return transcript_id, topic.id, person.id


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_route_answers_as_the_table_says(world: World, route: Route, tmp_path: Path) -> None:
    table = route.public if world.public and route.public else route.private
    wrong = []
    for caller in CALLERS:
        for kind, expected in zip(KINDS, table[caller], strict=True):
            transcript_id, topic, participant = world.transcript(kind, route.deleted)
            if "audio/mp3" in route.path:
                (tmp_path / "a").write_bytes(b"sound")
                world.services.storage.adopt(tmp_path / "a", f"{transcript_id}/audio.mp3")
            path = route.path.format(topic=topic, participant=participant)
            answer = world.client.request(
                route.method, f"/v1/transcripts/{transcript_id}{path}",
                headers=world.headers(caller), json=route.body, files=route.files,
            )  # fmt: skip
            if answer.status_code != (expected or route.ok):
                wrong.append((caller, kind, answer.status_code, expected or route.ok))
    assert wrong == []


def test_websocket_of_a_transcript_answers_as_reading_does(world: World) -> None:
    wrong = []
    for caller in CALLERS:
        for kind, expected in zip(KINDS, READ[caller], strict=True):
            transcript_id, _, _ = world.transcript(kind)
            path = f"/v1/transcripts/{transcript_id}/events"
            status = handshake(world.client, path, world.headers(caller))
            if status != expected:
                wrong.append((caller, kind, status, expected))
    assert wrong == []


def test_recording_over_a_websocket_is_for_who_may_change(world: World) -> None:
    table = CHANGE_PUBLIC if world.public else CHANGE
    wrong = []
    for caller in CALLERS:
        for kind, expected in zip(KINDS, table[caller], strict=True):
            transcript_id, _, _ = world.transcript(kind)
            path = f"/v1/transcripts/{transcript_id}/record/stream?recording=a"
            sent = world.headers(caller)
            bearer = sent.pop("Authorization", "").removeprefix("Bearer ")
            protocols = ["bearer", bearer] if bearer else None
            with world.client.websocket_connect(path, protocols, headers=sent) as socket:
                first = socket.receive_json()
            if first.get("status", OK) != expected:
                wrong.append((caller, kind, first, expected))
    assert wrong == []


@pytest.mark.parametrize(
    ("caller", "expected"),
    [("anonymous", 403), ("other", OK), ("owner", OK), ("api key", OK), ("both", OK),
     ("two users", 401), ("bad token", 401)],
)  # fmt: skip
def test_websocket_of_a_user_is_for_accounts(world: World, caller: str, expected: int) -> None:
    assert handshake(world.client, "/v1/events", world.headers(caller)) == expected


def handshake(client: TestClient, path: str, headers: dict[str, str]) -> int:
    """OK, or the status of the refusal. Tokens go as sub-protocols, as browsers send them."""
    sent = dict(headers)
    bearer = sent.pop("Authorization", "").removeprefix("Bearer ")
    protocols = ["bearer", bearer] if bearer else None
    try:
        with client.websocket_connect(path, subprotocols=protocols, headers=sent) as socket:
            assert socket.accepted_subprotocol == ("bearer" if bearer else None)
    except WebSocketDenialResponse as refused:
        return refused.status_code
    return OK


@pytest.mark.parametrize(
    ("method", "path", "body", "closed", "public"),
    [
        ("GET", "/v1/transcripts", None, 401, 200),
        ("POST", "/v1/transcripts", {"name": "x"}, 401, 200),
        ("GET", "/v1/transcripts/search?q=", None, 401, 200),
        ("GET", "/v1/transcripts/search?q=&include_deleted=true", None, 401, 401),
        ("GET", "/v1/user/api-keys", None, 401, 401),
        ("POST", "/v1/user/api-keys", {"name": "x"}, 401, 401),
        ("DELETE", "/v1/user/api-keys/x", None, 401, 401),
        ("GET", "/v1/me", None, 200, 200),
        ("GET", "/v1/config", None, 200, 200),
        ("GET", "/health", None, 200, 200),
    ],
)
def test_doors_for_anonymous_callers(
    world: World, method: str, path: str, body: Any, closed: int, public: int
) -> None:
    answer = world.client.request(method, path, json=body)
    assert answer.status_code == (public if world.public else closed)
    if answer.status_code == 401:
        assert answer.json()["detail"] == "Not authenticated"
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def seen_by(world: World, person: Person | None, path: str) -> set[str]:
    answer = world.client.get(path, headers=person.bearer if person else {})
    body = answer.json()
    return {item["id"] for item in body.get("items") or body.get("results") or []}


@pytest.mark.parametrize("path", ["/v1/transcripts", "/v1/transcripts/search?q="])
def test_lists_show_only_what_one_may_see(world: World, path: str) -> None:
    ids = {kind: world.transcript(kind)[0] for kind in KINDS}
    world.transcript("public", deleted=True)
    own = {ids["private"], ids["semi-private"], ids["public"]}
    assert seen_by(world, world.owner, path) == own
    assert seen_by(world, world.other, path) == set()
    if world.public:
        assert seen_by(world, None, path) == {ids["public"], ids["unowned"]}


def test_nobody_may_make_a_transcript_somebody_elses(world: World) -> None:
    transcript_id, _, _ = world.transcript("unowned")
    answer = world.client.patch(
        f"/v1/transcripts/{transcript_id}",
        json={"user_id": world.other.id},
        headers=world.other.bearer,
    )
    assert answer.status_code == 200
    with world.services.db.read() as session:
        assert session.get_one(Transcript, transcript_id).user_id is None


def test_without_accounts_nobody_is_refused(open_with: OpenServices) -> None:
    services = open_with(MIN_FREE_BYTES=0)
    client = TestClient(create_app(services), base_url="http://127.0.0.1:1250")
    for method, path, body in [
        ("GET", "/v1/transcripts", None), ("GET", "/v1/transcripts/search?q=&include_deleted=1", None),
        ("GET", "/v1/me", None),
    ]:  # fmt: skip
        assert client.request(method, path, json=body).status_code == 200
    transcript_id = client.post("/v1/transcripts", json={"name": "x"}).json()["id"]
    path = f"/v1/transcripts/{transcript_id}"
    assert client.patch(path, json={"title": "t"}).status_code == 200
    assert client.post(f"{path}/participants", json={"name": "A"}).status_code == 200
    assert client.delete(path).status_code == 200
    assert client.delete(f"{path}/destroy").status_code == 200
    for method in ("GET", "POST"):
        assert client.request(method, "/v1/user/api-keys", json={}).status_code == 401
    assert client.post("/v1/auth/login", json={"email": "a", "password": "b"}).status_code == 404
