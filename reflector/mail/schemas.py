"""Define bodies of requests and responses about e-mail."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel

from reflector.outgoing.mailbox import mailbox


class SendEmailRequest(BaseModel):
    email: Annotated[str, AfterValidator(mailbox)]


class SendEmailResponse(BaseModel):
    sent: int
