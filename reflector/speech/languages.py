"""Warn if the detected language of a recording is doubtful."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

# Below this probability, a person should check the detected language
CLOSE = 0.6
# Probability for one window. It is enough to warn, because words in the wrong language are worse
# than a needless warning. It is also enough for a window whose words are doubtful in the
# recording's language
LIKELY_LANGUAGE = 0.4
RUNNERS_UP = 2
MANY_SECONDS = 10.0
# One or two windows in a hundred are a greeting or a quotation
LEAST_SHARE = 0.02


@dataclass(frozen=True)
class Spoken:
    """The language of one window, and its probability."""

    language: str
    probability: float


def remarks(
    language: str,
    likely: Sequence[tuple[str, float]],
    spoken: Sequence[Spoken],
    without_words: float,
) -> list[str]:
    """Return warnings about other possible languages and languages spoken in between.

    `likely` are languages with their probabilities, the likeliest first; empty if the language was
    given. `without_words` is the seconds of speech that gave no words.
    """
    found = []
    if likely and likely[0][1] < CLOSE:
        others = ", ".join(
            f"{name} ({probability:.0%})" for name, probability in likely[1 : 1 + RUNNERS_UP]
        )
        found.append(
            f"The language was taken for {language} ({likely[0][1]:.0%}), but may be {others}. "
            "If it is another, choose it and process the recording again."
        )
    sure = Counter(each.language for each in spoken if each.probability >= LIKELY_LANGUAGE)
    for name, count in sure.most_common():
        if name != language and count / len(spoken) >= LEAST_SHARE:
            found.append(
                f"Besides {language}, {name} is spoken in about {count / len(spoken):.0%} of the "
                "recording; check the words there."
            )
    if without_words >= MANY_SECONDS:
        found.append(
            f"About {without_words:.0f} s of speech gave no words: they may be in another language "
            "than the rest, or too unclear."
        )
    return found
