"""Tell clients which features this server offers."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from reflector.http.deps import ServicesDep

router = APIRouter(tags=["config"])


class ConfigResponse(BaseModel):
    zulip_enabled: bool
    email_enabled: bool


@router.get("/config")
def get_config(services: ServicesDep) -> ConfigResponse:
    settings = services.settings
    return ConfigResponse(
        zulip_enabled=bool(settings.ZULIP_REALM),
        email_enabled=settings.sends_mail,
    )
