"""Changes made to a tree: whole or not at all, and gone on with after whatever happened."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.configure.apply import exclusive_lock, execute
from appliance.configure.effects.machine import Machine
from appliance.configure.plan.changes import Change, KeepSecret, MakeSecret, RemoveFile, WriteFile
from appliance.configure.plan.view import digest
from appliance.errors import ApplianceError, ApplyError, BusyError
from appliance.machine.durable import write_durably
from appliance.machine.ledger import Ledger
from appliance.machine.state import read_state
from tests.appliance.planning import config_of, facts_of

ONE = WriteFile(step="x", reason="", path="/etc/one", text="1\n", restarts=("a.service",))
TWO = WriteFile(
    step="x", reason="", path="/etc/two", text="2\n", mode=0o600, restarts=("b.service",)
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "etc").mkdir()
    me = f"{os.getuid()}:{os.getgid()}"
    (tmp_path / "etc/passwd").write_text(f"root:x:{me}::/:/bin/sh\n")
    (tmp_path / "etc/group").write_text(f"root:x:{os.getgid()}:\n")
    return tmp_path


def machine(root: Path) -> Machine:
    return Machine(root, facts_of({"systemd": 252}), Ledger(root))


def test_files_are_written_with_their_modes_and_known_afterwards(root: Path) -> None:
    execute([ONE, TWO], machine(root))
    assert (root / "etc/one").read_text() == "1\n"
    assert (root / "etc/two").stat().st_mode & 0o777 == 0o600
    ledger = Ledger(root)
    assert ledger.written == {"/etc/one": [digest("1\n")], "/etc/two": [digest("2\n")]}
    assert ledger.waiting == {"a.service", "b.service"}
    assert sorted(path.name for path in (root / "etc").iterdir()) == [
        "group",
        "one",
        "passwd",
        "two",
    ]


def test_state_of_a_tree_has_what_was_written(root: Path) -> None:
    execute([ONE], machine(root))
    state = read_state(root, config_of({}))
    assert state.files["/etc/one"] == "1\n"
    assert state.waiting == {"a.service"}


def test_file_that_is_not_needed_is_removed_and_forgotten(root: Path) -> None:
    execute([ONE, RemoveFile(step="x", reason="", path="/etc/one", before="1\n")], machine(root))
    assert not (root / "etc/one").exists()
    assert Ledger(root).written == {}


@pytest.mark.parametrize("moment", ["before the file", "after the file"])
def test_run_cut_off_at_a_file_takes_neither_version_for_edited(
    root: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    execute([ONE], machine(root))
    write = write_durably

    def cut_off(path: Path, *arguments: object) -> None:
        if path.name == "one":
            if moment == "after the file":
                write(path, *arguments)  # type: ignore[arg-type]
            raise KeyboardInterrupt
        write(path, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("appliance.configure.effects.files.write_durably", cut_off)
    newer = WriteFile(step="x", reason="", path="/etc/one", text="new\n", before="1\n")
    with pytest.raises(ApplyError, match="Stopped at “change /etc/one”"):
        execute([newer, TWO], machine(root))
    there = (root / "etc/one").read_text()
    assert there == ("new\n" if moment == "after the file" else "1\n")
    assert digest(there) in Ledger(root).written["/etc/one"]
    assert not (root / "etc/two").exists()
    assert [p.name for p in (root / "etc").iterdir() if p.name.startswith(".")] == []


def test_secret_is_readable_by_root_alone_and_stays(root: Path) -> None:
    changes: list[Change] = [
        MakeSecret(step="x", reason="", name="SECRET_KEY", restarts=("a.service",)),
        KeepSecret(step="x", reason="", name="LLM_API_KEY", value="sk-1"),
    ]
    execute(changes, machine(root))
    kept = root / "etc/reflector/credentials"
    assert kept.stat().st_mode & 0o777 == 0o700
    assert len((kept / "SECRET_KEY").read_text()) == 64
    assert (kept / "LLM_API_KEY").read_text() == "sk-1"
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in kept.iterdir())
    assert read_state(root, config_of({})).credentials == {"SECRET_KEY", "LLM_API_KEY"}
    assert "sk-1" not in repr(changes) + str([change.as_json() for change in changes])


def test_second_run_at_the_same_time_is_refused(root: Path) -> None:
    with (
        exclusive_lock(root),
        pytest.raises(BusyError, match="Another `appliance`"),
        exclusive_lock(root),
    ):
        pass
    with exclusive_lock(root):
        pass


@pytest.fixture
def read_only(root: Path) -> Iterator[Path]:
    """/etc of the tree on a file system that cannot be written."""
    if os.geteuid():
        pytest.skip("mounting needs root")
    etc = root / "etc"
    subprocess.run(["mount", "--bind", str(etc), str(etc)], check=True)
    subprocess.run(["mount", "-o", "remount,ro,bind", str(etc)], check=True)
    yield root
    subprocess.run(["umount", str(etc)], check=True)


def test_etc_that_cannot_be_written_is_said(read_only: Path) -> None:
    with pytest.raises(
        ApplyError, match=r"/etc/one cannot be written: Read-only file system"
    ) as failed:
        execute([ONE], machine(read_only))
    assert failed.value.hint


@pytest.fixture
def full(root: Path) -> Iterator[Path]:
    if os.geteuid():
        pytest.skip("mounting needs root")
    etc = root / "etc"
    users = {name: (etc / name).read_text() for name in ("passwd", "group")}
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(etc)], check=True)
    for name, text in users.items():
        (etc / name).write_text(text)
    yield root
    subprocess.run(["umount", str(etc)], check=True)


def test_full_disk_leaves_no_half_file(full: Path) -> None:
    (full / "etc/one").write_text("as it was\n")
    large = WriteFile(
        step="x", reason="", path="/etc/one", text="x" * 200_000, before="as it was\n"
    )
    with pytest.raises(ApplyError, match="No space left on device"):
        execute([large], machine(full))
    assert (full / "etc/one").read_text() == "as it was\n"
    assert sorted(path.name for path in (full / "etc").iterdir()) == ["group", "one", "passwd"]


def test_damaged_ledger_is_said(root: Path) -> None:
    file = root / "var/lib/reflector-appliance/ledger.json"
    file.parent.mkdir(parents=True)
    file.write_text("{")
    with pytest.raises(ApplianceError, match=r"ledger\.json is damaged"):
        Ledger(root)
