"""Count rows."""

from __future__ import annotations

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session


def count(session: Session, *conditions: ColumnElement[bool]) -> int:
    """Return how many rows match; the conditions name the table."""
    return session.scalar(select(func.count()).where(*conditions)) or 0
