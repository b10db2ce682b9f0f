"""A recording of a microphone and of shared sound: the final text knows which of them was heard."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.conftest import SAMPLE, reference
from tests.live.client import cut
from tests.live.streaming import RATE, echo_of, samples_of, sending, stereo_webm
from tests.live.test_webrtc import WORD_ERRORS, said
from tests.pipeline.test_way_of_a_file import normalised, spoken, words_of
from tests.server import Server
from tests.waiting import wait_until

SECONDS = 30.0
TURNS = reference(SAMPLE).turns
MINE = TURNS[::2]
# What loudspeakers play comes back this much later and quieter
ECHO_SECONDS, ECHO = 0.12, 0.15
CHANNELS = list[NDArray[np.int16]]


@pytest.fixture(scope="module")
def channels(tmp_path_factory: pytest.TempPathFactory) -> CHANNELS:
    """Every other sentence is in the microphone: each voice is in both tracks."""
    folder = tmp_path_factory.mktemp("tracks")
    both = samples_of(cut(SAMPLE, 0.0, SECONDS, folder / "speech.wav"))
    is_mine = np.zeros(len(both), bool)
    for start, end, _ in MINE:
        is_mine[int((start - 0.2) * RATE) : int((end + 0.2) * RATE)] = True
    return [np.where(is_mine, both, 0), np.where(is_mine, 0, both)]


def halves(channels: CHANNELS) -> list[CHANNELS]:
    middle = len(channels[0]) // 2
    return [[each[:middle] for each in channels], [each[middle:] for each in channels]]


def recorded(server: Server, content: list[bytes], tracks: list[int]) -> str:
    transcript_id = server.create(source_kind="live")
    for number, (piece, count) in enumerate(zip(content, tracks, strict=True)):
        with sending(server, transcript_id, key=f"part{number}", tracks=count) as sender:
            sender.send(piece)
            if number == len(content) - 1:
                sender.stop()
    server.wait_for_status(transcript_id, "ended")
    return transcript_id


def words_in(server: Server, transcript_id: str) -> list[Any]:
    steps = server.steps(transcript_id)
    assert {step["state"] for step in steps.values()} <= {"done"}, steps
    return words_of(server, transcript_id)


def check(server: Server, transcript_id: str) -> None:
    """Each word is there once, and no speaker is heard in both tracks."""
    words = words_in(server, transcript_id)
    heard = spoken(words)
    assert jiwer.wer(normalised(said(SECONDS)), normalised(heard)) < WORD_ERRORS, heard
    owners: dict[int, Counter[bool]] = {}
    for word in words:
        middle = (word["start"] + word["end"]) / 2
        turn = min(TURNS, key=lambda turn: max(turn[0] - middle, middle - turn[1]))
        owners.setdefault(word["speaker"], Counter())[turn in MINE] += 1
    wrong = sum(min(count[True], count[False]) for count in owners.values())
    assert len(owners) >= 2, owners
    assert wrong <= 1, owners


def test_final_text_tells_the_tracks_apart(
    server: Server, channels: CHANNELS, tmp_path: Path
) -> None:
    transcript_id = recorded(server, [stereo_webm(channels, tmp_path)], [2])
    check(server, transcript_id)
    assert not (server.data / "scratch" / transcript_id).exists()

    # Again, from a recording that has to be decoded anew, for one person and for as many as there are
    def again(**options: Any) -> None:
        run = server.run(transcript_id)["run"]
        path = f"/v1/transcripts/{transcript_id}"
        server.http.put(f"{path}/options", json=options).raise_for_status()
        server.http.post(f"{path}/process").raise_for_status()
        wait_until(lambda: server.run(transcript_id)["run"] == run + 1, "the next run")
        server.wait_for_status(transcript_id, "ended")

    again(max_speakers=1)
    assert {word["speaker"] for word in words_in(server, transcript_id)} == {0}
    again(vocabulary="Maria")
    check(server, transcript_id)


def test_what_loudspeakers_play_into_the_microphone_is_there_once(
    server: Server, channels: CHANNELS, tmp_path: Path
) -> None:
    mine, shared = channels
    heard = (mine + ECHO * echo_of(shared, ECHO_SECONDS)).astype(np.int16)
    check(server, recorded(server, [stereo_webm([heard, shared], tmp_path)], [2]))


def test_tracks_stay_apart_when_a_recorder_began_anew(
    server: Server, channels: CHANNELS, tmp_path: Path
) -> None:
    parts = [stereo_webm(half, tmp_path) for half in halves(channels)]
    check(server, recorded(server, parts, [2, 2]))


def test_parts_with_and_without_tracks_are_one_recording(
    server: Server, channels: CHANNELS, tmp_path: Path
) -> None:
    """What cannot be told apart everywhere is told apart by voices."""
    apart, (left, right) = halves(channels)
    both = (left.astype(np.int32) + right).astype(np.int16)
    parts = [stereo_webm(tracks, tmp_path) for tracks in (apart, [both, both])]
    heard = spoken(words_in(server, recorded(server, parts, [2, 1])))
    assert jiwer.wer(normalised(said(SECONDS)), normalised(heard)) < WORD_ERRORS, heard
