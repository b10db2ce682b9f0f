"""Answers whose fields come from our own rows: written as JSON once, without being checked against
their model field by field, which for a list of fifty costs more than the query."""

from __future__ import annotations

from typing import Any

from fastapi.responses import Response
from pydantic_core import to_json


def as_json(body: Any) -> Response:
    return Response(to_json(body), media_type="application/json")
