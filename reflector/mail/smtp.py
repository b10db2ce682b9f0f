"""Give a message to the mail server of the settings."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage

from reflector.errors import N_, InvalidInput, ReflectorError, Unavailable
from reflector.runtime.settings import Settings

TIMEOUT_SECONDS = 20.0
TLS_FROM_THE_BEGINNING = 465


def send(settings: Settings, message: EmailMessage) -> None:
    """Send it to its one recipient.

    With SMTP_USE_TLS the connection is encrypted, and the certificate is verified, before anything
    is said. Raises InvalidInput if the server will not take it for this recipient, and Unavailable
    if another time it might.
    """
    host, port = settings.SMTP_HOST or "", settings.SMTP_PORT
    try:
        with _connected(settings, host, port) as server:
            if settings.SMTP_USERNAME and settings.SMTP_PASSWORD:
                server.login(settings.SMTP_USERNAME, settings.SMTP_PASSWORD.get_secret_value())
            server.send_message(message)
    except smtplib.SMTPRecipientsRefused as error:
        ((code, said),) = error.recipients.values()
        raise _refusal(message, code, said) from None
    except smtplib.SMTPAuthenticationError:
        raise Unavailable(
            "The mail server {host} does not take SMTP_USERNAME and SMTP_PASSWORD.", host=host
        ) from None
    except (smtplib.SMTPDataError, smtplib.SMTPSenderRefused) as error:
        raise _refusal(message, error.smtp_code, error.smtp_error) from None
    except OSError as error:  # smtplib's are, too
        reason = (str(error) or type(error).__name__).rstrip(".")
        raise Unavailable(
            "The mail server {host} cannot be reached: {reason}.", host=host, reason=reason
        ) from error


def _connected(settings: Settings, host: str, port: int) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if settings.SMTP_USE_TLS and port == TLS_FROM_THE_BEGINNING:
        return smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_SECONDS, context=context)
    server = smtplib.SMTP(host, port, timeout=TIMEOUT_SECONDS)
    if settings.SMTP_USE_TLS:
        try:
            server.starttls(context=context)
        except BaseException:
            server.close()
            raise
    return server


def _refusal(message: EmailMessage, code: int, said: bytes | str) -> ReflectorError:
    """Return the error for an answer of the mail server, for good from 500 on (RFC 5321, 4.2.1)."""
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    values = {
        "recipient": str(message["To"]),
        "reason": f"{code} {' '.join(text.split())}".rstrip(". "),
    }
    sentence = N_("The mail server does not take an e-mail for {recipient}: {reason}.")
    return (InvalidInput if code >= 500 else Unavailable)(sentence, **values)
