"""Webhooks are the same embedded and on real servers."""

from __future__ import annotations

from tests.backends import pytest_generate_tests

__all__ = ["pytest_generate_tests"]
