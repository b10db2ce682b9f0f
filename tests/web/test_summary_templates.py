"""Summary templates on their page, in a tag, and when a recording is processed again."""

from __future__ import annotations

from typing import Any

from tests.server import Server
from tests.web.test_pages import browser, open_sample, page, pytestmark

__all__ = ["browser", "page", "pytestmark"]


def make(server: Server, name: str) -> str:
    body = {"name": name, "instructions": f"As {name} wants it."}
    return str(server.http.post("/v1/summary-templates", json=body).json()["id"])


def test_template_is_written_from_an_example_changed_and_removed(page: Any) -> None:
    page.goto("/")
    page.click("nav a:text('Templates')")
    page.click("[data-example=Interview]")
    assert "quote their words" in page.input_value("#template-instructions")
    page.fill("#template-name", "Job <b>interviews</b>")
    page.click("#template button:text('Save')")
    page.wait_for_selector("#list li:has-text('Job <b>interviews</b>')")
    page.click("[aria-label='Edit the template Job <b>interviews</b>']")
    page.fill("#template-instructions", "Only the questions.")
    page.click("#template button:text('Save')")
    page.wait_for_selector("#list li:has-text('Only the questions.')")
    page.click("[aria-label='Edit the template Job <b>interviews</b>']")
    page.click("#template-remove")
    page.wait_for_selector("#list li:has-text('Job <b>interviews</b>')", state="detached")


def test_tag_keeps_its_defaults(page: Any, server: Server) -> None:
    make(server, "Minutes")
    tag = server.http.post("/v1/tags", json={"name": "With defaults"}).json()["id"]
    page.goto(f"/transcripts/{server.create(name='tagged by default')}")
    page.click("#tags-open")
    edit = "[aria-label='Edit the tag With defaults']"
    page.click(edit)
    form = page.locator("#tags-list form")
    form.locator("summary").click()
    form.locator("label", has_text="Summary template").locator("select").select_option(
        label="Minutes"
    )
    form.locator("label", has_text="Language").locator("select").select_option(value="de")
    form.locator("input[type=number]").fill("90")
    form.locator("textarea").fill("Zyxel, Qualle")
    form.locator("button:text('Save')").click()
    page.wait_for_selector(edit)
    (found,) = [each for each in server.get("/v1/tags") if each["id"] == tag]
    assert (found["language"], found["retention_days"]) == ("de", 90)
    page.click(edit)
    form.locator("summary").click()
    assert form.locator("textarea").input_value() == "Zyxel, Qualle"
    form.locator("textarea").fill("")
    form.locator("input[type=number]").fill("0")
    form.locator("button:text('Save')").click()
    assert not form.locator("input[type=number]").evaluate("input => input.checkValidity()")
    form.locator("input[type=number]").fill("")
    form.locator("button:text('Save')").click()
    page.wait_for_selector(edit)
    (found,) = [each for each in server.get("/v1/tags") if each["id"] == tag]
    assert (found["vocabulary"], found["retention_days"]) == (None, None)


def test_recording_is_processed_again_with_options(
    page: Any, server: Server, sample_id: str
) -> None:
    make(server, "Decisions")
    tag = server.http.post("/v1/tags", json={"name": "Named", "vocabulary": "Qualle"}).json()["id"]
    path = f"/v1/transcripts/{sample_id}"
    server.http.put(f"{path}/tags/{tag}")
    open_sample(page, sample_id)
    page.click("#process")
    page.wait_for_selector("#process-tags:has-text('Words to expect: Qualle')")
    page.select_option("#process-template", label="Decisions")
    page.fill("#process-least", "3")
    page.fill("#process-most", "2")
    page.click("#process-keep")
    assert "at least" in page.evaluate("document.querySelector('#process-most').validationMessage")
    page.fill("#process-most", "3")
    page.click("#process-keep")
    page.wait_for_function("() => !document.querySelector('#process-again').open")
    own = server.get(f"{path}/options")["own"]
    assert (own["min_speakers"], own["max_speakers"]) == (3, 3)
    server.wait_for_status(sample_id, "ended")
    page.click("#process")
    page.wait_for_function("() => document.querySelector('#process-most').value === '3'")
    server.http.put(f"{path}/options", json={})
