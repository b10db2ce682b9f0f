"""End a live recording: process its journal like an upload."""

from __future__ import annotations

import logging

from filelock import Timeout
from sqlalchemy.orm import Session

from reflector.db.engine import retry_on_disconnect
from reflector.db.models import Status, Transcript
from reflector.errors import Busy
from reflector.events.outbox import Outbox
from reflector.housekeeping import deletions
from reflector.live.journal import Journal
from reflector.pipeline.queue.dispatch import Dispatcher, nudge_ready
from reflector.pipeline.runs import is_active, start_run, steps_of, take_recording
from reflector.services import Services
from reflector.storage.keys import live_key

log = logging.getLogger(__name__)

# How long a client whose WebRTC connection broke may take to return to its recording
RETURN_SECONDS = 15.0
# A browser that streams keeps its recording, and may be away for long. After a while, what is here
# becomes a transcript; what still comes is added, and makes a new run of it.
STREAM_AWAY_SECONDS = 10 * 60.0
STREAM_KEPT_SECONDS = 7 * 24 * 3600.0


def finish(services: Services, dispatcher: Dispatcher, journal: Journal) -> None:
    """Hand the recording over and remove its journal, if it has ended.

    It has ended if it was stopped, or if nobody has written to it for a while. This is safe to
    repeat after a crash at any point.
    """
    try:
        with journal.lock.acquire(timeout=0):
            if not journal.folder.exists() or journal.is_being_written():
                return
            if not _is_due(journal):
                return
            run = _hand_over(services, journal)
    except Timeout:
        return  # another process is handling it
    if run is not None:
        nudge_ready(services.db, dispatcher, journal.folder.name, run)


def _is_due(journal: Journal) -> bool:
    if journal.is_stopped:
        return True
    if not journal.has_streams:
        return journal.idle_seconds() >= RETURN_SECONDS
    if journal.size() == journal.handed_over:
        return journal.idle_seconds() >= STREAM_KEPT_SECONDS
    return journal.idle_seconds() >= STREAM_AWAY_SECONDS


def _hand_over(services: Services, journal: Journal) -> int | None:
    transcript_id = journal.folder.name
    key, size = live_key(transcript_id), journal.size()
    with services.db.read() as session:
        transcript = session.get(Transcript, transcript_id)
        other = transcript is not None and _has_another(transcript, journal, size)
        if transcript is not None and not other:
            is_done = transcript.upload_version == _version(size) and not journal.is_stopped
            if is_done and journal.has_streams and journal.handed_over is None:
                journal.mark_handed_over(size)  # a crash came before that
                return None
            if _is_busy(session, transcript):
                return None  # with what came before: the rest is added when that is done
    if other:  # should not happen; keep the audio all the same
        kept = journal.set_aside()
        log.error("%s has a recording already; the second is kept in %s", transcript_id, kept)
        return None
    run = None
    if size != journal.handed_over:
        heard = journal.joined()
        if heard is not None:
            services.storage.adopt(heard, key)
        # After a crash between the two calls, the journal is empty and the storage has the recording
        there = heard is not None or services.storage.size(key) is not None
        run = retry_on_disconnect(
            lambda: _start(
                services,
                transcript_id,
                key if there else None,
                _version(size),
                journal.is_joined_in_tracks,
            )
        )
        if not there:
            journal.forget_stop()
    if journal.is_stopped or not journal.has_streams or size == journal.handed_over:
        _remove(journal)
    else:
        journal.mark_handed_over(size)
    return run


def _version(size: int) -> str:
    """Return the name of a recording of `size` bytes, which a crash does not change."""
    return f"live-{size}"


def _has_another(transcript: Transcript, journal: Journal, size: int) -> bool:
    """Return whether the transcript has a recording that this journal is no longer version of."""
    if transcript.upload_key is None:
        return False
    if transcript.upload_key != live_key(transcript.id):
        return True
    # Without the mark this is either what a crash has left after the run was started, or begun anew
    is_left = size == 0 or transcript.upload_version == _version(size)
    return journal.handed_over is None and not is_left


def _remove(journal: Journal) -> None:
    """Remove the journal; what was acknowledged and cannot be heard is set aside."""
    if journal.unreadable():
        kept = journal.set_aside()
        log.error("a part of a recording cannot be read as sound; it is kept in %s", kept)
    else:
        journal.discard()


def _is_busy(session: Session, transcript: Transcript) -> bool:
    return bool(transcript.last_run) and is_active(
        steps_of(session, transcript.id, transcript.last_run)
    )


def _start(
    services: Services, transcript_id: str, key: str | None, version: str, has_tracks: bool
) -> int | None:
    with services.db.write() as session:
        transcript = session.get(Transcript, transcript_id, with_for_update=True)
        if transcript is None:  # destroyed meanwhile, perhaps after its order to delete was done
            deletions.order(session, transcript_id)
            return None
        if transcript.upload_key is not None:
            return _start_again(services, session, transcript, version, has_tracks)
        events = Outbox(services.bus, session, transcript)
        run = None
        if key is not None:
            run = take_recording(session, transcript, key, events)
            transcript.upload_version, transcript.has_tracks = version, has_tracks
        elif transcript.status == Status.RECORDING:
            events.status(Status.IDLE)
    return run


def _start_again(
    services: Services, session: Session, transcript: Transcript, version: str, has_tracks: bool
) -> int | None:
    """Process a recording to which more was added; edits stay. None if that was done before."""
    if version in {transcript.upload_version, _version(0)}:
        return None
    if _is_busy(session, transcript):
        raise Busy("The recording is being processed; the rest of it is added after that.")
    transcript.upload_version, transcript.has_tracks = version, has_tracks
    run = start_run(session, transcript)
    Outbox(services.bus, session, transcript, run).status(Status.PROCESSING)
    return run
