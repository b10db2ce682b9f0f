"""Give a message to the mail server of the settings."""

from __future__ import annotations

import smtplib
import ssl
from contextlib import suppress
from email.message import EmailMessage

from reflector.errors import N_, InvalidInput, ReflectorError, Unavailable
from reflector.runtime.settings import Settings

CONNECT_SECONDS = 20.0
# A server may look at an attachment before it answers (RFC 5321, section 4.5.3.2, asks for more)
ANSWER_SECONDS = 240.0
TLS_FROM_THE_BEGINNING = 465
REFUSED = N_("The mail server does not take an e-mail for {recipient}: {reason}.")


class ServerAway(Unavailable):
    """The mail server takes nothing at the moment, for anybody."""


def send(settings: Settings, message: EmailMessage) -> None:
    """Send it to its one recipient.

    With SMTP_USE_TLS the connection is encrypted, and the certificate is verified, before anything
    is said. Raises InvalidInput if the server will never take it for this recipient, Unavailable if
    later it might, and ServerAway if it takes nothing.
    """
    host = settings.SMTP_HOST or ""
    try:
        server = _connected(settings, host, settings.SMTP_PORT)
    except OSError as error:  # smtplib's are, too
        raise _away(host, error) from error
    try:
        _hand_over(settings, server, host, message)
        # It has taken it: how it says goodbye changes nothing
        with suppress(OSError):
            server.quit()
    finally:
        server.close()


def _connected(settings: Settings, host: str, port: int) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if settings.SMTP_USE_TLS and port == TLS_FROM_THE_BEGINNING:
        return smtplib.SMTP_SSL(host, port, timeout=CONNECT_SECONDS, context=context)
    server = smtplib.SMTP(host, port, timeout=CONNECT_SECONDS)
    try:
        if settings.SMTP_USE_TLS:
            server.starttls(context=context)
    except BaseException:
        server.close()
        raise
    return server


def _hand_over(settings: Settings, server: smtplib.SMTP, host: str, message: EmailMessage) -> None:
    recipient = str(message["To"])
    try:
        if settings.SMTP_USERNAME and settings.SMTP_PASSWORD:
            server.login(settings.SMTP_USERNAME, settings.SMTP_PASSWORD.get_secret_value())
        if server.sock is not None:
            server.sock.settimeout(ANSWER_SECONDS)
        server.send_message(message)
    except smtplib.SMTPAuthenticationError:
        raise ServerAway(
            "The mail server {host} does not take SMTP_USERNAME and SMTP_PASSWORD.", host=host
        ) from None
    except smtplib.SMTPSenderRefused as error:
        reason = _said(error.smtp_code, error.smtp_error)
        raise ServerAway(
            "The mail server {host} does not take {sender} for a sender: {reason}.",
            host=host, sender=settings.SMTP_FROM_EMAIL, reason=reason,
        ) from None  # fmt: skip
    except smtplib.SMTPRecipientsRefused as error:
        ((code, answer),) = error.recipients.values()
        raise _refusal(recipient, code, answer) from None
    except smtplib.SMTPDataError as error:
        raise _refusal(recipient, error.smtp_code, error.smtp_error) from None
    except OSError as error:
        raise _away(host, error) from error


def _refusal(recipient: str, code: int, answer: bytes | str) -> ReflectorError:
    """Return the error for an answer of the mail server, for good from 500 on (RFC 5321, 4.2.1)."""
    kind = InvalidInput if code >= 500 else Unavailable
    return kind(REFUSED, recipient=recipient, reason=_said(code, answer))


def _said(code: int, answer: bytes | str) -> str:
    text = answer.decode(errors="replace") if isinstance(answer, bytes) else answer
    return f"{code} {' '.join(text.split())}".rstrip(". ")


def _away(host: str, error: Exception) -> ServerAway:
    reason = (str(error) or type(error).__name__).rstrip(".")
    return ServerAway(
        "The mail server {host} cannot be reached: {reason}.", host=host, reason=reason
    )
