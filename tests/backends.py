"""Run what opens services twice: embedded, and on PostgreSQL, Redis or Valkey, and S3.

A folder whose tests run so imports the hook in its `conftest.py`.
"""

from __future__ import annotations

import pytest

from tests.conftest import EMBEDDED, SERVERS


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    chosen = [m.args[0] for m in metafunc.definition.iter_markers("parametrize")]
    if "open_with" in metafunc.fixturenames and "open_with" not in chosen:
        metafunc.parametrize("open_with", [EMBEDDED, SERVERS], indirect=True, scope="function")
