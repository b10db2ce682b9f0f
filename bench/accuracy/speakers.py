"""Measure how well turns and words get the right speakers, on recordings with known ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import permutations
from pathlib import Path
from typing import Any

from bench.accuracy.recordings import AUDIO, Samples, load, telephone_call
from bench.accuracy.ways import plain
from reflector.transcript.assembly import Turn
from reflector.transcript.words import Word


@dataclass
class TurnErrors:
    """Seconds of speech that were missed, invented, or given to another speaker, of `total`.

    Speech of several people at once counts for each of them. The ends of turns have no tolerance
    (pyannote.metrics without a collar).
    """

    total: float = 0.0
    missed: float = 0.0
    false_alarm: float = 0.0
    confused: float = 0.0

    @property
    def rate(self) -> float:
        """The diarization error rate."""
        return (self.missed + self.false_alarm + self.confused) / self.total

    def percent(self) -> dict[str, float]:
        parts = {"missed": self.missed, "false alarm": self.false_alarm, "confused": self.confused}
        shares = {name: round(100 * seconds / self.total, 1) for name, seconds in parts.items()}
        return {**shares, "rate": round(100 * self.rate, 1)}

    def add(self, reference: Sequence[Turn], found: Sequence[Turn], seconds: float) -> None:
        from pyannote.core import Segment, Timeline
        from pyannote.metrics.diarization import DiarizationErrorRate

        rate = DiarizationErrorRate()
        whole = Timeline([Segment(0, seconds)])
        parts = rate(_annotation(reference), _annotation(found), uem=whole, detailed=True)
        self.total += parts["total"]
        self.missed += parts["missed detection"]
        self.false_alarm += parts["false alarm"]
        self.confused += parts["confusion"]


def _annotation(turns: Iterable[Turn]) -> Any:
    from pyannote.core import Annotation, Segment

    found = Annotation()
    for number, turn in enumerate(turns):
        found[Segment(turn.start, turn.end), number] = turn.speaker
    return found


def conversations() -> dict[str, tuple[Samples, list[Turn]]]:
    """Return recordings with the turns of all speakers, by name."""
    samples, _, rttm = telephone_call()
    found = {"telephone call": (samples, read_rttm(rttm)["sample"])}
    for name, turns in read_rttm(AUDIO / "ami.rttm").items():
        found[name] = (load(AUDIO / f"{name}.flac"), turns)
    return found


def read_rttm(path: Path) -> dict[str, list[Turn]]:
    """Return turns by recording. Speakers are numbered in order.

    The format is RTTM (NIST, "RT-09 Evaluation Plan").
    """
    found: dict[str, list[Turn]] = defaultdict(list)
    numbers: dict[tuple[str, str], int] = {}
    for line in path.read_text().splitlines():
        _, name, _, start, seconds, _, _, speaker, *_ = line.split()
        number = numbers.setdefault((name, speaker), len(numbers))
        found[name].append(Turn(float(start), float(start) + float(seconds), number))
    return dict(found)


def words_of_the_call(path: Path) -> list[tuple[str, str]]:
    """Return each word of the telephone call with its speaker, from the STM file."""
    lines = [line.split(None, 5) for line in path.with_name("sample.stm").read_text().splitlines()]
    return [(word, line[2]) for line in lines if len(line) == 6 for word in plain(line[5]).split()]


def with_the_right_speaker(
    words: Sequence[Word], said: Sequence[tuple[str, str]]
) -> tuple[int, int]:
    """Return how many correctly heard words have the right speaker, and how many there are."""
    heard = [plain(word.text) for word in words]
    blocks = SequenceMatcher(None, [word for word, _ in said], heard, autojunk=False)
    pairs = [
        (said[block.a + place][1], words[block.b + place].speaker)
        for block in blocks.get_matching_blocks()
        for place in range(block.size)
    ]
    people = sorted({person for _, person in said})
    numbers = [*{speaker for _, speaker in pairs}, *range(-len(people), 0)]
    best = max(
        sum(
            dict(zip(chosen, people, strict=True)).get(number) == person for person, number in pairs
        )
        for chosen in permutations(numbers, len(people))
    )
    return best, len(pairs)
