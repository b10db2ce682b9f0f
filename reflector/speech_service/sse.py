"""Write server-sent events (WHATWG HTML, section 9.2)."""

from __future__ import annotations

import json
from typing import Any

MEDIA_TYPE = "text/event-stream"
HEARTBEAT = ": still at work\n\n"


def event(data: dict[str, Any], name: str | None = None) -> str:
    """Return an event with `data` as JSON."""
    first = f"event: {name}\n" if name else ""
    return f"{first}data: {json.dumps(data, ensure_ascii=False)}\n\n"
