"""A poor line to a server: slow, late, with packets that are lost, and cut when a test wants that.

A lost packet shows in TCP as a pause until it is sent again, and holds up all that comes after it.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from contextlib import suppress
from urllib.parse import urlsplit

from tests.live.client import Loop

PACKET = 1400
RESEND_SECONDS = 0.6


class Line:
    """`url` leads to `upstream`. Each way: `rate` bytes a second, `delay` seconds, and a share of
    `loss` of its packets is lost."""

    def __init__(self, upstream: str, rate: float, delay: float, loss: float) -> None:
        target = urlsplit(upstream)
        assert target.hostname
        self._target = (target.hostname, target.port or 80)
        self._rate, self._delay, self._loss = rate, delay, loss
        self._chance = random.Random(1)
        self._loop = Loop()
        self._writers: set[asyncio.StreamWriter] = set()
        self.url = f"http://127.0.0.1:{self._loop.do(self._listen())}"

    def close(self) -> None:
        self._loop.do(self._close())
        self._loop.close()

    def cut(self) -> None:
        """Break all connections in the middle of what they carry."""
        self._loop.do(self._break())

    async def _break(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _listen(self) -> int:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0, limit=PACKET)
        return int(self._server.sockets[0].getsockname()[1])

    async def _close(self) -> None:
        self._server.close()
        await self._break()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.CancelledError):
            there, back = await asyncio.open_connection(*self._target, limit=PACKET)
            ends = {writer, back}
            self._writers |= ends
            try:
                await asyncio.gather(self._one_way(reader, back), self._one_way(there, writer))
            finally:
                self._writers -= ends
                for end in ends:
                    end.transport.abort()

    async def _one_way(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        clock = asyncio.get_running_loop()
        under_way: deque[tuple[float, bytes]] = deque()
        arrived = asyncio.Event()
        carrying = asyncio.create_task(self._deliver(under_way, arrived, writer))
        try:
            while data := await reader.read(PACKET):
                await asyncio.sleep(len(data) / self._rate)
                lost = self._chance.random() < self._loss
                late = self._delay + (RESEND_SECONDS if lost else 0)
                under_way.append((clock.time() + late, data))
                arrived.set()
            under_way.append((clock.time() + self._delay, b""))
            arrived.set()
            await carrying
        finally:
            carrying.cancel()

    async def _deliver(
        self,
        under_way: deque[tuple[float, bytes]],
        arrived: asyncio.Event,
        writer: asyncio.StreamWriter,
    ) -> None:
        clock = asyncio.get_running_loop()
        while True:
            while not under_way:
                arrived.clear()
                await arrived.wait()
            due, data = under_way.popleft()
            await asyncio.sleep(due - clock.time())
            if not data:
                writer.close()
                return
            writer.write(data)
            await writer.drain()
