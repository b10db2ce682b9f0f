"""Name the events of outgoing webhooks."""

from __future__ import annotations

from enum import StrEnum


class WebhookEvent(StrEnum):
    COMPLETED = "transcript.completed"
    FAILED = "transcript.failed"
    SHARED = "transcript.shared"
    DELETED = "transcript.deleted"
