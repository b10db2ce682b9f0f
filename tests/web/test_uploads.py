"""Uploads: they outlast networks, pages, tabs and lost answers, and say what they need."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.server import Server
from tests.waiting import wait_until
from tests.web.test_pages import browser, fresh, new_page, page, pytestmark

__all__ = ["browser", "page", "pytestmark"]


def test_file_that_was_chosen_before_the_script_was_there_is_uploaded(
    page: Any, tmp_path: Path
) -> None:
    held: list[Any] = []

    def hold(route: Any) -> None:
        held.append(route)

    page.route("**/static/*/index.js", hold)
    page.goto("/", wait_until="commit")
    page.wait_for_selector("#file", state="attached")
    page.set_input_files("#file", fresh(tmp_path))
    wait_until(lambda: held or page.wait_for_timeout(50), "the page asking for its script")
    held[0].continue_()
    page.wait_for_url("**/transcripts/*")


def test_dropped_file_is_uploaded(page: Any, tmp_path: Path) -> None:
    page.goto("/")
    content = list(Path(fresh(tmp_path)).read_bytes())
    data = page.evaluate_handle(
        """(bytes) => {
            const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(bytes)], "dropped.flac"));
            return data;
        }""",
        content,
    )
    page.dispatch_event("#drop", "drop", {"dataTransfer": data})
    page.wait_for_url("**/transcripts/*")
    page.wait_for_selector(".badge.ended")


def test_upload_outlasts_a_network_that_is_away(page: Any, tmp_path: Path) -> None:
    """It gave up after ten seconds, and left an empty transcript behind."""
    failures: list[str] = []
    page.on("requestfailed", lambda request: failures.append(request.url))
    page.goto("/")
    page.route("**/record/upload*", lambda route: route.abort("internetdisconnected"))
    page.set_input_files("#file", fresh(tmp_path))

    def tried_often() -> bool:
        page.wait_for_timeout(100)  # lets the browser's events in
        return sum("record/upload" in url for url in failures) >= 6

    wait_until(tried_often, "the upload is tried again and again")
    assert "The upload goes on by itself" in page.inner_text(".upload")
    page.unroute("**/record/upload*")
    page.evaluate("dispatchEvent(new Event('online'))")
    page.wait_for_url("**/transcripts/*")
    page.wait_for_selector(".badge.ended")


def test_upload_goes_on_where_the_server_asks_for_patience(page: Any, tmp_path: Path) -> None:
    """It paused (408), too many at once (429), being started anew (503)."""
    answers = [408, 429, 503]

    def refuse(route: Any) -> None:
        if answers:
            route.fulfill(status=answers.pop(0), json={"detail": "Not now."})
        else:
            route.continue_()

    page.goto("/")
    page.route("**/record/upload*", refuse)
    page.set_input_files("#file", fresh(tmp_path))
    page.wait_for_url("**/transcripts/*")
    page.wait_for_selector(".badge.ended")
    assert answers == []


def test_upload_that_was_refused_is_tried_again(page: Any, tmp_path: Path) -> None:
    page.goto("/")
    detail = {"detail": "This is too large."}
    page.route("**/record/upload?**", lambda route: route.fulfill(status=413, json=detail))
    page.set_input_files("#file", fresh(tmp_path))
    page.wait_for_selector(".upload.failed")
    assert "This is too large." in page.inner_text(".upload.failed")
    page.unroute("**/record/upload?**")
    page.click(".upload.failed button:text('Try again')")
    page.wait_for_url("**/transcripts/*")


def test_file_that_is_no_recording_says_why_and_leaves_nothing(page: Any, tmp_path: Path) -> None:
    bad = tmp_path / "notes.mp3"
    bad.write_text("just text " * 100)
    page.goto("/")
    page.wait_for_selector(".list li, #empty:not([hidden])")
    before = page.locator(".list li").count()
    page.set_input_files("#file", str(bad))
    page.wait_for_selector(".upload.failed")
    assert "cannot be read as audio" in page.inner_text(".upload.failed")
    page.click(".upload.failed button:text('Dismiss')")
    page.wait_for_selector(".upload.failed", state="detached")
    page.reload()
    page.wait_for_selector(".list li, #empty:not([hidden])")
    assert page.locator(".list li").count() == before


def offer(server: Server, tag: str, template: str) -> tuple[str, str]:
    """Make a tag and a summary template of these names; return their ids."""
    text = {"name": template, "instructions": "Decisions only."}
    made = [("/v1/tags", {"name": tag}), ("/v1/summary-templates", text)]
    first, second = (server.http.post(path, json=body).json()["id"] for path, body in made)
    return first, second


def choose(page: Any, tag: str, template: str, most: str) -> None:
    """Choose them for the next upload, and how many speak at most."""
    page.goto("/")
    page.click("#upload-more summary")
    page.locator("#upload-tags label", has_text=tag).click()
    page.select_option("#upload-template", label=template)
    page.fill("#upload-most", most)


def is_done(page: Any) -> None:
    page.wait_for_selector(".upload", state="detached")


def recordings(server: Server) -> list[Any]:
    found: list[Any] = server.get("/v1/transcripts", size=100)["items"]
    return found


def test_upload_goes_on_on_other_pages_and_after_a_restart(
    page: Any, server: Server, tmp_path: Path
) -> None:
    """Navigating away ended it, and what was chosen was gone."""
    recording = fresh(tmp_path)
    page.goto("/")
    page.route("**/record/upload*", lambda route: route.abort("internetdisconnected"))
    page.set_input_files("#file", recording)
    page.wait_for_selector(".upload:has-text('goes on by itself')")
    page.goto("/trash")
    page.wait_for_selector("#uploading:not([hidden])")
    page.close()
    context = page.context
    other = new_page(context)
    other.goto("/trash")
    other.wait_for_selector("#uploading:not([hidden])")
    other.wait_for_selector("#uploading", state="hidden")
    name = Path(recording).stem
    (found,) = [each for each in recordings(server) if each["name"] == name]
    assert found["status"] != "idle"


def test_upload_belongs_to_one_tab_at_a_time(page: Any, server: Server, tmp_path: Path) -> None:
    """Two tabs would both create a transcript."""
    recording = fresh(tmp_path)
    held: list[Any] = []

    def hold(route: Any) -> None:
        held.append(route)

    page.context.route("**/record/upload*", hold)
    page.goto("/")
    page.set_input_files("#file", recording)
    wait_until(lambda: held or page.wait_for_timeout(50), "the tab sending")
    other = new_page(page.context)
    other.goto("/")
    other.wait_for_selector(".upload:has-text('another tab')")
    held[0].continue_()
    page.wait_for_url("**/transcripts/*")
    is_done(other)
    assert len(held) == 1
    assert len([each for each in recordings(server) if each["name"] == Path(recording).stem]) == 1


def test_answer_that_was_lost_costs_nothing(page: Any, server: Server, tmp_path: Path) -> None:
    """The server had it all; the page got "already in progress" at its next try, and destroyed it."""
    recording = fresh(tmp_path)
    sent: list[str] = []

    def lose(route: Any) -> None:
        if not sent:
            sent.append(route.fetch().text())
            route.abort("connectionreset")
        else:
            route.continue_()

    page.goto("/")
    page.route("**/record/upload*", lose)
    page.set_input_files("#file", recording)
    page.wait_for_url("**/transcripts/*")
    assert sent
    page.wait_for_selector(".badge.ended")


def test_same_recording_is_recognised(page: Any, server: Server, tmp_path: Path) -> None:
    recording = fresh(tmp_path)
    page.goto("/")
    page.set_input_files("#file", recording)
    page.wait_for_url("**/transcripts/*")
    first = page.url
    page.wait_for_selector(".badge.ended")
    page.goto("/")
    page.set_input_files("#file", recording)
    page.wait_for_selector(".upload:has-text('You have this recording already')")
    assert first.endswith(page.get_attribute(".upload a", "href"))
    page.click(".upload button:text('Dismiss')")
    is_done(page)
    page.set_input_files("#file", recording)
    page.click(".upload button:text('Upload it again')")
    page.wait_for_url("**/transcripts/*")
    assert page.url != first


def test_tags_and_options_are_there_before_the_work_begins(
    page: Any, server: Server, tmp_path: Path
) -> None:
    tag, template = offer(server, "Uploaded with", "Log")
    choose(page, "Uploaded with", "Log", "4")
    page.fill("#upload-vocabulary", "Zyxel")
    page.set_input_files("#file", fresh(tmp_path))
    page.wait_for_url("**/transcripts/*")
    found = page.url.rpartition("/")[2]
    assert server.get("/v1/tags/of", transcript=found) == {found: [tag]}
    own = server.get(f"/v1/transcripts/{found}/options")["own"]
    assert own == {
        "vocabulary": "Zyxel", "min_speakers": None, "max_speakers": 4,
        "summary_template_id": template,
    }  # fmt: skip


def test_wrong_options_are_said_before_anything_is_sent(page: Any, tmp_path: Path) -> None:
    page.goto("/")
    page.click("#upload-more summary")
    for least, most in (("5", "2"), ("0", ""), ("", "1.5")):
        page.fill("#upload-least", least)
        page.fill("#upload-most", most)
        page.set_input_files("#file", fresh(tmp_path))
        page.wait_for_selector("#upload-options input:focus")
        assert page.locator(".upload").count() == 0
        page.click("h1")


def test_tag_and_template_that_were_removed_meanwhile_stop_nothing(
    page: Any, server: Server, tmp_path: Path
) -> None:
    tag, template = offer(server, "Soon gone", "Soon gone")
    choose(page, "Soon gone", "Soon gone", "2")
    server.http.delete(f"/v1/tags/{tag}")
    server.http.delete(f"/v1/summary-templates/{template}")
    page.set_input_files("#file", fresh(tmp_path))
    page.wait_for_url("**/transcripts/*")
    found = page.url.rpartition("/")[2]
    assert server.get(f"/v1/transcripts/{found}/options")["own"]["max_speakers"] == 2


def test_session_that_ended_pauses_the_upload(page: Any, tmp_path: Path) -> None:
    answers = [401]

    def refuse(route: Any) -> None:
        if answers:
            route.fulfill(status=answers.pop(), json={"detail": "Not authenticated"})
        else:
            route.continue_()

    page.goto("/")
    page.route("**/record/upload*", refuse)
    page.set_input_files("#file", fresh(tmp_path))
    page.wait_for_url("**/transcripts/*")
    page.wait_for_selector(".badge.ended")


def test_upload_is_dismissed_while_the_network_is_away(
    page: Any, server: Server, tmp_path: Path
) -> None:
    """It could not be, and held up all that came after it."""
    first, second = (fresh(tmp_path) for _ in range(2))
    page.goto("/")
    page.route("**/record/upload*", lambda route: route.abort("internetdisconnected"))
    page.set_input_files("#file", [first, second])
    page.wait_for_selector(".upload:has-text('goes on by itself')")
    page.locator(".upload").first.locator("button:text('Dismiss')").click()
    page.wait_for_function("() => document.querySelectorAll('.upload').length === 1")
    page.unroute("**/record/upload*")
    page.evaluate("dispatchEvent(new Event('online'))")
    is_done(page)
    wait_until(
        lambda: [each["name"] for each in recordings(server)].count(Path(first).stem) == 0,
        "nothing of the dismissed one",
    )
    assert Path(second).stem in [each["name"] for each in recordings(server)]


def test_file_that_went_away_is_said_and_holds_up_nothing(page: Any, tmp_path: Path) -> None:
    page.goto("/")
    page.evaluate(
        """() => {
            const broken = () => Promise.reject(new DOMException("gone", "NotFoundError"));
            const slice = Blob.prototype.slice;
            Blob.prototype.slice = function (...given) {
                return window.isGone ? { arrayBuffer: broken } : slice.apply(this, given);
            };
        }"""
    )
    page.route("**/v1/transcripts/same*", lambda route: route.continue_())
    page.evaluate("window.isGone = true")
    page.set_input_files("#file", fresh(tmp_path))
    page.wait_for_selector(".upload.failed:has-text('cannot be read any more')")


def test_recording_is_not_uploaded_for_somebody_else(
    page: Any, server: Server, tmp_path: Path
) -> None:
    """Somebody else has logged in in another tab meanwhile."""
    page.goto("/")
    other = {"sub": "somebody-else", "email": "ben@example.org"}
    page.route("**/v1/me", lambda route: route.fulfill(json=other))
    recording = fresh(tmp_path)
    page.set_input_files("#file", recording)
    page.wait_for_selector(".upload:has-text('session has ended')")
    assert Path(recording).stem not in [each["name"] for each in recordings(server)]
