"""Show the words of live recordings while they are spoken, and keep them line by line.

The words come from the journal, so a process that takes a recording over continues after the last
line that is kept.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from reflector.db.engine import is_disconnect
from reflector.db.models import Event, Status, Transcript
from reflector.errors import ModelUnavailable, ReflectorError
from reflector.events.bus import Message, transcript_channel
from reflector.events.names import EventName
from reflector.events.outbox import Outbox
from reflector.live import LOCKS
from reflector.live.lines import Line, Lines
from reflector.live.metrics import lag
from reflector.live.topics import LiveTopic, TopicFinder
from reflector.live.translation import LineTranslator
from reflector.pipeline.options import options_of, transcribe_options
from reflector.services import Services
from reflector.speech.engines import chosen_language
from reflector.transcript.topics import topic_view
from reflector.transcript.words import Word, plain_text

if TYPE_CHECKING:
    from reflector.live.sound import JournalSound
    from reflector.speech.streaming.engine import LiveTranscriber, LiveWords

log = logging.getLogger(__name__)

# New sound for one pass: a pass over less would change little
STEP_SECONDS = 0.6
RETRY_SECONDS = 5.0
CLOSE_SECONDS = 10.0
# Before a recording whose live text failed is tried again
FAILED_SECONDS = 60.0
# Viewers hear that the recording goes on although nobody speaks
STILL_SECONDS = 3.0
OFF = "none"
# Of the reference, while the language is not known
DEFAULT_LANGUAGE = "en"


class Captions:
    """The threads of this process that make live text: one for each recording."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads: dict[str, threading.Thread] = {}
        self._failed: dict[str, float] = {}

    def begin(self, transcript_id: str) -> None:
        """Follow a recording, unless that is done already or live text is turned off."""
        if self._services.settings.LIVE_ENGINE == OFF:
            return
        with self._lock:
            known = self._threads.get(transcript_id)
            if self._stop.is_set() or (known is not None and known.is_alive()):
                return
            if time.monotonic() - self._failed.get(transcript_id, -FAILED_SECONDS) < FAILED_SECONDS:
                return
            self._threads = {key: each for key, each in self._threads.items() if each.is_alive()}
            thread = threading.Thread(
                target=self._follow, args=(transcript_id,), name="live-text", daemon=True
            )
            self._threads[transcript_id] = thread
            thread.start()

    def _follow(self, transcript_id: str) -> None:
        locks = self._services.settings.live_dir / LOCKS
        locks.mkdir(parents=True, exist_ok=True)
        lock = FileLock(locks / f"{transcript_id}.text", thread_local=False)
        try:
            with lock.acquire(timeout=0):
                Follower(self._services, transcript_id, self._stop).run()
        except Timeout:
            return  # another process follows it
        except ModelUnavailable as error:
            self._failed[transcript_id] = time.monotonic()
            log.warning("%s has no live text: %s", transcript_id, error)
        except Exception:
            self._failed[transcript_id] = time.monotonic()
            log.exception("the live text of %s ended; the recording goes on", transcript_id)

    def close(self) -> None:
        self._stop.set()
        deadline = time.monotonic() + CLOSE_SECONDS
        for thread in list(self._threads.values()):
            thread.join(max(0.0, deadline - time.monotonic()))


