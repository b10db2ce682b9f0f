"""Store events with the change that they describe, and publish them after its commit."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from reflector.db import models
from reflector.db.engine import after_commit
from reflector.db.models import Status, Transcript
from reflector.events.bus import Bus, Message, transcript_channel, user_channel
from reflector.events.names import MIRRORED, EventName, UserEventName


class Outbox:
    """Collect the events of one transaction, and publish them after its commit.

    Events of a run that is not on show are stored but not published: until the run replaces the
    shown one, viewers see the old result.
    """

    def __init__(
        self, bus: Bus, session: Session, transcript: Transcript, run: int | None = None
    ) -> None:
        self._bus = bus
        self._session = session
        self._transcript = transcript
        self._run = transcript.shown_run if run is None else run
        self._stored: list[tuple[models.Event, bool]] = []
        after_commit(session, self._publish)

    @property
    def run(self) -> int:
        """The run whose events these are; 0 before the first one."""
        return self._run or 0

    def add(self, name: EventName, data: dict[str, Any]) -> None:
        event = models.Event(transcript_id=self._transcript.id, run=self.run, name=name, data=data)
        self._session.add(event)
        shown = name is EventName.STATUS or self._run == self._transcript.shown_run
        self._stored.append((event, shown))

    def status(self, status: Status) -> None:
        """Change the transcript's status and record the event, if the status differs."""
        if self._transcript.status != status:
            self._transcript.status = status
            self.add(EventName.STATUS, {"value": status.value})

    def _publish(self) -> None:
        channel = transcript_channel(self._transcript.id)
        for event, shown in self._stored:
            if shown:
                self._bus.publish(channel, Message(event.name, event.data, event.id))
                if mirrored := MIRRORED.get(EventName(event.name)):
                    _publish_to_owner(self._bus, self._transcript, mirrored, event.data)


def publish_changed(session: Session, bus: Bus, transcript_id: str) -> None:
    """Make viewers read the transcript again after the commit, if they still may."""
    channel = transcript_channel(transcript_id)
    after_commit(session, lambda: bus.publish(channel, Message(EventName.CHANGED, {})))


def tell_signed_out(bus: Bus, user_id: str) -> None:
    """Make viewers that use logins of this account prove their rights again."""
    bus.publish(user_channel(user_id), Message(UserEventName.SIGNED_OUT, {}))


def publish_to_user(
    session: Session, bus: Bus, transcript_id: str, user_id: str, name: UserEventName
) -> None:
    """Tell one account about a transcript after the commit."""
    message = Message(name, {"id": transcript_id})
    after_commit(session, lambda: bus.publish(user_channel(user_id), message))


def publish_to_owner(
    session: Session, bus: Bus, transcript: Transcript, name: UserEventName
) -> None:
    """Tell the owner of `transcript` after the commit."""
    after_commit(session, lambda: _publish_to_owner(bus, transcript, name, {}))


def _publish_to_owner(
    bus: Bus, transcript: Transcript, name: UserEventName, data: dict[str, Any]
) -> None:
    if transcript.user_id is not None:
        message = Message(name, {"id": transcript.id, **data})
        bus.publish(user_channel(transcript.user_id), message)
