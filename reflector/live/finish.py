"""End a live recording: process its journal like an upload."""

from __future__ import annotations

import logging
from pathlib import Path

from filelock import Timeout

from reflector.db.engine import retry_on_disconnect
from reflector.db.models import Status, Transcript
from reflector.events.outbox import Outbox
from reflector.housekeeping import deletions
from reflector.live.journal import Journal
from reflector.pipeline.queue.dispatch import Dispatcher, nudge_ready
from reflector.pipeline.runs import take_recording
from reflector.services import Services
from reflector.storage.keys import live_key

log = logging.getLogger(__name__)

# How long a client whose connection broke may take to return to its recording
RETURN_SECONDS = 15.0


def finish(services: Services, dispatcher: Dispatcher, journal: Journal) -> None:
    """Hand the recording over and remove its journal, if it has ended.

    It has ended if it was stopped, or if nobody has written to it for a while. This is safe to
    repeat after a crash at any point.
    """
    try:
        with journal.lock.acquire(timeout=0):
            if not journal.folder.exists() or journal.is_being_written():
                return
            if not journal.is_stopped and journal.idle_seconds() < RETURN_SECONDS:
                return
            run = _hand_over(services, journal)
    except Timeout:
        return  # another process is handling it
    if run is not None:
        nudge_ready(services.db, dispatcher, journal.folder.name, run)


def _hand_over(services: Services, journal: Journal) -> int | None:
    transcript_id = journal.folder.name
    key = live_key(transcript_id)
    with services.db.read() as session:
        transcript = session.get(Transcript, transcript_id)
        other = transcript is not None and transcript.upload_key not in {None, key}
    if other:  # should not happen; keep the audio all the same
        kept = journal.set_aside()
        log.error("%s has a recording already; the second is kept in %s", transcript_id, kept)
        return None
    heard: Path | None = journal.join()
    if heard is not None:
        services.storage.adopt(heard, key)
    # After a crash between the two calls, the journal is empty and the storage has the recording
    there = heard is not None or services.storage.size(key) is not None
    run = retry_on_disconnect(lambda: _start(services, transcript_id, key if there else None))
    journal.discard()
    return run


def _start(services: Services, transcript_id: str, key: str | None) -> int | None:
    with services.db.write() as session:
        transcript = session.get(Transcript, transcript_id, with_for_update=True)
        if transcript is None:  # destroyed meanwhile, perhaps after its order to delete was done
            deletions.order(session, transcript_id)
            return None
        if transcript.upload_key is not None:
            return None  # committed before
        events = Outbox(services.bus, session, transcript)
        run = None
        if key is not None:
            run = take_recording(session, transcript, key, events)
        elif transcript.status == Status.RECORDING:
            events.status(Status.IDLE)
    return run
