"""Define bodies of requests and responses about e-mail."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel

from reflector.accounts.users import MAX_EMAIL, is_address


def _mailbox(text: str) -> str:
    plain = text.strip()
    if len(plain) > MAX_EMAIL or not is_address(plain):
        raise ValueError(f"“{plain}” is not an e-mail address")
    return plain


class SendEmailRequest(BaseModel):
    email: Annotated[str, AfterValidator(_mailbox)]


class SendEmailResponse(BaseModel):
    sent: int
