"""Render Jinja2 templates with the values that every page shows."""

from __future__ import annotations

import json
from pathlib import Path

from fastapi import Request
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates

from reflector import __version__
from reflector.accounts.access import Caller
from reflector.administration.access import is_administrator
from reflector.services import Services
from reflector.web.static_files import PREFIX

FOLDER = Path(__file__).parent
_templates = Jinja2Templates(FOLDER / "templates")


def page(request: Request, name: str, services: Services, **values: object) -> HTMLResponse:
    root = services.settings.ROOT_PATH.rstrip("/")
    caller = values.get("caller")
    common = {
        "version": __version__,
        "notices": _notices(services),
        "has_llm": bool(services.settings.LLM_URL),
        "translates": services.settings.TRANSLATION_BACKEND != "passthrough",
        "has_accounts": services.identity.policy.has_accounts,
        "authority": services.settings.CA_CERTIFICATE_URL,
        "caller": None,
        "is_stranger": _is_stranger(services, caller),
        "administers": isinstance(caller, Caller) and is_administrator(services, caller),
        "root": root,
        "static": f"{root}{PREFIX}",
    }
    return _templates.TemplateResponse(request, name, {**common, **values})


def _is_stranger(services: Services, caller: object) -> bool:
    """Return whether the page is for somebody who has no account where others have one."""
    has_account = isinstance(caller, Caller) and not caller.is_anonymous
    return services.identity.policy.has_accounts and not has_account


def _notices(services: Services) -> list[str]:
    """Return notices for all users: on speech models, and on the machine.

    The latter come from NOTICES_FILE, for example about an update that failed.
    """
    found = list(services.speech.notices) if services.settings.has_own_worker else []
    file = services.settings.NOTICES_FILE
    try:
        return [*found, *map(str, json.loads(file.read_text()))] if file else found
    except FileNotFoundError:
        return found
    except (OSError, ValueError, TypeError) as error:
        return [*found, f"{file} cannot be read: {error}."]