class Follower:
    """Follow one recording from its journal to the viewers, until it ends."""

    def __init__(self, services: Services, transcript_id: str, stop: threading.Event) -> None:
        # Imports FFmpeg, so only when someone records
        from reflector.live.journal import Journal

        self._services, self._id, self._stop = services, transcript_id, stop
        self._journal = Journal(services.settings.live_dir / transcript_id)
        self._lines = Lines()
        self._unsaved: list[Line] = []
        self._translator: LineTranslator | None = None
        self._topics: TopicFinder | None = None
        # The result that was on show when lines were stored, 0 without one
        self._run = 0
        self._shown: dict[str, Any] = {}
        self._shown_at = 0.0

    def run(self) -> None:
        """Raises ModelUnavailable if there is no recogniser."""
        from reflector.live.sound import JournalSound

        kept = self._kept()
        if kept is None:
            return
        lines = [Line(**data["line"]) for data in kept if "line" in data]
        begun = lines[-1].end if lines else 0.0
        told = max((data["topic"]["end"] for data in kept if "topic" in data), default=0.0)
        engine = self._engine(begun)
        self._translator = self._line_translator()
        self._topics = self._topic_finder([line for line in lines if line.end > told])
        sound = JournalSound(self._journal, begun, self._stop)
        self._lines.track_of = sound.levels.track_of
        try:
            self._follow(engine, sound)
        finally:
            for beside in (self._translator, self._topics):
                if beside is not None:
                    beside.complete()
            lag.set(0)

    def _follow(self, engine: LiveTranscriber, sound: JournalSound) -> None:
        while not self._stop.is_set():
            samples = sound.take(STEP_SECONDS)
            if samples is not None:
                engine.add(samples)
            words = self._recognised(engine, is_end=samples is None)
            if words is None:
                break
            self._unsaved += self._lines.add(words.final, words.is_pause)
            language = engine.language or DEFAULT_LANGUAGE
            if not self._save(language):
                break
            if self._topics is not None:
                self._topics.add(words.final, language)
            self._show(words, engine)
            if samples is None:
                break

    def _engine(self, start: float) -> LiveTranscriber:
        from reflector.speech.streaming.registry import LIVE_ENGINES

        services = self._services
        with services.db.read() as session:
            options = options_of(session, session.get_one(Transcript, self._id))
        chosen = transcribe_options(options, services.settings)
        make = LIVE_ENGINES[services.settings.LIVE_ENGINE]
        services.settings.scratch_dir.mkdir(parents=True, exist_ok=True)
        return make(services.speech, chosen, services.settings.scratch_dir, start)

    def _line_translator(self) -> LineTranslator | None:
        """Return what translates the lines; None if nothing is to be translated."""
        with self._services.db.read() as session:
            target = chosen_language(session.get_one(Transcript, self._id).target_language)
        try:
            translator = self._services.translator if target else None
        except ReflectorError as error:
            log.warning("the live text of %s is not translated: %s", self._id, error)
            return None
        if translator is None or target is None:
            return None
        return LineTranslator(translator, target, self._keep_translation, self._stop)

    def _topic_finder(self, lines: list[Line]) -> TopicFinder | None:
        """Return what finds topics, first in `lines`; None if that is turned off."""
        if not self._services.settings.LIVE_TOPICS:
            return None
        try:
            words = [word for line in lines for word in line.words]
            return TopicFinder(self._services.analyst, self._keep_topic, self._stop, words)
        except ReflectorError as error:
            log.warning("the live text of %s has no topics: %s", self._id, error)
            return None

    def _keep_topic(self, topic: LiveTopic, words: Sequence[Word]) -> None:
        with self._services.db.write() as session:
            events = self._late_outbox(session)
            if events is None:
                return
            end = topic.timestamp + topic.duration
            shown = {"title": topic.title, "summary": topic.summary, "start": topic.timestamp}
            events.add(EventName.LIVE, {"topic": {**shown, "end": round(end, 2)}})
            if events.run == 0:  # beside a final text, it would count as one of its topics
                events.add(EventName.TOPIC, topic_view(topic, words))

    def _keep_translation(self, start: float, text: str, translation: str | None) -> None:
        with self._services.db.write() as session:
            events = self._late_outbox(session)
            if events is None:
                return
            events.add(EventName.TRANSCRIPT, {"text": text, "translation": translation})
            if translation is not None:
                translated = {"start": start, "text": translation}
                events.add(EventName.LIVE, {"translation": translated})

    def _recognised(self, engine: LiveTranscriber, is_end: bool) -> LiveWords | None:
        """Return what the engine hears; None if this process stops before it answers."""
        while not self._stop.is_set():
            try:
                return engine.recognise(is_end)
            except ModelUnavailable:
                raise
            except ReflectorError as error:
                log.warning("the live text of %s waits: %s", self._id, error)
                self._publish({"state": "waiting"})
                self._stop.wait(RETRY_SECONDS)
        return None

    def _kept(self) -> list[dict[str, Any]] | None:
        """Return the live text so far, of any process; None if the transcript is gone."""
        with self._services.db.read() as session:
            transcript = session.get(Transcript, self._id)
            if transcript is None:
                return None
            self._run = transcript.shown_run or 0
            return list(
                session.scalars(
                    select(Event.data)
                    .where(Event.transcript_id == self._id, Event.name == EventName.LIVE)
                    .order_by(Event.id)
                )
            )

    def _save(self, language: str) -> bool:
        """Store the lines that are complete. Return whether anybody still needs live text.

        While the database is away, they wait for the next time.
        """
        if not self._unsaved:
            return True
        try:
            with self._services.db.write() as session:
                events = self._outbox(session)
                if events is None:
                    return False
                self._run = events.run
                for line in self._unsaved:
                    if self._translator is None:
                        said = {"text": line.text, "translation": None}
                        events.add(EventName.TRANSCRIPT, said)
                    events.add(EventName.LIVE, {"line": vars(line)})
        except SQLAlchemyError as error:
            if not is_disconnect(error):
                raise
            log.warning("lines of the live text of %s wait to be stored: %s", self._id, error)
        else:
            for line in self._unsaved:
                if self._translator is not None:
                    self._translator.put(line.start, line.text, language)
            self._unsaved = []
        return True

    def _outbox(self, session: Session) -> Outbox | None:
        """Return where to store lines; None once the final text is there, or the transcript gone."""
        transcript = session.get(Transcript, self._id, with_for_update=True)
        is_over = self._journal.is_stopped or not self._journal.folder.exists()
        if transcript is None or (is_over and transcript.status in {Status.ENDED, Status.ERROR}):
            return None
        return Outbox(self._services.bus, session, transcript)

    def _late_outbox(self, session: Session) -> Outbox | None:
        """Return where to store what is found beside the lines; None once a result came meanwhile."""
        events = self._outbox(session)
        return events if events is not None and events.run == self._run else None

    def _show(self, words: LiveWords, engine: LiveTranscriber) -> None:
        lag.set(engine.waiting)
        running = {
            "final": plain_text(self._lines.words),
            "partial": plain_text(words.partial),
            "seconds": round(engine.heard, 1),
            "lag": round(engine.waiting, 1),
            "state": "listening",
        }
        now = time.monotonic()
        is_new = any(running[key] != self._shown.get(key) for key in ("final", "partial"))
        if is_new or now - self._shown_at > STILL_SECONDS:
            self._shown, self._shown_at = running, now
            self._publish(running)

    def _publish(self, running: dict[str, Any]) -> None:
        """Tell viewers what is not kept: the line that is being said."""
        channel = transcript_channel(self._id)
        self._services.bus.publish(channel, Message(EventName.LIVE, running))
