"""The files of the pages: kept by browsers for good, and never old ones beside new ones."""

from __future__ import annotations

from pathlib import Path

from reflector.web.static_files import PREFIX, STATIC, digest_of
from tests.server import Server


def test_files_are_kept_for_good_and_pages_are_not(server: Server) -> None:
    kept = server.http.get(f"{PREFIX}/dom.js").headers["cache-control"]
    assert "immutable" in kept
    assert server.http.get("/").headers["cache-control"] == "no-store"
    text = server.http.get("/").text
    assert f"{PREFIX}/index.js" in text
    assert f"{PREFIX}/style.css" in text


def test_files_of_another_version_are_not_there(server: Server) -> None:
    """An old page must not be given new modules; nor may a browser keep the refusal."""
    answer = server.http.get("/static/0123456789abcdef/dom.js")
    assert answer.status_code == 404
    assert "immutable" not in answer.headers.get("cache-control", "")


def test_address_changes_with_any_file(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text("1")
    before = digest_of(tmp_path)
    (tmp_path / "a.js").write_text("2")
    changed = digest_of(tmp_path)
    (tmp_path / "b.js").write_text("")
    assert len({before, changed, digest_of(tmp_path)}) == 3
    assert PREFIX.endswith(digest_of(STATIC))
