"""Subtitles in any language: two lines, seven seconds, and no name or text that begins another cue."""

from __future__ import annotations

import pytest

from reflector.transcript import formats
from reflector.transcript.words import (
    CUE_CHARS,
    CUE_SECONDS,
    HARD_SEGMENT_CHARS,
    Segment,
    Word,
    cues,
    segments,
)

SPACED = {
    "Hindi": "आज हम परियोजना की समीक्षा करेंगे और अगले सप्ताह का बजट तय करेंगे।",
    "Arabic": "هل يمكننا بدء الاجتماع الآن؟ نعم، لنبدأ بمراجعة الميزانية ثم ننتقل إلى الجدول الزمني؟",
    "Urdu": "کیا ہم اجلاس شروع کر سکتے ہیں؟ جی ہاں۔ بجٹ کا جائزہ لیتے ہیں۔",
    "Amharic": "ዛሬ ስለ በጀቱ እንነጋገራለን። ከዚያም ስለ መርሐ ግብሩ።",
    "Armenian": "Այսօր կքննարկենք բյուջեն։ Հետո ժամանակացույցը։",
    "English without marks": "so today we will talk about the budget and then the schedule",
}
UNSPACED = {
    "Thai": "สวัสดีครับวันนี้เราจะประชุมเรื่องงบประมาณและกำหนดการของโครงการ",
    "Chinese": "今天我们开会讨论预算和项目进度",
    "Japanese": "それでは会議を始めます。本日の議題は予算です。",
    "Japanese without marks": "それでは会議を始めます本日の議題は予算です",
}


def said(text: str, times: int = 40) -> list[Word]:
    parts = [f" {part}" for part in text.split()] if " " in text else list(text)
    return [Word(part, 0.4 * i, 0.4 * i + 0.35) for i, part in enumerate(parts * times)]


@pytest.mark.parametrize("text", [*SPACED.values(), *UNSPACED.values()], ids=[*SPACED, *UNSPACED])
def test_cue_has_an_end_in_every_language(text: str) -> None:
    words = said(text)
    found = cues(words)
    assert max(len(cue.text) for cue in found) <= CUE_CHARS
    assert max(cue.end - cue.start for cue in found) <= CUE_SECONDS
    assert "".join(c.text.replace(" ", "") for c in found) == "".join(w.text.strip() for w in words)
    assert max(len(segment.text) for segment in segments(words)) <= HARD_SEGMENT_CHARS + 20


@pytest.mark.parametrize("language", ["Hindi", "Urdu", "Amharic", "Armenian"])
def test_segment_ends_with_a_sentence_of_its_script(language: str) -> None:
    found = segments(said(SPACED[language]))
    assert len(found) > 5
    assert all(segment.text[-1] in "।۔።։؟" for segment in found[:-1])


def test_cue_ends_at_a_pause_and_at_another_speaker() -> None:
    words = [Word(" one", 0, 0.4), Word(" two", 3, 3.4), Word(" three", 3.5, 3.9, speaker=1)]
    assert [cue.text for cue in cues(words)] == ["one", "two", "three"]


def test_lines_of_a_cue_fit_a_screen() -> None:
    shown = formats.srt(cues(said(SPACED["English without marks"])), {}).split("\n\n")
    for cue in shown:
        lines = cue.strip().split("\n")[2:]
        assert len(lines) <= 2
        assert max(map(len, lines)) <= 60  # with "Speaker 0: " before the first


NAME = "Anna\n\n2\n00:00:09,000 --> 00:00:10,000\nEve"
TEXT = "yes\r\n\r\n00:00:11.000 --> 00:00:12.000\n\x1b[31mno\u2028so"


@pytest.mark.parametrize("render", [formats.text, formats.text_timestamped])
def test_name_and_text_stay_on_their_line(render: object) -> None:
    assert callable(render)
    shown = str(render([Segment(TEXT, 0, 1, 0)], {0: NAME}))
    assert len(shown.splitlines()) == 1
    assert "\x1b" not in shown


@pytest.mark.parametrize("render", [formats.srt, formats.webvtt])
def test_name_and_text_begin_no_cue_of_their_own(render: object) -> None:
    assert callable(render)
    shown = str(render([Segment(TEXT, 0, 1, 0)], {0: NAME}))
    assert sum("-->" in line for line in shown.splitlines()) == 1
    assert "\n\n2\n" not in shown
