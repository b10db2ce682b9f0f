"""Cut long lists into pages."""

from __future__ import annotations

from typing import Any, TypeVar

from sqlalchemy import Select

# The largest number that the databases accept for a row count
MAX_PAGE = 10**9
Query = TypeVar("Query", bound=Select[Any])


def cut(query: Query, page: int, size: int) -> Query:
    """Return the query for the rows of this page; pages count from 1."""
    return query.limit(size).offset((min(page, MAX_PAGE) - 1) * size)


def page_fields(page: int, size: int, total: int) -> dict[str, int]:
    """Return what a page says of its list, beside the items."""
    return {"total": total, "page": page, "size": size, "pages": -(-total // size)}
