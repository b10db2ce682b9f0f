"""The live text of a recording: seen while it is spoken, by whoever comes, until the final text."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import jiwer
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from reflector.live.lines import Line, Lines
from reflector.transcript.words import Word
from tests.conftest import HELD_OUT, SAMPLE
from tests.doubles.language_server import language_server
from tests.live.client import cut, speaking
from tests.live.streaming import samples_of, sending, stereo_webm, webm
from tests.live.test_webrtc import said
from tests.pipeline.test_translation import TARGET, add_model, backwards
from tests.pipeline.test_way_of_a_file import normalised, words_of
from tests.server import WITHOUT_SPEAKERS, Server, running_server
from tests.waiting import wait_until

SECONDS = 16.0
VIEWERS = 10
WORD_ERRORS = 0.35


class Viewer:
    """Somebody who watches: the messages of the transcript, as they come."""

    def __init__(self, server: Server, transcript_id: str) -> None:
        self.messages: list[dict[str, Any]] = []
        path = f"/v1/transcripts/{transcript_id}/events"
        self._address = f"{server.url.replace('http', 'ws', 1)}{path}"
        self._over, self._connected = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        assert self._connected.wait(60)

    def _read(self) -> None:
        with suppress(ConnectionClosed), connect(self._address) as socket:
            self._connected.set()
            while not self._over.is_set():
                with suppress(TimeoutError):
                    self.messages.append(json.loads(socket.recv(timeout=0.2)))

    def of(self, name: str) -> list[dict[str, Any]]:
        return [message["data"] for message in list(self.messages) if message["event"] == name]

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [data["line"] for data in self.of("LIVE") if "line" in data]

    @property
    def text(self) -> str:
        return " ".join(line["text"] for line in self.lines)

    @property
    def topics(self) -> list[dict[str, Any]]:
        return [data["topic"] for data in self.of("LIVE") if "topic" in data]

    def close(self) -> None:
        self._over.set()
        self._thread.join(10)


@contextmanager
def watching(server: Server, transcript_id: str) -> Iterator[Viewer]:
    viewer = Viewer(server, transcript_id)
    try:
        yield viewer
    finally:
        viewer.close()


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("captions")
    return webm(cut(SAMPLE, 0.0, SECONDS, folder / "speech.wav"), folder)


def all_said(viewer: Viewer) -> bool:
    """All but the end, which may still be partial."""
    return bool(viewer.lines) and viewer.lines[-1]["end"] > SECONDS - 5.0


def test_viewers_read_along_and_late_ones_get_everything_so_far(
    server: Server, speech: bytes
) -> None:
    transcript_id = server.create(source_kind="live")
    with ExitStack() as stack:
        viewers = [stack.enter_context(watching(server, transcript_id)) for _ in range(VIEWERS)]
        early = viewers[0]
        sender = stack.enter_context(sending(server, transcript_id))
        sender.send(speech)
        wait_until(lambda: all_said(early), "live text")
        wait_until(
            lambda: all(viewer.lines[:2] == early.lines[:2] for viewer in viewers),
            "the same lines for everyone",
        )
        assert any(data.get("partial") for data in early.of("LIVE"))
        with watching(server, transcript_id) as late:
            wait_until(lambda: late.lines[:1] == early.lines[:1], "what was said before")
        sender.stop()
        server.wait_for_status(transcript_id, "ended")
        starts = [line["start"] for line in early.lines]
        assert starts == sorted(starts)
        # On a slow machine, the final text comes before the last live lines
        until = early.lines[-1]["end"]
        errors = jiwer.wer(normalised(said(until)), normalised(early.text))
        assert errors < WORD_ERRORS, early.text
        # Clients of the reference know these
        texts = [data["text"] for data in early.of("TRANSCRIPT")]
        assert texts[: len(early.lines)] == [line["text"] for line in early.lines]
    with watching(server, transcript_id) as after:
        wait_until(lambda: after.of("STATUS"), "the replay")
        assert after.lines == [], "the final text has taken their place"


def test_live_text_is_kept_beside_the_final_one_where_that_is_wanted(
    tmp_path: Path, speech: bytes
) -> None:
    with running_server(tmp_path, 0, LIVE_TEXT_DAYS="7", **WITHOUT_SPEAKERS) as server:
        transcript_id = server.create(source_kind="live")

        def kept() -> list[dict[str, Any]]:
            return list(server.get(f"/v1/transcripts/{transcript_id}/live-text"))

        with watching(server, transcript_id) as viewer:
            with sending(server, transcript_id) as sender:
                sender.send(speech)
                wait_until(lambda: all_said(viewer), "live text")
                lines = viewer.lines
                assert kept()[: len(lines)] == lines
                sender.stop()
            server.wait_for_status(transcript_id, "ended")
            lines = viewer.lines
        assert kept()[: len(lines)] == lines
        server.http.post(f"/v1/transcripts/{transcript_id}/process").raise_for_status()
        wait_until(lambda: server.run(transcript_id)["run"] == 2, "the second run")
        server.wait_for_status(transcript_id, "ended")
        assert kept()[: len(lines)] == lines
        with watching(server, transcript_id) as after:
            wait_until(lambda: after.of("STATUS"), "the replay")
            assert [after.of("LIVE"), after.of("LIVE_KEPT")] == [[], []]


def test_live_text_goes_on_where_a_killed_server_left_it(tmp_path: Path, speech: bytes) -> None:
    with running_server(tmp_path) as server:
        transcript_id = server.create(source_kind="live")
        with watching(server, transcript_id) as viewer, sending(server, transcript_id) as sender:
            sender.send(speech, until=len(speech) // 2)
            wait_until(lambda: viewer.lines, "the first line")
            server.kill()
            before = viewer.lines
    with (
        running_server(tmp_path) as server,
        watching(server, transcript_id) as viewer,
        sending(server, transcript_id) as sender,
    ):
        sender.send(speech)
        wait_until(lambda: all_said(viewer), "the rest")
        assert viewer.lines[: len(before)] == before
        starts = [line["start"] for line in viewer.lines]
        assert starts == sorted(set(starts))


def test_recording_over_webrtc_has_live_text(server: Server, tmp_path: Path) -> None:
    transcript_id = server.create(source_kind="live")
    part = cut(SAMPLE, 0.0, 10.0, tmp_path / "a.wav")
    with (
        watching(server, transcript_id) as viewer,
        speaking(server, transcript_id, part) as speaker,
    ):
        wait_until(lambda: viewer.lines, "the first line")
        speaker.send('{"cmd": "STOP"}')
        server.wait_for_status(transcript_id, "ended")


def test_speech_service_that_is_away_delays_the_text_and_not_the_recording(
    tmp_path: Path, speech: bytes
) -> None:
    away = "http://127.0.0.1:9"
    with running_server(tmp_path, TRANSCRIPT_BACKEND="modal", TRANSCRIPT_URL=away) as server:
        transcript_id = server.create(source_kind="live")
        with watching(server, transcript_id) as viewer, sending(server, transcript_id) as sender:
            waiting = {"state": "waiting"}
            sender.send(speech)
            wait_until(lambda: waiting in viewer.of("LIVE"), "the page says that text waits")
            assert sender.offset == len(speech)
    with (
        running_server(tmp_path) as server,
        watching(server, transcript_id) as viewer,
        sending(server, transcript_id) as sender,
    ):
        assert sender.offset == len(speech)
        wait_until(lambda: all_said(viewer), "the text follows")


def test_live_text_can_be_turned_off(tmp_path: Path, speech: bytes) -> None:
    with running_server(tmp_path, LIVE_ENGINE="none") as server:
        transcript_id = server.create(source_kind="live")
        with watching(server, transcript_id) as viewer, sending(server, transcript_id) as sender:
            sender.send(speech)
            sender.stop()
            server.wait_for_status(transcript_id, "ended")
            assert viewer.of("LIVE") == []


@pytest.mark.parametrize("has_model", [True, False])
def test_lines_are_translated_where_somebody_wants_that(tmp_path: Path, has_model: bool) -> None:
    """Without a model, they come untranslated."""
    settings = {"TRANSLATION_BACKEND": "ctranslate2", "SPEECH_COMPUTE_TYPE": "float32"}
    if has_model:
        add_model(tmp_path)
    content = webm(cut(HELD_OUT, 0.0, 12.0, tmp_path / "speech.wav"), tmp_path)
    with running_server(tmp_path, 0, **settings) as server:
        transcript_id = server.create(source_kind="live", target_language=TARGET)
        with watching(server, transcript_id) as viewer, sending(server, transcript_id) as sender:
            sender.send(content)
            wait_until(lambda: viewer.of("TRANSCRIPT"), "a line")
            first = viewer.of("TRANSCRIPT")[0]
            assert first["text"] == viewer.lines[0]["text"]
            if not has_model:
                assert first["translation"] is None
                return
            said = first["text"].strip(" .?!,").split()[-1]
            assert backwards(said) in first["translation"]

            def translations() -> list[dict[str, Any]]:
                return [data["translation"] for data in viewer.of("LIVE") if "translation" in data]

            found = wait_until(translations, "the translation of the line")
            assert found[0] == {"start": viewer.lines[0]["start"], "text": first["translation"]}


def said_words(text: str) -> list[Word]:
    return [Word(f" {each}", float(at), at + 0.8) for at, each in enumerate(text.split())]


def test_topics_form_while_the_meeting_runs(tmp_path: Path) -> None:
    second = cut(SAMPLE, 0.0, 70.0, tmp_path / "part.wav")
    # One is too short for a topic
    meetings = {"morning": webm(SAMPLE, tmp_path), "afternoon": webm(second, tmp_path)}
    with (
        language_server() as llm,
        running_server(tmp_path, LLM_URL=llm.url, LLM_API_KEY="x") as server,
    ):
        transcript_id = server.create(source_kind="live")
        with watching(server, transcript_id) as viewer:
            for key, content in meetings.items():
                with sending(server, transcript_id, key) as sender:
                    sender.send(content)
            wait_until(lambda: viewer.topics and viewer.of("TOPIC"), "a topic")
            assert llm.names() == ["TopicAnswer"], "nothing else is asked for before the end"
            (topic,) = viewer.topics
            assert topic["title"] == "The Budget Question"
            assert topic["end"] - topic["start"] > 100
            assert [each["title"] for each in viewer.of("TOPIC")] == [topic["title"]]
            with watching(server, transcript_id) as late:
                wait_until(lambda: late.topics == [topic], "the topic so far")
            with sending(server, transcript_id, "afternoon") as sender:
                sender.stop()
        server.wait_for_status(transcript_id, "ended")
        topics = server.get(f"/v1/transcripts/{transcript_id}/topics")
        assert topics
        with watching(server, transcript_id) as after:
            wait_until(lambda: len(after.of("TOPIC")) == len(topics), "those of the final text")
            assert after.topics == []


def test_lines_say_in_which_of_two_tracks_they_are_heard(server: Server, tmp_path: Path) -> None:
    """The first half is in the microphone, the second one in what is shared."""
    transcript_id = server.create(source_kind="live")
    with watching(server, transcript_id) as viewer:
        with sending(server, transcript_id, tracks=2) as sender:
            sender.send(two_tracks(cut(SAMPLE, 0.0, SECONDS, tmp_path / "speech.wav"), tmp_path))
            wait_until(lambda: all_said(viewer), "live text")
            sender.stop()
        halves = [
            {line["track"] for line in viewer.lines if (line["start"] < SECONDS / 2) is is_first}
            for is_first in (True, False)
        ]
        assert halves == [{"microphone"}, {"shared"}], viewer.lines
    server.wait_for_status(transcript_id, "ended")
    assert len(words_of(server, transcript_id)) > 20


def two_tracks(speech: Path, folder: Path) -> bytes:
    """What is said changes from the left channel to the right one in the middle."""
    left, right = samples_of(speech), samples_of(speech)
    left[len(left) // 2 :] = 0
    right[: len(right) // 2] = 0
    return stereo_webm([left, right], folder)


def test_words_change_the_line_with_the_track() -> None:
    lines = Lines(lambda start, _: "shared" if 2.0 <= start < 4.0 else None)
    lines.track = "microphone"
    found = lines.add(said_words("We think so but you said no to it"), True)
    assert [(line.text, line.track) for line in found] == [
        ("We think", "microphone"), ("so but you said no to it", "shared"),
    ]  # fmt: skip


def test_lines_end_with_sentences_pauses_and_before_they_are_too_long() -> None:
    lines = Lines()
    assert lines.add(said_words("Yes. We decided to approve it. Next is"), False) == [
        Line("Yes. We decided to approve it.", 0.0, 5.8)
    ]
    assert [line.text for line in lines.add([], True)] == ["Next is"]
    found = lines.add(said_words("word " * 100), False)
    assert len(found) > 1
    assert all(len(line.text) <= 250 for line in found)
    assert lines.add([], False) == []
