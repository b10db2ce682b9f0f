"""Webhooks reach their receiver, once each, however long that takes, and nobody else."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from reflector.administration import people
from reflector.db.attempts import CLAIM
from reflector.db.models import Room, Transcript, Webhook, WebhookDelivery, now
from reflector.webhooks import body, delivery
from reflector.webhooks import queue as webhooks
from reflector.webhooks.events import WebhookEvent
from tests.api.people import Person, make_transcript
from tests.api.world import ROOM
from tests.api.world import World as Plain
from tests.conftest import OpenServices, client_of
from tests.webhooks.receiver import Receiver, receiving

ALL = [event.value for event in WebhookEvent]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


class World(Plain):
    def __init__(self, open_with: OpenServices) -> None:
        super().__init__(
            open_with,
            ALLOWED_INTERNAL_ADDRESSES="127.0.0.1",
            UI_BASE_URL="https://reflector.example.org/",
        )

    def hook(self, url: str, person: Person | None = None, **fields: Any) -> Any:
        answer = self.ask(person or self.anna, "POST", "webhooks", {"url": url, **fields})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def tell(self, transcript_id: str, event: WebhookEvent = WebhookEvent.COMPLETED) -> None:
        with self.services.db.write() as session:
            webhooks.announce(session, session.get_one(Transcript, transcript_id), event)

    def recording(self, person: Person | None = None, **values: Any) -> str:
        owner = (person or self.anna).id
        return make_transcript(self.services, user_id=owner, status="ended", **values)

    def deliveries(self) -> list[WebhookDelivery]:
        with self.services.db.read() as session:
            rows = session.scalars(select(WebhookDelivery).order_by(WebhookDelivery.created_at))
            found = list(rows)
            session.expunge_all()
            return found

    def let_time_pass(self, age: timedelta) -> None:
        """As if all deliveries were older, and waited for no longer."""
        with self.services.db.write() as session:
            for row in session.scalars(select(WebhookDelivery)):
                row.expires_at -= age
                row.claimed_until = None
                row.created_at -= age
                row.due_at = now() if row.due_at else None
            for table in (Webhook, Room):
                session.execute(update(table).values(webhook_not_before=None))

    def send(self) -> int:
        return delivery.execute(self.services)


@pytest.fixture
def world(open_with: OpenServices) -> World:
    return World(open_with)


def test_completed_recording_is_told_with_what_was_said(world: World, receiver: Receiver) -> None:
    hook = world.hook(receiver.url)
    done = world.recording(title="Budget", short_summary="Less of it.", name="b.wav")
    world.tell(done)
    assert world.send() == 1
    (message,) = receiver.verified(hook["secret"])
    assert isinstance(message, dict)
    headers, content = receiver.requests[0]
    assert message["event"] == headers["x-webhook-event"] == "transcript.completed"
    assert message["event_id"] == headers["webhook-id"]
    assert headers["x-webhook-retry"] == "0"
    assert headers["user-agent"] == "Reflector-Webhook/1.0"
    told = message["transcript"]
    assert (told["id"], told["title"], told["short_summary"]) == (done, "Budget", "Less of it.")
    assert told["frontend_url"] == f"https://reflector.example.org/transcripts/{done}"
    assert {"webvtt", "topics", "participants", "action_items", "long_summary"} <= set(told)
    # The reference's signature: hex, and over the secret as it is written
    moment, signature = headers["x-webhook-signature"].split(",")
    signed = moment.removeprefix("t=").encode() + b"." + content
    assert signature == "v1=" + hmac.digest(hook["secret"].encode(), signed, "sha256").hex()
    assert world.send() == 0
    (row,) = world.deliveries()
    assert (row.body, row.status_code, row.error) == (None, 200, None)


def test_each_account_is_told_of_its_own_recordings_and_wanted_events(
    world: World, receiver: Receiver
) -> None:
    world.hook(receiver.url, world.anna, events=["transcript.failed", "transcript.deleted"])
    world.hook(receiver.url, world.ben)
    mine = world.recording(world.anna, error="The file has no sound.", last_run=1)
    world.tell(mine)
    world.tell(mine, WebhookEvent.FAILED)
    assert world.ask(world.anna, "DELETE", f"transcripts/{mine}").status_code == 200
    world.send()
    bodies = sorted((json.loads(each) for _, each in receiver.requests), key=lambda b: b["event"])
    # What failed is in the trash by now, so that is not told any more
    assert [each["event"] for each in bodies] == ["transcript.deleted"]
    assert bodies[0]["transcript"] == {"id": mine}


def test_sharing_is_told_once_and_without_addresses_or_links(
    world: World, receiver: Receiver
) -> None:
    world.hook(receiver.url)
    mine = world.recording()
    shares = f"transcripts/{mine}/shares"
    for _ in range(2):
        share = {"email": "ben@example.org", "level": "view"}
        assert world.ask(world.anna, "PUT", f"{shares}/people", share).status_code == 200
    made = world.ask(world.anna, "POST", f"{shares}/links", {}).json()
    path = f"transcripts/{mine}"
    for mode in ("semi-private", "semi-private", "private"):
        assert world.ask(world.anna, "PATCH", path, {"share_mode": mode}).status_code == 200
    assert world.send() == 1
    _, content = receiver.requests[0]
    told = json.loads(content)["transcript"]
    assert (told["shared_with"], told["links"]) == (1, 1)
    assert b"ben@" not in content
    assert made["url"].rsplit("/", 1)[1].encode() not in content


def test_receiver_that_fails_is_asked_again_with_the_same_message(
    world: World, receiver: Receiver
) -> None:
    hook = world.hook(receiver.url)
    receiver.answers = [500, 404, 200]
    mine = world.recording(title="first")
    world.tell(mine)
    assert [world.send(), world.send()] == [1, 0]  # the second attempt is not due yet
    (row,) = world.deliveries()
    assert (row.status_code, row.error) == (
        500,
        [["The receiver answered {status}.", {"status": 500}]],
    )
    world.ask(world.anna, "PATCH", f"transcripts/{mine}", {"title": "second"})
    for _ in range(2):
        world.let_time_pass(timedelta(hours=1))
        assert world.send() == 1
    ids = {headers["webhook-id"] for headers, _ in receiver.requests}
    bodies = {content for _, content in receiver.requests}
    assert (len(receiver.requests), len(ids), len(bodies)) == (3, 1, 1)
    assert [headers["x-webhook-retry"] for headers, _ in receiver.requests] == ["0", "1", "2"]
    receiver.verified(hook["secret"])
    assert world.deliveries()[0].delivered_at is not None


def test_receiver_says_how_long_to_wait(world: World, receiver: Receiver) -> None:
    world.hook(receiver.url)
    receiver.answers, receiver.headers = [429], {"Retry-After": "3000"}
    world.tell(world.recording())
    world.send()
    (row,) = world.deliveries()
    assert row.due_at is not None
    assert timedelta(minutes=49) < row.due_at - now() <= timedelta(minutes=50)


@pytest.mark.parametrize(("answer", "days"), [(503, 3), (410, 0)], ids=["three days", "gone"])
def test_receiver_that_stays_away_is_paused_and_nothing_is_lost(
    world: World, receiver: Receiver, answer: int, days: int
) -> None:
    hook = world.hook(receiver.url)
    receiver.answers = [answer]
    world.tell(world.recording(title="one"))
    world.let_time_pass(timedelta(days=days, minutes=1) if days else timedelta())
    world.send()
    (shown,) = world.ask(world.anna, "GET", "webhooks").json()
    assert (shown["problem"], shown["waiting"]) == (f"The receiver answered {answer}.", 1)
    assert shown["paused_at"] is not None
    world.tell(world.recording(title="two"))
    assert world.send() == 0
    receiver.answers = [200]
    resumed = world.ask(world.anna, "PATCH", f"webhooks/{hook['id']}", {"is_paused": False}).json()
    assert (resumed["paused_at"], resumed["problem"], resumed["waiting"]) == (None, None, 2)
    assert world.send() == 2
    titles = {json.loads(content)["transcript"]["title"] for _, content in receiver.requests[1:]}
    assert titles == {"one", "two"}


def test_secret_that_is_rotated_signs_for_a_day(world: World, receiver: Receiver) -> None:
    hook = world.hook(receiver.url)
    new = world.ask(world.anna, "POST", f"webhooks/{hook['id']}/rotate").json()
    assert new["secret"] != hook["secret"]
    world.tell(world.recording())
    world.send()
    assert receiver.verified(hook["secret"]) == receiver.verified(new["secret"])
    with world.services.db.write() as session:
        session.execute(update(Webhook).values(webhook_previous_until=now()))
    receiver.requests.clear()
    world.tell(world.recording())
    world.send()
    receiver.verified(new["secret"])
    with pytest.raises(Exception, match="No matching signature"):
        receiver.verified(hook["secret"])


def test_worker_that_dies_while_it_sends_loses_nothing(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.hook(receiver.url)
    world.tell(world.recording())

    def die(*_: object) -> None:
        raise SystemError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(delivery, "_note", die)
        with pytest.raises(SystemError):
            world.send()
    assert len(receiver.requests) == 1
    assert world.send() == 0  # another worker may still be sending it
    world.let_time_pass(CLAIM)
    assert world.send() == 1
    first, second = (headers["webhook-id"] for headers, _ in receiver.requests)
    assert first == second


def test_receiver_that_is_away_does_not_hold_up_others(world: World, receiver: Receiver) -> None:
    world.hook("http://127.0.0.1:9/nobody-listens", world.ben)
    for _ in range(20):
        world.tell(world.recording(world.ben))
    world.hook(receiver.url, world.anna)
    world.tell(world.recording(world.anna))
    world.send()
    assert len(receiver.requests) == 1
    (tried,) = [row for row in world.deliveries() if row.attempts and not row.delivered_at]
    assert "127.0.0.1" in str(tried.error)


def test_words_of_a_recording_that_was_destroyed_are_sent_nowhere(
    world: World, receiver: Receiver
) -> None:
    world.hook(receiver.url)
    receiver.answers = [500, 200]
    mine = world.recording(short_summary="confidential", last_run=1)
    world.tell(mine)
    world.send()
    assert "confidential" in (world.deliveries()[0].body or "")
    for path in (f"transcripts/{mine}", f"transcripts/{mine}/destroy"):
        assert world.ask(world.anna, "DELETE", path).status_code == 200
    assert [(row.event, row.body) for row in world.deliveries()] == [("transcript.deleted", None)]
    receiver.requests.clear()
    world.let_time_pass(timedelta(hours=1))
    world.send()
    assert [headers["x-webhook-event"] for headers, _ in receiver.requests] == [
        "transcript.deleted"
    ]


@pytest.mark.parametrize("change", ["private", "trash"])
def test_room_gets_no_words_once_it_may_not_read_them(
    world: World, receiver: Receiver, change: str
) -> None:
    """Not by an attempt that was left over, and not by sending again."""
    room = world.ask(world.anna, "POST", "rooms", {**ROOM, "webhook_url": receiver.url}).json()[
        "id"
    ]
    path = f"transcripts/{world.recording(world.ben, room_id=room, share_mode='semi-private', last_run=1)}"
    receiver.answers = [500, 200]
    world.tell(path.removeprefix("transcripts/"))
    world.send()
    if change == "private":
        world.ask(world.ben, "PATCH", path, {"share_mode": "private"})
    else:
        world.ask(world.ben, "DELETE", path)
    receiver.requests.clear()
    world.let_time_pass(timedelta(hours=1))
    world.send()
    (sent,) = [row for row in world.deliveries() if row.event == "transcript.completed"]
    assert (sent.due_at, sent.body, sent.delivered_at) == (None, None, None)
    again = world.ask(world.anna, "POST", f"webhooks/{room}/deliveries/{sent.id}/send").json()
    assert again["error"] == "The recording was deleted or made private before this was sent."
    if change == "private":  # the room hears of its end, as it heard of it
        world.ask(world.ben, "DELETE", path)
        world.send()
    told = [headers["x-webhook-event"] for headers, _ in receiver.requests]
    assert told == ["transcript.deleted"]
    if change == "trash":
        with world.services.db.write() as session:
            session.execute(update(Transcript).values(status="ended"))
        assert world.ask(world.ben, "POST", f"{path}/restore").status_code == 200
        world.send()
        assert receiver.requests[-1][0]["x-webhook-event"] == "transcript.completed"


def test_what_is_being_sent_is_not_sent_a_second_time(world: World, receiver: Receiver) -> None:
    hook = world.hook(receiver.url)
    world.tell(world.recording())
    (row,) = world.deliveries()
    with world.services.db.write() as session:
        session.execute(update(WebhookDelivery).values(claimed_until=now() + CLAIM))
    again = world.ask(world.anna, "POST", f"webhooks/{hook['id']}/deliveries/{row.id}/send")
    assert (again.status_code, receiver.requests) == (409, [])
    for paused in (True, False):
        world.ask(world.anna, "PATCH", f"webhooks/{hook['id']}", {"is_paused": paused})
    assert (world.send(), receiver.requests) == (0, [])


def test_body_that_cannot_be_made_waits_and_ends(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = world.hook(receiver.url)
    world.tell(world.recording())

    def fail(*_: object) -> str:
        raise ValueError("a fault of ours")

    monkeypatch.setattr(body, "of_delivery", fail)
    world.send()
    path = f"webhooks/{hook['id']}/deliveries"
    (row,) = world.ask(world.anna, "GET", path).json()["items"]
    assert (row["state"], row["error"]) == (
        "waiting",
        "This server failed to send it. Its log says why.",
    )
    world.let_time_pass(timedelta(days=4))
    world.send()
    (shown,) = world.ask(world.anna, "GET", "webhooks").json()
    assert shown["paused_at"] is not None


def test_new_address_of_a_room_has_all_its_time(world: World, receiver: Receiver) -> None:
    room = world.ask(world.anna, "POST", "rooms", {**ROOM, "webhook_url": receiver.url}).json()[
        "id"
    ]
    receiver.answers = [410, 500, 200]
    world.tell(world.recording(room_id=room))
    world.send()
    assert "A webhook is paused" in world.client.get("/", headers=world.anna.bearer).text
    assert "A webhook is paused" not in world.client.get("/", headers=world.ben.bearer).text
    world.ask(world.anna, "PATCH", f"rooms/{room}", {"webhook_url": f"{receiver.url}?new"})
    assert world.send() == 1
    (row,) = world.deliveries()
    assert row.due_at is not None
    assert row.due_at - now() < timedelta(minutes=1)
    world.let_time_pass(timedelta(hours=1))
    world.send()
    assert world.deliveries()[0].delivered_at is not None


def test_room_of_a_removed_account_asks_its_new_owner_first(
    world: World, receiver: Receiver
) -> None:
    room = world.ask(world.ben, "POST", "rooms", {**ROOM, "webhook_url": receiver.url}).json()["id"]
    people.remove(world.services, world.ben.id, world.anna.id)
    world.tell(world.recording(room_id=room))
    assert (world.send(), receiver.requests) == (0, [])
    (shown,) = world.ask(world.anna, "GET", "webhooks").json()
    assert "another owner" in shown["problem"]


def test_internal_address_gets_nothing(open_with: OpenServices, receiver: Receiver) -> None:
    services = open_with()
    client = client_of(services)
    hook = client.post("/v1/webhooks", json={"url": receiver.url}).json()
    tested = client.post(f"/v1/webhooks/{hook['id']}/test").json()
    assert tested["success"] is False
    assert "inside the network of this server" in tested["error"]
    assert (tested["response_preview"], receiver.requests) == (None, [])


def test_room_is_told_what_its_owner_may_read(world: World, receiver: Receiver) -> None:
    room = world.ask(world.anna, "POST", "rooms", {**ROOM, "webhook_url": receiver.url}).json()[
        "id"
    ]
    own = world.recording(world.anna, room_id=room)
    shared = world.recording(world.ben, room_id=room, share_mode="semi-private")
    private = world.recording(world.ben, room_id=room)
    for each in (own, shared, private):
        world.tell(each)
    world.send()
    bodies = [json.loads(content) for _, content in receiver.requests]
    assert {each["transcript"]["id"] for each in bodies} == {own, shared}
    assert bodies[0]["room"] == {"id": room, "name": "board"}
    answer = world.ask(world.anna, "POST", f"rooms/{room}/webhook/test").json()
    assert (answer["success"], answer["status_code"], answer["response_preview"]) == (
        True,
        200,
        "taken",
    )
    refused = world.ask(world.ben, "POST", f"rooms/{room}/webhook/test")
    assert refused.status_code == 403
    assert refused.json()["detail"] == "Not authorized to test this room's webhook"
    assert world.ask(world.anna, "POST", "rooms/none/webhook/test").status_code == 404
    world.ask(world.anna, "PATCH", f"rooms/{room}", {"webhook_url": ""})
    nothing = world.ask(world.anna, "POST", f"rooms/{room}/webhook/test").json()
    assert (nothing["success"], nothing["error"]) == (False, "This room has no webhook.")
    with world.services.db.read() as session:
        assert session.get_one(Room, room).webhook_secret is None


def test_webhooks_are_for_those_who_own_them(world: World, receiver: Receiver) -> None:
    hook = world.hook(receiver.url)
    room = world.ask(
        world.anna, "POST", "rooms", {**ROOM, "webhook_url": receiver.url, "is_shared": True}
    ).json()["id"]
    world.tell(world.recording())
    sent = world.deliveries()[0].id
    for target in (hook["id"], room):
        for method, path, fields in (
            ("PATCH", "", {"url": "https://example.org/mine"}), ("DELETE", "", None), ("POST", "/rotate", None),
            ("POST", "/test", None), ("GET", "/deliveries", None), ("POST", f"/deliveries/{sent}/send", None),
        ):  # fmt: skip
            for person, status in ((None, 401), (world.ben, 404)):
                answer = world.ask(person, method, f"webhooks/{target}{path}", fields)
                assert answer.status_code == status, (path, answer.text)
    assert world.ask(world.ben, "GET", "webhooks").json() == []
    mine = world.ask(world.anna, "GET", "webhooks").json()
    assert [(each["id"], each["room"] and each["room"]["name"]) for each in mine] == [
        (hook["id"], None), (room, "board"),
    ]  # fmt: skip
    assert mine[1]["events"] == ALL


def test_delivery_is_sent_again_with_what_is_known_now(world: World, receiver: Receiver) -> None:
    hook = world.hook(receiver.url)
    mine = world.recording(title="first")
    world.tell(mine)
    world.send()
    world.ask(world.anna, "PATCH", f"transcripts/{mine}", {"title": "second"})
    path = f"webhooks/{hook['id']}/deliveries"
    (row,) = world.ask(world.anna, "GET", path).json()["items"]
    assert (row["state"], row["attempts"]) == ("delivered", 1)
    receiver.answers = [500, 200]
    again = world.ask(world.anna, "POST", f"{path}/{row['id']}/send").json()
    assert (again["state"], again["error"]) == ("waiting", "The receiver answered 500.")
    again = world.ask(world.anna, "POST", f"{path}/{row['id']}/send").json()
    assert (again["state"], again["attempts"]) == ("delivered", 3)
    assert json.loads(receiver.requests[-1][1])["transcript"]["title"] == "second"
    assert world.ask(world.anna, "POST", f"{path}/none/send").status_code == 404


def test_wrong_webhooks_are_refused(world: World, receiver: Receiver) -> None:
    for wrong in (
        {"url": "ftp://example.org"}, {"url": ""}, {"url": receiver.url, "events": []},
        {"url": receiver.url, "events": ["transcript.exploded"]}, {"url": receiver.url, "secret": "short"},
    ):  # fmt: skip
        answer = world.ask(world.anna, "POST", "webhooks", wrong)
        assert answer.status_code == 422, wrong
    hook = world.hook(receiver.url, secret="chosen by somebody")
    assert hook["secret"] == "chosen by somebody"
    world.tell(world.recording())
    world.send()
    (headers, content) = receiver.requests[0]
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + content
    own = base64.b64encode(hmac.digest(b"chosen by somebody", signed, "sha256")).decode()
    assert headers["webhook-signature"] == f"v1,{own}"


def test_old_records_are_removed_and_what_waits_stays(world: World, receiver: Receiver) -> None:
    world.hook(receiver.url)
    receiver.answers = [200, 500]
    for _ in range(2):
        world.tell(world.recording())
        world.send()
    world.let_time_pass(timedelta(days=31))
    with world.services.db.write() as session:
        waits = WebhookDelivery.due_at.is_not(None)
        session.execute(
            update(WebhookDelivery).where(waits).values(expires_at=now() + timedelta(days=1))
        )
    delivery.remove_old(world.services)
    (left,) = world.deliveries()
    assert left.status_code == 500


def test_account_that_is_removed_leaves_no_webhook(world: World, receiver: Receiver) -> None:
    world.hook(receiver.url, world.ben)
    people.remove(world.services, world.ben.id, None)
    with world.services.db.read() as session:
        assert session.scalars(select(Webhook)).all() == []
