"""Jinja2 templates with what every page shows."""

from __future__ import annotations

from pathlib import Path

from fastapi import Request
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates

from reflector import __version__
from reflector.services import Services

FOLDER = Path(__file__).parent
_templates = Jinja2Templates(FOLDER / "templates")


def page(request: Request, name: str, services: Services, **values: object) -> HTMLResponse:
    common = {
        "version": __version__,
        "notices": services.speech.notices if services.settings.has_own_worker else [],
        "has_llm": bool(services.settings.LLM_URL),
        "translates": services.settings.TRANSLATION_BACKEND != "passthrough",
        "has_accounts": services.identity.policy.has_accounts,
        "authority": services.settings.CA_CERTIFICATE_URL,
        "caller": None,
    }
    return _templates.TemplateResponse(request, name, {**common, **values})
