"""A recording is somebody else's file: it names no other file, no address, and no endless sound."""

from __future__ import annotations

import ast
import io
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
import pytest

from reflector.errors import InvalidInput
from reflector.media import decode as decoding
from reflector.media.decode import decode
from reflector.media.probe import DEMUXERS, probe
from reflector.media.tracks import mix, pad
from tests.odd_media import Sound, container, sine, wav

PACKAGE = Path(decoding.__file__).parents[1]
NEVER = {"hls", "concat", "dash", "sdp", "rtsp", "rtp", "lavfi", "image2", "tty", "ffmetadata"}


@pytest.fixture
def listener() -> Iterator[tuple[str, list[str]]]:
    """An address, and who connected to it."""
    callers: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        closing = threading.Event()

        def accept() -> None:
            while not closing.is_set():
                try:
                    connection, address = server.accept()
                except TimeoutError:
                    continue
                callers.append(str(address))
                connection.close()

        thread = threading.Thread(target=accept)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}", callers
        closing.set()
        thread.join()


def playlist(address: str) -> bytes:
    lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:10", "#EXTINF:10,", f"http://{address}/a.ts"]
    return "\n".join([*lines, "#EXT-X-ENDLIST", ""]).encode()


def hostile(address: str, secret: Path) -> dict[str, bytes]:
    sound = container("mp3", [Sound(sine(3.0), "libmp3lame")])
    host, port = address.split(":")
    return {
        "playlist.m3u8": playlist(address),
        "playlist-and-sound.mp3": playlist(address) + sound,
        "sound-and-playlist.mp3": sound + playlist(address),
        "file.m3u8": playlist(address).replace(f"http://{address}/a.ts".encode(), bytes(secret)),
        "concat.txt": f"ffconcat version 1.0\nfile '{secret}'\nfile 'http://{address}/b'\n".encode(),
        "session.sdp": f"v=0\no=- 0 0 IN IP4 {host}\ns=x\nc=IN IP4 {host}\nt=0 0\n"
        f"m=audio {port} RTP/AVP 0\n".encode(),
        "stream.mpd": f"<?xml version='1.0'?><MPD><BaseURL>http://{address}/</BaseURL></MPD>".encode(),
    }  # fmt: skip


@pytest.mark.parametrize("work", ["probe", "decode", "pad", "mix"])
def test_recording_makes_nobody_open_an_address_or_file(
    work: str, listener: tuple[str, list[str]], tmp_path: Path
) -> None:
    address, callers = listener
    secret = tmp_path / "secret.wav"
    secret.write_bytes(wav([sine(30.0)]))
    out = tmp_path / "out"
    works: dict[str, Callable[[Any], object]] = {
        "probe": probe,
        "decode": lambda source: decode(source, out),
        "pad": lambda source: pad(source, 0.0, out, lambda: None),
        "mix": lambda source: mix([(source, 0.0)], 16_000, out, lambda: None),
    }
    for name, content in hostile(address, secret).items():
        path = tmp_path / name
        path.write_bytes(content)
        with path.open("rb") as source:
            try:
                found = works[work](source)
            except InvalidInput:
                continue
            if work == "decode":
                assert isinstance(found, decoding.Decoded)
                assert found.duration < 10, f"{name} gave the sound of another file"
    assert callers == []


def test_name_of_a_file_does_not_decide_what_it_is(tmp_path: Path) -> None:
    """A playlist called .mp3 was an MP3 to the check of the upload, and a playlist to the worker."""
    content = playlist("127.0.0.1:1")
    for suffix in ("mp3", "m3u8", "wav", ""):
        with tempfile.NamedTemporaryFile(dir=tmp_path, suffix=f".{suffix}") as file:
            file.write(content)
            file.flush()
            for work in (probe, lambda source: decode(source, tmp_path / "x")):
                with pytest.raises(InvalidInput):
                    work(cast(BinaryIO, file))


def test_what_reads_other_files_is_not_allowed() -> None:
    assert not NEVER & set(DEMUXERS)


def test_media_is_opened_to_read_in_one_place_only() -> None:
    """But for `reflector record`, which reads a microphone or file that its own user names."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "av.open":
                mode = [*node.args[1:2], *(k.value for k in node.keywords if k.arg == "mode")]
                written = bool(mode) and ast.unparse(mode[0]) == "'w'"
                if not written:
                    found.add(str(path.relative_to(PACKAGE)))
    assert found == {"media/probe.py", "recorder/source.py"}


@pytest.mark.parametrize("rate", [1, 100, 3_999])
def test_rate_that_blows_up_a_small_file_is_refused(rate: int, tmp_path: Path) -> None:
    content = wav([sine(0.1)], header_rate=rate)
    for work in (probe, lambda source: decode(source, tmp_path / "x")):
        with pytest.raises(InvalidInput, match=f"at {rate} Hz"):
            work(io.BytesIO(content))


def test_hundred_channels_are_refused() -> None:
    with pytest.raises(InvalidInput, match="100 channels"):
        probe(io.BytesIO(wav([np.zeros(100, np.int16)] * 100)))


def test_hours_of_compressed_silence_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hours = np.zeros(3600 * 8000 * 3, np.int16)
    content = container("flac", [Sound(hours, "flac", 8000)])
    assert len(content) < 3_000_000
    monkeypatch.setattr(decoding, "MIN_BYTES_PER_SECOND", 500)
    with pytest.raises(InvalidInput, match="too long for its size"):
        decode(io.BytesIO(content), tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


def test_decoding_ends_before_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from reflector.errors import OutOfSpace

    monkeypatch.setattr(decoding, "RESERVE_BYTES", 1 << 60)
    monkeypatch.setattr(decoding, "RESERVE_SHARE", 1.0)
    monkeypatch.setattr(decoding, "REPORT_SECONDS", 0.0)
    with pytest.raises(OutOfSpace, match="no room"):
        decode(io.BytesIO(wav([sine(2.0)])), tmp_path / "x")
    assert list(tmp_path.iterdir()) == []
