"""Two test processes do not boot two trees."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.boot.tree import ROOT
from tests.conftest import unexplained

TEST = """
import os, pathlib
from tests.waiting import wait_until

def test_it():
    pathlib.Path("{folder}/{name}").write_text(os.environ["PYTEST_XDIST_WORKER"])
    if "{name}" == "test_api":
        wait_until(pathlib.Path("{folder}/test_booted").exists, "the tree's first test")
"""


def test_files_of_the_booted_tree_go_to_one_process(tmp_path: Path) -> None:
    """The test of the API lasts until the other process has begun with the tree."""
    for file in ("api/test_api", "boot/test_booted", "boot/test_troubles", "boot/test_ways"):
        path = tmp_path / "tests" / f"{file}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(TEST.format(folder=tmp_path, name=path.stem))
    pytest = [sys.executable, "-m", "pytest", "-p", "tests.shares", "-n", "2"]
    arguments = ["--no-loadscope-reorder", "-c", "/dev/null", f"--rootdir={tmp_path}", "tests"]
    done = subprocess.run(
        [*pytest, *arguments],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout
    process = {file.stem: file.read_text() for file in tmp_path.glob("test_*")}
    assert len(process) == 4
    assert process["test_booted"] == process["test_troubles"] == process["test_ways"]
    assert process["test_api"] != process["test_booted"]


def test_skip_that_nobody_has_explained_fails_ci() -> None:
    assert unexplained(["Skipped: rclone is not installed"]) == ["rclone is not installed"]
    assert unexplained(["Skipped: pyannote.audio is not installed: no CPU build"]) == []
