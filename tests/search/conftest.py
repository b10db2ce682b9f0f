"""Search gives the same answers on SQLite and PostgreSQL."""

from __future__ import annotations

import pytest

from tests.conftest import EMBEDDED, SERVERS


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "open_with" in metafunc.fixturenames:
        metafunc.parametrize("open_with", [EMBEDDED, SERVERS], indirect=True, scope="function")
