"""Render Jinja2 templates with the values that every page shows."""

from __future__ import annotations

import json
from pathlib import Path

from fastapi import Request
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates

from reflector import __version__, localization
from reflector.accounts.access import Caller
from reflector.administration.access import is_administrator
from reflector.http import languages
from reflector.localization import Language
from reflector.services import Services
from reflector.web.static_files import PREFIX

FOLDER = Path(__file__).parent
_templates = Jinja2Templates(FOLDER / "templates")
_templates.env.add_extension("jinja2.ext.i18n")
_templates.env.install_gettext_callables(  # type: ignore[attr-defined]
    localization.gettext, localization.ngettext, newstyle=True
)
_templates.env.filters.update(
    day=localization.day,
    moment=localization.moment,
    translated=localization.gettext,
    sentence=localization.sentence,
)


def page(request: Request, name: str, services: Services, **values: object) -> HTMLResponse:
    """Render a page in the language that the person wants."""
    with localization.shown_in(languages.wanted(request)) as language:
        response = _templates.TemplateResponse(
            request, name, {**_common(request, services, language, values), **values}
        )
    response.headers["Content-Language"] = language.tag
    response.headers["Vary"] = "Accept-Language, Cookie"
    return response


def _common(
    request: Request, services: Services, language: Language, values: dict[str, object]
) -> dict[str, object]:
    root = services.settings.ROOT_PATH.rstrip("/")
    caller = values.get("caller")
    query = f"?{request.url.query}" if request.url.query else ""
    return {
        "language_tag": language.tag,
        "direction": language.direction,
        "messages": language.for_modules,
        "page_languages": localization.LANGUAGES.items(),
        "back_here": request.url.path + query if request.method == "GET" else "/",
        "version": __version__,
        "notices": _notices(services),
        "has_llm": bool(services.settings.LLM_URL),
        "translates": services.settings.TRANSLATION_BACKEND != "passthrough",
        "sends_mail": services.settings.sends_mail,
        "has_accounts": services.identity.policy.has_accounts,
        "authority": services.settings.CA_CERTIFICATE_URL,
        "caller": None,
        "is_library": False,
        "is_stranger": _is_stranger(services, caller),
        "administers": isinstance(caller, Caller) and is_administrator(services, caller),
        "root": root,
        "static": f"{root}{PREFIX}",
    }


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
