"""Schedule periodic jobs, only those that the settings ask for.

`CELERY_BEAT_POLL_INTERVAL` replaces the period of jobs that poll. Jobs at an hour of the day and
the heartbeat keep theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from celery.schedules import crontab

from reflector.runtime.settings import Settings

RETRY_DELETIONS = "reflector.retry_deletions"
CLEAN_UP_PUBLIC_DATA = "reflector.cleanup_old_public_data"
HEARTBEAT = "reflector.healthcheck_ping"
REMOVE_ENDED_SESSIONS = "reflector.remove_ended_sessions"
APPLY_RETENTION = "reflector.apply_retention"
SEND_WEBHOOKS = "reflector.send_webhooks"
SEND_MAIL = "reflector.send_mail"
READ_CALENDARS = "reflector.read_calendars"

DELETIONS_SECONDS = 60
WEBHOOKS_SECONDS = 10
MAIL_SECONDS = 30
CALENDARS_SECONDS = 60
HEARTBEAT_SECONDS = 600
CLEAN_UP_HOUR = 3


@dataclass(frozen=True)
class Job:
    """A periodic job. `schedule` is in seconds, or an hour of the day in UTC."""

    task: str
    schedule: float | crontab

    def entry(self) -> dict[str, Any]:
        # A job that did not run before its next turn need not be made up for
        expires = self.schedule if isinstance(self.schedule, float) else 3600
        return {"task": self.task, "schedule": self.schedule, "options": {"expires": expires}}


def jobs(settings: Settings) -> list[Job]:
    poll = settings.CELERY_BEAT_POLL_INTERVAL
    wanted = [
        Job(RETRY_DELETIONS, float(poll or DELETIONS_SECONDS)),
        Job(READ_CALENDARS, float(poll or CALENDARS_SECONDS)),
        Job(SEND_WEBHOOKS, float(poll or WEBHOOKS_SECONDS)),
        Job(APPLY_RETENTION, crontab(hour=CLEAN_UP_HOUR, minute=20)),
    ]
    if settings.sends_mail:
        wanted.append(Job(SEND_MAIL, float(poll or MAIL_SECONDS)))
    if settings.AUTH_BACKEND != "none":
        wanted.append(Job(REMOVE_ENDED_SESSIONS, crontab(hour=CLEAN_UP_HOUR, minute=10)))
    if settings.PUBLIC_MODE:
        wanted.append(Job(CLEAN_UP_PUBLIC_DATA, crontab(hour=CLEAN_UP_HOUR, minute=0)))
    if settings.HEALTHCHECK_URL:
        wanted.append(Job(HEARTBEAT, float(HEARTBEAT_SECONDS)))
    return wanted
