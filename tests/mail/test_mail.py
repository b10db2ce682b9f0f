"""Transcripts reach those who are to have them by e-mail, once, and nobody else."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from reflector.administration import people
from reflector.db.models import Mail, Participant, Transcript, User, now
from reflector.db.words import store_words
from reflector.mail import delivery, queue
from reflector.transcript.words import Word
from tests.api.people import Person, make_transcript
from tests.api.world import World as Plain
from tests.certificates import certificate_for
from tests.conftest import OpenServices
from tests.mail.mail_server import PASSWORD, USERNAME, MailServer, taking_mail

HOSTILE = "# Plan\n\n<script>alert(1)</script> ![x](https://tracker.example.org/p.png) [y](javascript:alert(1))"


@pytest.fixture
def mailbox() -> Iterator[MailServer]:
    with taking_mail() as found:
        yield found


class World(Plain):
    def __init__(self, open_with: OpenServices, mailbox: MailServer, **settings: Any) -> None:
        values = {
            "SMTP_HOST": "127.0.0.1", "SMTP_PORT": mailbox.port, "SMTP_USE_TLS": False,
            "SMTP_FROM_EMAIL": "Reflector <reflector@example.org>", "UI_BASE_URL": "https://reflector.example.org",
        }  # fmt: skip
        super().__init__(open_with, **{**values, **settings})

    def recording(self, person: Person | None = None, **values: Any) -> str:
        made = make_transcript(
            self.services, user_id=(person or self.anna).id, status="ended", shown_run=1, last_run=1,
            **{"title": "Budget", "long_summary": "## Money\n\nLess of it."} | values,
        )  # fmt: skip
        with self.services.db.write() as session:
            store_words(session, made, 1, [Word("Guten", 0.0, 0.5, 0), Word(" Tag.", 0.5, 1.0, 0)])
            session.add(Participant(transcript_id=made, speaker=0, name="Änne", position=0))
        return made

    def room(self, recipients: str) -> str:
        return self.make(is_shared=True, email_transcript_to=recipients)

    def is_ready(self, transcript_id: str) -> None:
        with self.services.db.write() as session:
            transcript = session.get_one(Transcript, transcript_id)
            queue.order_for_room(session, self.services.settings, transcript)

    def mails(self) -> list[Mail]:
        with self.services.db.read() as session:
            found = list(session.scalars(select(Mail).order_by(Mail.created_at)))
            session.expunge_all()
            return found

    def let_time_pass(self, age: timedelta) -> None:
        with self.services.db.write() as session:
            for mail in session.scalars(select(Mail)):
                mail.expires_at -= age
                mail.claimed_until = None
                mail.due_at = now() if mail.due_at else None


@pytest.fixture
def world(open_with: OpenServices, mailbox: MailServer) -> World:
    return World(open_with, mailbox)


def text_of(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def test_transcript_is_sent_to_an_address(world: World, mailbox: MailServer) -> None:
    made = world.recording(action_items={"next_steps": [{"task": "Count", "assigned_to": "Ben"}]})
    path = f"transcripts/{made}/email"
    answer = world.ask(world.anna, "POST", path, {"email": " Carla@example.com "})
    assert (answer.status_code, answer.json()) == (200, {"sent": 1})
    (message,) = mailbox.messages
    assert mailbox.recipients == ["Carla@example.com"]
    assert (message["Subject"], message["From"]) == ("Budget", "Reflector <reflector@example.org>")
    assert message["Message-ID"].endswith("@example.org>")
    for kind in ("plain", "html"):
        text = text_of(message, kind)
        assert all(each in text for each in ("Budget", "Money", "Count", "Ben", "Änne")), kind
        assert "anna@example.org sent it to you" in text
        assert "reflector.example.org" not in text  # Carla could not open it
    assert "<h4>Money</h4>" in text_of(message, "html")
    (attached,) = message.iter_attachments()
    assert attached.get_filename() == "Budget.docx"
    assert attached.get_content()[:2] == b"PK"


def test_link_is_for_those_who_can_open_it(world: World, mailbox: MailServer) -> None:
    private, shared = world.recording(), world.recording(share_mode="semi-private")
    public = world.recording(share_mode="public")
    seen = {}
    for made in (private, shared, public):
        for email in ("BEN@example.org", "stranger@example.com", "anna@example.org"):
            world.ask(world.anna, "POST", f"transcripts/{made}/email", {"email": email})
            link = f"https://reflector.example.org/transcripts/{made}"
            seen[made, email.split("@")[0].lower()] = link in text_of(mailbox.messages[-1], "html")
    assert [seen[private, who] for who in ("ben", "stranger", "anna")] == [False, False, True]
    assert [seen[shared, who] for who in ("ben", "stranger", "anna")] == [True, False, True]
    assert [seen[public, who] for who in ("ben", "stranger", "anna")] == [True, True, True]


def test_e_mail_is_in_the_language_of_the_page(world: World, mailbox: MailServer) -> None:
    path = f"transcripts/{world.recording()}/email"
    world.ask(world.anna, "POST", path, {"email": "c@example.com"}, **{"Accept-Language": "de-AT"})
    (message,) = mailbox.messages
    assert message["Content-Language"] == "de"
    assert "Zusammenfassung" in text_of(message, "html")


def test_nothing_in_a_summary_runs_or_is_fetched(world: World, mailbox: MailServer) -> None:
    made = world.recording(title="<b>Bold</b>\r\nBcc: all@example.com", long_summary=HOSTILE)
    world.ask(world.anna, "POST", f"transcripts/{made}/email", {"email": "c@example.com"})
    (message,) = mailbox.messages
    assert message["Subject"] == "<b>Bold</b> Bcc: all@example.com"
    assert message["Bcc"] is None
    html = text_of(message, "html")
    assert not any(each in html for each in ("<script", "<b>", "<img", 'href="javascript'))


def test_e_mail_needs_the_right_to_read_and_an_address(world: World, mailbox: MailServer) -> None:
    made = world.recording()
    body = {"email": "c@example.com"}
    statuses = [
        world.ask(person, "POST", f"transcripts/{made}/email", body).status_code
        for person in (None, world.ben)
    ]
    assert statuses == [401, 403]
    assert world.ask(world.anna, "POST", "transcripts/none/email", body).status_code == 404
    for wrong in (
        "", "nobody", "a@", "@b", "a..b@example.com", "a.@example.com", "a@b@example.com", "bö@example.com", "a@b(c)",
        "a@b, c@d", "a@example.com\r\nBcc: d@example.com", "x" * 400 + "@example.com",
    ):  # fmt: skip
        answer = world.ask(world.anna, "POST", f"transcripts/{made}/email", {"email": wrong})
        assert answer.status_code == 422, wrong
    assert mailbox.messages == []


def test_server_without_e_mail_says_so(open_with: OpenServices, mailbox: MailServer) -> None:
    world = World(open_with, mailbox, SMTP_HOST=None)
    answer = world.ask(
        world.anna, "POST", f"transcripts/{world.recording()}/email", {"email": "c@example.com"}
    )
    assert (answer.status_code, answer.json()["detail"]) == (400, "Email not configured")
    assert world.client.get("/v1/config").json()["email_enabled"] is False


def test_what_the_mail_server_refuses_is_said(world: World, mailbox: MailServer) -> None:
    path = f"transcripts/{world.recording()}/email"
    mailbox.refusals = {
        "full@example.com": "452 mailbox full",
        "gone@example.com": "550 no such user",
    }
    for email, status, said in (
        ("full", 503, "452 mailbox full"),
        ("gone", 400, "550 no such user"),
    ):
        answer = world.ask(world.anna, "POST", path, {"email": f"{email}@example.com"})
        assert (answer.status_code, said in answer.json()["detail"]) == (status, True)
    # Nobody waits for it: it is not sent behind their back
    assert (delivery.execute(world.services), mailbox.messages) == (0, [])


def test_account_sends_so_many_in_an_hour(
    world: World, mailbox: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "MOST_AN_HOUR", 2)
    path = f"transcripts/{world.recording()}/email"
    asked = [
        world.ask(world.anna, "POST", path, {"email": "c@example.com"}).status_code
        for _ in range(3)
    ]
    assert asked == [200, 200, 429]


def test_room_sends_what_is_ready_to_each_address_once(world: World, mailbox: MailServer) -> None:
    room = world.room("c@example.com, d@example.com,c@example.com")
    with world.services.db.write() as session:
        session.execute(update(User).where(User.id == world.anna.id).values(language="de"))
    made = world.recording(world.ben, room_id=room, share_mode="semi-private")
    world.is_ready(made)
    world.is_ready(made)  # it was processed again
    assert delivery.execute(world.services) == 2
    assert sorted(mailbox.recipients) == ["c@example.com", "d@example.com"]
    assert "weil der Raum board" in text_of(mailbox.messages[0], "plain")
    world.is_ready(made)
    assert delivery.execute(world.services) == 0


def test_room_sends_nothing_that_is_private_or_gone(world: World, mailbox: MailServer) -> None:
    room = world.room("c@example.com")
    private = world.recording(world.ben, room_id=room)
    withdrawn, gone, destroyed = (
        world.recording(world.ben, room_id=room, share_mode="semi-private") for _ in range(3)
    )
    for each in (private, withdrawn, gone, destroyed):
        world.is_ready(each)
    world.ask(world.ben, "PATCH", f"transcripts/{withdrawn}", {"share_mode": "private"})
    for path in (gone, destroyed, f"{destroyed}/destroy"):
        assert world.ask(world.ben, "DELETE", f"transcripts/{path}").status_code == 200
    delivery.execute(world.services)
    assert mailbox.messages == []
    assert {mail.transcript_id for mail in world.mails()} == {withdrawn, gone, destroyed}
    assert all(mail.due_at is None and mail.error for mail in world.mails())


def test_mail_server_that_is_away_is_tried_for_three_days(
    open_with: OpenServices, mailbox: MailServer
) -> None:
    world = World(open_with, mailbox, SMTP_PORT=9)
    room = world.room("c@example.com,d@example.com")
    world.is_ready(world.recording(room_id=room))
    assert delivery.execute(world.services) == 1  # one finds that out for all
    tried = next(mail for mail in world.mails() if mail.attempts)
    assert tried.due_at is not None
    assert "cannot be reached" in str(tried.error)
    world.services.settings.SMTP_PORT = mailbox.port
    world.let_time_pass(timedelta(hours=1))
    assert delivery.execute(world.services) == 2
    assert len({message["Message-ID"] for message in mailbox.messages}) == 2
    world.services.settings.SMTP_PORT = 9
    world.is_ready(world.recording(room_id=room))
    world.let_time_pass(timedelta(days=4))
    for _ in range(2):
        delivery.execute(world.services)
    assert not [mail for mail in world.mails() if mail.due_at is not None]


def test_address_with_letters_beyond_ascii_is_reached(world: World, mailbox: MailServer) -> None:
    path = f"transcripts/{world.recording(title='Bücher für Änne')}/email"
    assert world.ask(world.anna, "POST", path, {"email": "post@bücher.example"}).status_code == 200
    assert mailbox.recipients == ["post@xn--bcher-kva.example"]
    (message,) = mailbox.messages
    assert message["Subject"] == "Bücher für Änne"
    parts = [part for part in message.walk() if not part.is_multipart()]
    encodings = {part["Content-Transfer-Encoding"] for part in parts}
    assert encodings == {"quoted-printable", "base64"}


def test_recording_that_is_not_ready_is_not_sent(world: World, mailbox: MailServer) -> None:
    room = world.room("c@example.com")
    made = world.recording(room_id=room)
    path, body = f"transcripts/{made}/email", {"email": "c@example.com"}
    for shown, status in ((None, 400), (1, 200)):
        with world.services.db.write() as session:
            session.execute(update(Transcript).values(shown_run=shown))
        assert world.ask(world.anna, "POST", path, body).status_code == status
    # What a person sends takes nothing from what the room sends
    world.is_ready(made)
    assert delivery.execute(world.services) == 1
    assert mailbox.recipients == ["c@example.com"] * 2


def test_address_that_was_taken_out_of_the_room_gets_nothing(
    world: World, mailbox: MailServer
) -> None:
    room = world.room("typo@example.com, c@example.com")
    world.is_ready(world.recording(room_id=room))
    world.ask(world.anna, "PATCH", f"rooms/{room}", {"email_transcript_to": "c@example.com"})
    delivery.execute(world.services)
    assert mailbox.recipients == ["c@example.com"]


def test_room_of_a_removed_account_sends_nothing(world: World, mailbox: MailServer) -> None:
    calendar = {"ics_url": "https://example.org/ben.ics", "ics_enabled": True}
    room = world.make(world.ben, email_transcript_to="ben@private.example", **calendar)
    people.remove(world.services, world.ben.id, world.anna.id)
    world.is_ready(world.recording(room_id=room))
    assert (delivery.execute(world.services), mailbox.messages) == (0, [])
    shown = world.ask(world.anna, "GET", f"rooms/{room}").json()
    left = shown["email_transcript_to"], shown["ics_url"], shown["ics_enabled"]
    assert left == (None, None, False)


def test_one_recipient_that_is_put_off_does_not_hold_up_others(
    world: World, mailbox: MailServer
) -> None:
    room = world.room("grey@example.com,c@example.com")
    mailbox.refusals = {"grey@example.com": "450 try again later"}
    world.is_ready(world.recording(room_id=room))
    assert delivery.execute(world.services) == 2
    assert mailbox.recipients == ["c@example.com"]
    mailbox.refusals = {}
    world.let_time_pass(timedelta(hours=1))
    delivery.execute(world.services)
    assert sorted(mailbox.recipients) == ["c@example.com", "grey@example.com"]


def test_sender_that_is_refused_loses_nothing(world: World, mailbox: MailServer) -> None:
    room = world.room("c@example.com")
    mailbox.refused_sender = "553 not yours"
    world.is_ready(world.recording(room_id=room))
    delivery.execute(world.services)
    (mail,) = world.mails()
    assert mail.due_at is not None
    assert "553 not yours" in str(mail.error)
    mailbox.refused_sender = None
    world.let_time_pass(timedelta(hours=1))
    delivery.execute(world.services)
    assert mailbox.recipients == ["c@example.com"]


def test_server_that_ends_rudely_has_taken_it_all_the_same(
    world: World, mailbox: MailServer
) -> None:
    room = world.room("c@example.com")
    mailbox.is_rude = True
    world.is_ready(world.recording(room_id=room))
    delivery.execute(world.services)
    (mail,) = world.mails()
    assert (mail.due_at, mail.error, len(mailbox.messages)) == (None, None, 1)


def test_address_that_is_refused_is_not_tried_again(world: World, mailbox: MailServer) -> None:
    room = world.room("gone@example.com,c@example.com")
    mailbox.refusals = {"gone@example.com": "550 no such user"}
    world.is_ready(world.recording(room_id=room))
    assert delivery.execute(world.services) == 2
    assert mailbox.recipients == ["c@example.com"]
    assert [mail.due_at for mail in world.mails()] == [None, None]


def test_password_goes_to_a_mail_server_with_a_good_certificate_only(
    open_with: OpenServices, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    certificate, key = certificate_for("localhost", tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    login = {"SMTP_USE_TLS": True, "SMTP_USERNAME": USERNAME, "SMTP_PASSWORD": PASSWORD}
    with taking_mail(context) as mailbox:
        world = World(open_with, mailbox, SMTP_HOST="localhost", **login)
        path = f"transcripts/{world.recording()}/email"
        refused = world.ask(world.anna, "POST", path, {"email": "c@example.com"})
        assert (refused.status_code, "certificate" in refused.json()["detail"]) == (503, True)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert world.ask(world.anna, "POST", path, {"email": "c@example.com"}).status_code == 200
        assert mailbox.was_encrypted == [True]
        world.services.settings.SMTP_USERNAME = "somebody"
        wrong = world.ask(world.anna, "POST", path, {"email": "c@example.com"})
        assert "does not take SMTP_USERNAME and SMTP_PASSWORD" in wrong.json()["detail"]
