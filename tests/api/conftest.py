"""Every test of the API runs twice: embedded, and on PostgreSQL, Redis or Valkey, and S3."""

from __future__ import annotations

from tests.backends import pytest_generate_tests

__all__ = ["pytest_generate_tests"]
