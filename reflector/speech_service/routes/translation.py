"""Serve `/translate`: translate text to another language."""

from __future__ import annotations

from fastapi import APIRouter, Depends, HTTPException, Request
from pydantic import BaseModel

from reflector.speech_service.limiter import Check
from reflector.speech_service.routes.deps import LimiterDep, TranslatorDep, require_key
from reflector.translation.translator import checked_language

router = APIRouter(dependencies=[Depends(require_key)])

SOURCE, TARGET = "en", "fr"  # the reference's defaults
# After each batch, check whether the client has disconnected
LINES_AT_ONCE = 64


class Sent(BaseModel):
    """The request body. `text` in it is an extra, for texts that are too long for a query."""

    text: str | None = None
    source_language: str | None = None
    target_language: str | None = None


class Translation(BaseModel):
    """The text by language: as it came, and translated."""

    text: dict[str, str]


class Identity(BaseModel):
    """The identity of the translator: if it changes, old translations are out of date."""

    identity: str


@router.get("/translate/identity")
def translator_identity(
    translator: TranslatorDep, source_language: str, target_language: str
) -> Identity:
    source, target = checked_language(source_language), checked_language(target_language)
    return Identity(identity=translator.identity(source, target))


@router.post("/translate")
async def translate(
    request: Request,
    translator: TranslatorDep,
    limiter: LimiterDep,
    text: str | None = None,
    source_language: str | None = None,
    target_language: str | None = None,
    body: Sent | None = None,
) -> Translation:
    """Translate text. Languages are accepted in the query and in the body.

    The reference's server sends them in one, and its service reads them from the other.
    """
    sent = body or Sent()
    wanted = text if text is not None else sent.text
    if wanted is None:
        raise HTTPException(422, "text is required, in the query or in the body.")
    source = checked_language(source_language or sent.source_language or SOURCE)
    target = checked_language(target_language or sent.target_language or TARGET)
    if source == target or not wanted.strip():
        return Translation(text={source: wanted, target: wanted})

    def do(check: Check) -> str:
        lines, done = wanted.split("\n"), []
        for first in range(0, len(lines), LINES_AT_ONCE):
            check()
            part = "\n".join(lines[first : first + LINES_AT_ONCE])
            done.append(translator.translate(part, source, target))
        return "\n".join(done)

    async with limiter.slot():
        translated = await limiter.run(request, do)
    return Translation(text={source: wanted, target: translated})
