"""What clients may offer on this server."""

from __future__ import annotations

from fastapi import APIRouter

from reflector.http.deps import ServicesDep
from reflector.transcripts import schemas

router = APIRouter(tags=["config"])


@router.get("/config")
def get_config(services: ServicesDep) -> schemas.ConfigResponse:
    settings = services.settings
    return schemas.ConfigResponse(
        zulip_enabled=bool(settings.ZULIP_REALM),
        email_enabled=bool(settings.SMTP_HOST and settings.SMTP_FROM_EMAIL),
    )
