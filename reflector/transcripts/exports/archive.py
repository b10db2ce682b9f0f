"""Stream a zip, with memory independent of the recording's size."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import RawIOBase


@dataclass(frozen=True)
class Entry:
    """A file in the zip. Text is `compressed`; audio is compressed already."""

    name: str
    pieces: Iterable[bytes]
    compressed: bool = False


class _Sink(RawIOBase):
    """Collect what the zip writer writes until `taken` fetches it; not seekable."""

    def __init__(self) -> None:
        self._waiting: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        piece = bytes(memoryview(data))  # type: ignore[arg-type]
        self._waiting.append(piece)
        return len(piece)

    def taken(self) -> bytes:
        waiting, self._waiting = b"".join(self._waiting), []
        return waiting


def zipped(entries: Iterable[Entry]) -> Iterator[bytes]:
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", allowZip64=True) as archive:
        for entry in entries:
            info = zipfile.ZipInfo(entry.name)
            info.compress_type = zipfile.ZIP_DEFLATED if entry.compressed else zipfile.ZIP_STORED
            with archive.open(info, "w", force_zip64=True) as out:
                for piece in entry.pieces:
                    out.write(piece)
                    if ready := sink.taken():
                        yield ready
    yield sink.taken()
