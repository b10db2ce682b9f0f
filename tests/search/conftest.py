"""Search gives the same answers on SQLite and PostgreSQL."""

from __future__ import annotations

from tests.backends import pytest_generate_tests

__all__ = ["pytest_generate_tests"]
