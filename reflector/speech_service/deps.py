"""What routes ask for, and the key that every request has to bring where there is one."""

from __future__ import annotations

import hmac
from typing import Annotated, cast

from fastapi import Depends, Request

from reflector.errors import Unauthenticated
from reflector.speech_service.desk import Desk
from reflector.speech_service.work import SpeechWork
from reflector.translation.translator import Translator


def _work(request: Request) -> SpeechWork:
    return cast(SpeechWork, request.app.state.work)


def _desk(request: Request) -> Desk:
    return cast(Desk, request.app.state.desk)


def _translator(request: Request) -> Translator:
    return cast(Translator, request.app.state.translator)


WorkDep = Annotated[SpeechWork, Depends(_work)]
DeskDep = Annotated[Desk, Depends(_desk)]
TranslatorDep = Annotated[Translator, Depends(_translator)]


def require_key(request: Request, work: WorkDep) -> None:
    key = work.settings.REFLECTOR_GPU_APIKEY
    if key is None:
        return
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    expected = key.get_secret_value().encode()
    if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), expected):
        raise Unauthenticated("Invalid API key")
