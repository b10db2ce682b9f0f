"""A mail server that takes e-mail, or refuses it as a test wants: aiosmtpd on a free port."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from tests.real.process import free_port

USERNAME, PASSWORD = "reflector", "a password of the tests"


@dataclass
class MailServer:
    """`refusals`: answers to recipients, by address. `is_rude`: it answers QUIT with an error."""

    port: int = 0
    messages: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    refusals: dict[str, str] = field(default_factory=dict)
    refused_sender: str | None = None
    is_rude: bool = False
    was_encrypted: list[bool] = field(default_factory=list)

    async def handle_MAIL(
        self, _server: Any, _session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if self.refused_sender is not None:
            return self.refused_sender
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_QUIT(self, _server: Any, _session: Any, _envelope: Any) -> str:
        return "421 too busy to say goodbye" if self.is_rude else "221 Bye"

    async def handle_RCPT(
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:
        self.messages.append(message_from_bytes(envelope.content, policy=policy.default))
        self.recipients += envelope.rcpt_tos
        self.was_encrypted.append(session.ssl is not None)
        return "250 OK"


@contextlib.contextmanager
def taking_mail(tls: ssl.SSLContext | None = None) -> Iterator[MailServer]:
    """With `tls` it wants STARTTLS and a login first."""
    found = MailServer()

    def check(
        _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any
    ) -> AuthResult:
        expected = LoginPassword(USERNAME.encode(), PASSWORD.encode())
        return AuthResult(success=data == expected, handled=False)

    options: dict[str, Any] = {}
    if tls is not None:
        options = {
            "tls_context": tls, "require_starttls": True, "auth_required": True, "authenticator": check,
        }  # fmt: skip
    found.port = free_port()
    controller = Controller(found, hostname="127.0.0.1", port=found.port, **options)
    controller.start()
    yield found
    controller.stop()
