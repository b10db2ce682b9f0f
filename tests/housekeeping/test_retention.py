"""A tag's retention: what is older goes to the trash, and nothing else does."""

from __future__ import annotations

from datetime import timedelta

from reflector.db.models import Status, Tag, Transcript, TranscriptTag, now
from reflector.housekeeping import trash
from reflector.services import Services
from tests.api.people import SECRET, make_person, make_transcript
from tests.conftest import OpenServices, client_of


def tag(services: Services, transcript_id: str, user_id: str | None, days: int | None) -> None:
    with services.db.write() as session:
        given = Tag(user_id=user_id, name="x", colour=0, retention_days=days)
        session.add(given)
        session.flush()
        session.add(TranscriptTag(transcript_id=transcript_id, tag_id=given.id))


def is_in_trash(services: Services, transcript_id: str) -> bool:
    with services.db.read() as session:
        return session.get_one(Transcript, transcript_id).deleted_at is not None


def test_only_what_is_older_than_its_owners_tag_allows_goes_to_the_trash(
    open_with: OpenServices,
) -> None:
    services = open_with(AUTH_BACKEND="password", SECRET_KEY=SECRET)
    owner = make_person(services, "anna@example.org")
    anna = owner.id
    ben = make_person(services, "ben@example.org").id
    created = now() - timedelta(days=40)

    def make(*tags: tuple[str, int | None]) -> str:
        made = make_transcript(
            services, user_id=anna, created_at=created, share_mode="semi-private"
        )
        for owner, days in tags:
            tag(services, made, owner, days)
        return made

    old, shortest = make((anna, 39)), make((anna, 365), (anna, 30))
    kept = [make(), make((anna, None)), make((anna, 41)), make((ben, 1))]
    assert trash.apply_retention(services) == 2
    assert is_in_trash(services, old)
    assert is_in_trash(services, shortest)
    assert not any(is_in_trash(services, each) for each in kept)
    assert trash.apply_retention(services) == 0
    client = client_of(services)
    restored = client.post(f"/v1/transcripts/{old}/restore", headers=owner.bearer)
    assert restored.status_code == 200
    assert trash.apply_retention(services) == 0
    assert not is_in_trash(services, old)


def test_without_accounts_everybodys_tags_count(open_with: OpenServices) -> None:
    services = open_with()
    old = make_transcript(services, created_at=now() - timedelta(days=2))
    tag(services, old, None, 1)
    assert trash.apply_retention(services) == 1


def test_what_is_being_processed_waits(open_with: OpenServices) -> None:
    services = open_with()
    busy = make_transcript(services, created_at=now() - timedelta(days=2), status=Status.PROCESSING)
    tag(services, busy, None, 1)
    assert trash.apply_retention(services) == 0
    assert not is_in_trash(services, busy)
