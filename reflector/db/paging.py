"""Cut long lists into pages."""

from __future__ import annotations

# The largest number that the databases accept for a row count
MAX_PAGE = 10**9


def offset(page: int, size: int) -> int:
    """Return how many rows come before this page; pages count from 1."""
    return (min(page, MAX_PAGE) - 1) * size


def page_fields(page: int, size: int, total: int) -> dict[str, int]:
    """Return what a page says of its list, beside the items."""
    return {"total": total, "page": page, "size": size, "pages": -(-total // size)}
