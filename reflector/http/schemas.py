"""Define fields and answers that several subjects share."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from reflector.transcript.language_codes import AUTOMATIC, spoken_language

NonEmpty = Annotated[str, Field(min_length=1)]


def _with_hyphens(code: object) -> object:
    return code.replace("_", "-") if isinstance(code, str) else code


def _is_recognised(code: str) -> str:
    if code not in AUTOMATIC and spoken_language(code) is None:
        raise ValueError(
            f"{code} is no language that speech is recognised in: write it like en or pt-BR, or auto "
            "to have it detected"
        )
    return code


def one_line(text: str) -> str:
    """Return `text` with every run of white space as one space. Raises ValueError if nothing is left."""
    plain = " ".join(text.split())
    if not plain:
        raise ValueError("a name is needed")
    return plain


Language = Annotated[
    str, Field(max_length=16, pattern=r"^([A-Za-z-]*)$"), BeforeValidator(_with_hyphens)
]
SpokenLanguage = Annotated[Language, AfterValidator(_is_recognised)]
OneLine = Annotated[str, Field(max_length=60), AfterValidator(one_line)]
Vocabulary = Annotated[
    str,
    Field(max_length=2000, description="names and jargon to expect, separated by commas or lines"),
]


class StatusAnswer(BaseModel):
    status: str = "ok"
