"""Transcripts as text."""

from __future__ import annotations

from reflector.transcript import formats
from reflector.transcript.words import Segment

PARTS = [
    Segment("Good morning.", 0.5, 1.25, 0),
    Segment("A <b> & a\nline", 4503.2, 4504.0, 1),
]
NAMES = {0: "Anna"}


def test_text_names_known_speakers_and_numbers_the_others() -> None:
    assert formats.text(PARTS[:1], NAMES) == "Anna: Good morning."
    assert formats.text(PARTS[:1], {}) == "Speaker 0: Good morning."


def test_minutes_are_not_wrapped_at_sixty() -> None:
    assert formats.text_timestamped(PARTS, NAMES).splitlines()[1].startswith("[75:03] Speaker 1: ")


def test_webvtt_escapes_markup_and_keeps_a_cue_on_one_line() -> None:
    cues = formats.webvtt(PARTS, NAMES).split("\n\n")
    assert cues[0] == "WEBVTT"
    assert cues[1] == "00:00:00.500 --> 00:00:01.250\n<v Anna>Good morning."
    assert cues[2] == "01:15:03.200 --> 01:15:04.000\n<v Speaker 1>A &lt;b&gt; &amp; a line\n"


def test_srt_numbers_cues_and_uses_commas() -> None:
    first = formats.srt(PARTS, NAMES).split("\n\n")[0]
    assert first == "1\n00:00:00,500 --> 00:00:01,250\nAnna: Good morning."


def test_clock_rounds_up_into_the_next_second() -> None:
    assert formats.clock(59.9996) == "00:01:00.000"


def test_name_of_nothing_but_spaces_is_a_number_in_the_readers_language() -> None:
    assert formats.shown_name({0: " \n"}, 0, "Sprecher {number}") == "Sprecher 1"
    assert formats.shown_name({0: "Anna\nB."}, 0, "Sprecher {number}") == "Anna B."
