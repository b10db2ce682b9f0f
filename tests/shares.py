"""How two processes share out the tests between them: a plugin of pytest-xdist (`-p tests.shares`)."""

from __future__ import annotations

from typing import Any

import pytest
from coverage import Coverage
from xdist.scheduler import LoadFileScheduling


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FilesAndTree:
    return FilesAndTree(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Emulated machines begin, as they take longest. The booted tree comes late enough not to wait for their image;
    beside what they build, nothing else is built (`exclusive_lock`)."""
    items.sort(key=lambda item: "needs_image" not in item.keywords)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish() -> None:
    """Write what coverage.py measured, if it measures: xdist kills a process that takes more than ten seconds to end."""
    if measured := Coverage.current():
        measured.save()


class FilesAndTree(LoadFileScheduling):  # type: ignore[misc]
    """File by file to the process that is ready; all files of the booted tree to one, as its tests go on from each
    other."""

    def _split_scope(self, nodeid: str) -> str:
        return "booted tree" if "tests/boot/" in nodeid else str(super()._split_scope(nodeid))
