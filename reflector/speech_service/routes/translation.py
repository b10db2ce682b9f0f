"""`/translate`: text in another language."""

from __future__ import annotations

from fastapi import APIRouter, Depends, HTTPException, Request
from pydantic import BaseModel

from reflector.speech_service.limiter import Check
from reflector.speech_service.routes.deps import LimiterDep, TranslatorDep, require_key
from reflector.translation.translator import checked_language

router = APIRouter(dependencies=[Depends(require_key)])

SOURCE, TARGET = "en", "fr"  # the reference's
# A client that goes away is noticed after each
LINES_AT_ONCE = 64


class Sent(BaseModel):
    """What may come in the body; `text` there is an extra, for what is too long for a query."""

    text: str | None = None
    source_language: str | None = None
    target_language: str | None = None


class Translation(BaseModel):
    """By language: the text as it came, and translated."""

    text: dict[str, str]


class Identity(BaseModel):
    """What translates: another value means that old translations are out of date."""

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
    """Languages come in the query or in the body: the reference's server sends the one, its service
    reads the other."""
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
