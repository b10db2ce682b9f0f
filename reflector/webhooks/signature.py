"""Sign what is sent, by the Standard Webhooks specification and as the reference does.

The specification signs `id.timestamp.body` with the secret's bytes, in base64 after `whsec_`; the
reference signs `timestamp.body` with the secret as it is written. A secret that somebody chose and
that is not of this form signs both as it is written.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

PREFIX = "whsec_"
SECRET_BYTES = 32


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def headers(keys: Sequence[str], message: str, at: datetime, body: bytes) -> dict[str, str]:
    """Return the headers for the message with this id. Of several secrets, the newest is first."""
    moment = str(int(at.timestamp()))
    standard = " ".join(f"v1,{_standard(key, message, moment, body)}" for key in keys)
    plain = ",".join(f"v1={_plain(key, moment, body)}" for key in keys)
    found = {"webhook-id": message, "webhook-timestamp": moment}
    if keys:
        found |= {"webhook-signature": standard, "X-Webhook-Signature": f"t={moment},{plain}"}
    return found


def _standard(key: str, message: str, moment: str, body: bytes) -> str:
    signed = f"{message}.{moment}.".encode() + body
    return base64.b64encode(hmac.digest(_bytes(key), signed, "sha256")).decode()


def _plain(key: str, moment: str, body: bytes) -> str:
    return hmac.digest(key.encode(), f"{moment}.".encode() + body, "sha256").hex()


def _bytes(key: str) -> bytes:
    if key.startswith(PREFIX):
        with suppress(binascii.Error):
            if found := base64.b64decode(key.removeprefix(PREFIX), validate=True):
                return found
    return key.encode()
