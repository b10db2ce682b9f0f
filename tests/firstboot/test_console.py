"""What the console shows."""

from __future__ import annotations

import pytest

from appliance.firstboot.console import plain


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("storage: the disk is full", "storage: the disk is full"),
        ("evil \x1b[2J\x1b[H https://elsewhere", "evil ?[2J?[H https://elsewhere"),
        ("two\r\nlines \u202e txt", "two??lines ? txt"),
        (r"\l \d", "/l /d"),
        ("Zürich 会议", "Zürich 会议"),
    ],
)
def test_text_from_elsewhere_cannot_write_over_the_console(line: str, shown: str) -> None:
    assert plain(line) == shown
