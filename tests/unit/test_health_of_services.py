"""What a speech service says of itself where it is not ready."""

from __future__ import annotations

import httpx2
import pytest

from reflector.runtime.health import _notices

URL = "http://speech.example.org:8000"


def test_reason_of_the_service_is_passed_on() -> None:
    answer = httpx2.Response(503, json={"notices": ["small cannot be had.", "No network."]})
    assert _notices(answer, URL) == "small cannot be had. No network."


@pytest.mark.parametrize("body", ["<html>Bad gateway</html>", "", '"text"', "[]", '{"a": 1}'])
def test_page_of_a_proxy_does_not_end_the_check(body: str) -> None:
    """It made a 500 of /health/ready."""
    assert _notices(httpx2.Response(503, text=body), URL) == f"{URL} is not ready: it answers 503."
