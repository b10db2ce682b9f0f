"""Words are as large as a reader wants them, and stay so."""

from __future__ import annotations

from typing import Any

from tests.web.test_pages import browser, open_sample, page, pytestmark

__all__ = ["browser", "page", "pytestmark"]

SIZE = "parseFloat(getComputedStyle(document.querySelector('#words-text .word')).fontSize)"


def test_words_grow_and_are_as_large_the_next_time(page: Any, sample_id: str) -> None:
    open_sample(page, sample_id)
    sizes = [page.evaluate(SIZE)]
    for _ in range(5):
        page.click("#words [data-resize='1']")
        sizes.append(page.evaluate(SIZE))
    assert sizes[0] < sizes[1] < sizes[2] < sizes[3] == sizes[5]
    assert page.evaluate(SIZE.replace(".word", ".who")) < 20
    open_sample(page, sample_id)
    assert page.evaluate(SIZE) == sizes[5]
    for _ in range(6):
        page.click("#words [data-resize='-1']")
    assert page.evaluate(SIZE) < sizes[0]
    page.wait_for_function("() => document.documentElement.scrollWidth <= innerWidth")
