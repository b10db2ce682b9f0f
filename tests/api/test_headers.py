"""Headers of answers: no answer is taken for what it is not."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from reflector.web.static_files import PREFIX


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html; charset=utf-8"), (f"{PREFIX}/dom.js", "text/javascript; charset=utf-8"),
        (f"{PREFIX}/style.css", "text/css; charset=utf-8"), ("/v1/transcripts", "application/json"),
        ("/v1/transcripts/nothing", "application/json"), ("/v1/nothing", "application/json"),
        ("/static/", "application/json"),
    ],
)  # fmt: skip
def test_answers_are_not_taken_for_pages(client: TestClient, path: str, kind: str) -> None:
    answer = client.get(path)
    assert answer.headers["content-type"] == kind
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    policy = answer.headers.get("content-security-policy", "")
    if path == "/":
        for part in ("object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
            assert part in policy
    elif not path.startswith("/static/"):
        assert policy == "default-src 'none'; frame-ancestors 'none'"
    if not path.startswith("/static/") and answer.status_code == 200:
        assert answer.headers["cache-control"] == "no-store"


def test_trace_is_not_answered(client: TestClient) -> None:
    assert client.request("TRACE", "/v1/transcripts").status_code == 405
