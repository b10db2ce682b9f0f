"""Hold this process's live recordings, and end those whose process is gone."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from reflector.db.engine import is_disconnect
from reflector.errors import Busy, ReflectorError
from reflector.live import RESERVED
from reflector.live.captions import Captions
from reflector.live.metrics import sessions
from reflector.pipeline.queue.dispatch import Dispatcher
from reflector.services import Services

# Import aiortc and FFmpeg only when someone records
if TYPE_CHECKING:
    from collections.abc import Callable

    from reflector.live.journal import Journal
    from reflector.live.peer import Peer

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
# Of one recorder: tabs that share it, and dead ones
MOST_CONNECTIONS = 8


class LiveRecordings:
    """Live recordings: `begin` starts one; `run` ends them, until it is cancelled."""

    def __init__(self, services: Services, dispatcher: Dispatcher) -> None:
        self._services, self._dispatcher = services, dispatcher
        self._folder = services.settings.live_dir
        self._peers: set[Peer] = set()
        # Connections of each recorder, by transcript and the client's name for it
        self._streams: Counter[tuple[str, str]] = Counter()
        self._ended = asyncio.Event()
        self._captions = Captions(services)

    async def begin(self, transcript_id: str, sdp: str, admit: Callable[[], None]) -> str:
        """Return the answer to an offer, and record its audio.

        `admit` marks the transcript as being recorded, or raises. The journal exists by then, so
        that the mark is removed even after a crash. Raises Busy if too many recordings are running.
        """
        from reflector.live import addresses
        from reflector.live.journal import Journal
        from reflector.live.peer import Peer

        settings = self._services.settings
        self._admit()
        addresses.use_ports(settings.webrtc_ports)
        journal = Journal(self._folder / transcript_id)
        peer = Peer(journal, self._peer_ended)
        self._peers.add(peer)
        try:
            answer = await peer.answer(sdp)
            if settings.WEBRTC_HOST:
                answer = await asyncio.to_thread(addresses.with_host, answer, settings.WEBRTC_HOST)
            peer.record(await asyncio.to_thread(journal.begin_segment))
            await asyncio.to_thread(admit)
        except BaseException:
            await peer.close()
            raise
        self._captions.begin(transcript_id)
        return answer

    @contextmanager
    def stream(self, transcript_id: str, key: str) -> Iterator[Journal]:
        """Hold a connection of the recorder `key`, and yield the journal for it.

        A recorder that comes back counts once: its dead connection is noticed after a minute only.
        Raises Busy if too many recordings are running.
        """
        from reflector.live.journal import Journal

        recorder = (transcript_id, key)
        count = self._streams[recorder]
        if count >= MOST_CONNECTIONS:
            raise Busy(
                "This recording is open too often. Close it in other tabs, or wait a minute."
            )
        if count == 0:
            self._admit()
        self._streams[recorder] += 1
        sessions.inc()
        try:
            yield Journal(self._folder / transcript_id)
        finally:
            self._streams -= Counter([recorder])
            sessions.dec()
            self._ended.set()

    def begin_captions(self, transcript_id: str) -> None:
        """Show what is said in this recording, from what is in its journal."""
        self._captions.begin(transcript_id)

    def _admit(self) -> None:
        most = self._services.settings.MAX_LIVE_RECORDINGS
        if len(self._peers) + len(self._streams) >= most:
            raise Busy(
                "{most} recordings are running already. Try again when one of them has ended.",
                most=most,
            )

    def _peer_ended(self, peer: Peer) -> None:
        self._peers.discard(peer)
        self._ended.set()

    async def run(self) -> None:
        while True:
            await asyncio.to_thread(self.finish_ended)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), LOOK_SECONDS)
            self._ended.clear()

    def finish_ended(self) -> None:
        """Hand over the recordings that have ended, including those of killed processes."""
        try:
            folders = self._journals()
        except OSError as error:
            log.warning("ended recordings cannot be looked for: %s", error)
            return
        for folder in folders:
            from reflector.live.finish import finish
            from reflector.live.journal import Journal

            try:
                finish(self._services, self._dispatcher, Journal(folder))
            except Exception as error:
                if is_disconnect(error) or isinstance(error, ReflectorError | OSError):
                    log.warning("the recording in %s waits to be handed over: %s", folder, error)
                else:
                    log.exception("the recording in %s was not handed over; again soon", folder)

    def _journals(self) -> list[Path]:
        if not self._folder.exists():
            return []
        return [path for path in self._folder.iterdir() if path.name not in RESERVED]

    async def close(self) -> None:
        """End all connections; a recording continues if its client returns, and ends otherwise."""
        await asyncio.gather(*(peer.close() for peer in list(self._peers)))
        await asyncio.to_thread(self._captions.close)
