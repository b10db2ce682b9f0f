"""Which versions there are, what became of them, and what is said of one that did not work."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.boot import entries, notices, start
from appliance.boot.entries import Entry, order, retire, revive
from appliance.boot.history import SILENT, History, Outcome
from appliance.boot.machine import Blessing, Running, image_version, running
from appliance.errors import ApplianceError

OLD, NEW = "0.1.0.202601010000", "0.1.0.202602010000"


@pytest.fixture
def esp(tmp_path: Path) -> Path:
    (tmp_path / entries.FOLDER).mkdir(parents=True)
    return tmp_path


def put(esp: Path, *names: str) -> list[Entry]:
    for name in names:
        (esp / entries.FOLDER / name).touch()
    return entries.entries(esp)


def test_entries_are_sorted_as_systemd_boot_does(esp: Path) -> None:
    found = put(
        esp,
        f"reflector_{OLD}.efi",
        f"reflector_{NEW}+0-3.efi",
        "reflector_0.0.9+2-1.efi",
        "other.efi",
    )
    assert [(e.version, e.tries_left) for e in found] == [(OLD, None), ("0.0.9", 2), (NEW, 0)]
    assert [e.has_failed for e in found] == [False, False, True]


def test_versions_are_compared_by_numbers() -> None:
    assert order("0.10.0") > order("0.9.1")
    assert order(f"{OLD}.1") > order(OLD)


def test_retired_entry_is_tried_no_more_and_revived_again(esp: Path) -> None:
    [entry] = put(esp, f"reflector_{OLD}.efi")
    retire(entry)
    [retired] = entries.entries(esp)
    assert retired.has_failed
    revive(retired, 3)
    assert entries.entries(esp)[0].tries_left == 3


def test_history_keeps_reasons_across_starts(tmp_path: Path) -> None:
    history = History(tmp_path)
    history.came(OLD, None)
    history.decide(OLD, Outcome.PROVEN)
    history.came(NEW, OLD)
    history.start_failed(NEW, "reflector-api.service failed: no such column")
    event = History(tmp_path).last()
    assert event
    assert (event.version, event.before, event.outcome) == (NEW, OLD, Outcome.WAITING)
    assert event.reason == "reflector-api.service failed: no such column"


def test_damaged_history_is_said_and_not_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "var/lib/reflector-appliance/versions.json"
    file.parent.mkdir(parents=True)
    file.write_text("{")
    with pytest.raises(ApplianceError, match="Move it away"):
        History(tmp_path).came(OLD, None)
    assert file.read_text() == "{"


def test_version_that_used_up_its_tries_is_judged_and_told(esp: Path, tmp_path: Path) -> None:
    history = History(tmp_path)
    history.came(NEW, OLD)
    history.start_failed(NEW, "the database does not answer.")
    known = put(esp, f"reflector_{OLD}.efi", f"reflector_{NEW}+0-3.efi")
    now = Running(OLD, Blessing.UNCOUNTED)
    event = history.last()
    assert event
    said: list[str] = []
    start.judge(event, now, history, known, said.append)
    assert said == [
        f"<3>{NEW} did not work: the database does not answer. This machine is back at {OLD}."
    ]
    assert notices.of(now, history) == [
        f"The update {NEW} did not work: the database does not answer. This machine went back to {OLD}."
    ]


def test_version_that_never_came_up_has_a_reason_too(tmp_path: Path) -> None:
    history = History(tmp_path)
    history.came(NEW, OLD)
    start.judge(history.last(), Running(OLD, Blessing.UNCOUNTED), history, [], print)  # type: ignore[arg-type]
    assert SILENT in notices.of(Running(OLD, Blessing.UNCOUNTED), history)[0]


def test_version_chosen_in_the_boot_menu_is_no_failure_of_the_other(
    esp: Path, tmp_path: Path
) -> None:
    history = History(tmp_path)
    history.came(NEW, OLD)
    known = put(esp, f"reflector_{OLD}.efi", f"reflector_{NEW}+2-1.efi")
    start.judge(history.last(), Running(OLD, Blessing.UNCOUNTED), history, known, print)  # type: ignore[arg-type]
    event = history.last()
    assert event
    assert event.outcome is Outcome.WAITING


def test_installed_machine_has_no_versions(tmp_path: Path) -> None:
    release = tmp_path / "usr/lib/os-release"
    release.parent.mkdir(parents=True)
    release.write_text('ID=debian\nVERSION_ID="13"\n')
    assert image_version(tmp_path) is None
    with pytest.raises(ApplianceError, match="was not installed from an image"):
        running(tmp_path)
    release.write_text(f'ID=debian\nIMAGE_ID=reflector\nIMAGE_VERSION="{NEW}"\n')
    assert running(tmp_path) == Running(NEW, Blessing.UNCOUNTED)
