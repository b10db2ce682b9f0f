"""Sign and verify the tokens of this server: logins of API clients, audio links, opened links.

Logins are HS256 over SECRET_KEY with `sub`, `email` and `exp`, as clients of the reference know
(and sign) them. The others use a key derived from SECRET_KEY for their audience (HKDF, RFC 5869),
so that a token of one kind is never valid as another. Browsers have sessions (`sessions.py`).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

LOGIN_SECONDS = 86_400
AUDIO_SECONDS = 3_600
VISIT_SECONDS = 30 * 86_400
AUDIO = "reflector:audio"
VISIT = "reflector:visit"
ALGORITHM = "HS256"


@dataclass(frozen=True)
class Claims:
    """The claims of a login. `version` is the account's at signing; None if the token has none."""

    subject: str
    email: str | None
    version: int | None


class InvalidToken(Exception):
    """The token is expired, malformed, or signed by someone else."""


class Signer:
    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def login(self, subject: str, email: str | None, version: int) -> str:
        return self._sign(None, LOGIN_SECONDS, sub=subject, email=email, ver=version)

    def audio_link(
        self, transcript_id: str, user_id: str | None, seconds: int = AUDIO_SECONDS
    ) -> str:
        """Return a token with which to hear one transcript, for as long as the account may."""
        account = {"sub": user_id} if user_id else {}
        return self._sign(AUDIO, seconds, scope=f"audio:{transcript_id}", **account)

    def visit(self, link_ids: list[str]) -> str:
        """Return a token of the share links that a browser has opened."""
        return self._sign(VISIT, VISIT_SECONDS, links=link_ids)

    def read_visit(self, token: str) -> list[str]:
        links = self._verify(VISIT, token).get("links")
        return [str(each) for each in links] if isinstance(links, list) else []

    def read_login(self, token: str) -> Claims:
        return _claims(self._verify(None, token))

    def read_audio_link(self, token: str, transcript_id: str) -> str | None:
        """Return the account that made the link; None if an anonymous caller did.

        Raises InvalidToken if it is not a link to this transcript's audio.
        """
        claims = self._verify(AUDIO, token)
        if claims.get("scope") != f"audio:{transcript_id}":
            raise InvalidToken("the link is to other audio")
        subject = claims.get("sub")
        return subject if isinstance(subject, str) else None

    def _sign(self, audience: str | None, seconds: int, **claims: object) -> str:
        body = {**claims, "exp": int(time.time()) + seconds}
        if audience:
            body["aud"] = audience
        return jwt.encode({"alg": ALGORITHM}, body, _key(self._secret, audience))

    def _verify(self, audience: str | None, token: str) -> dict[str, Any]:
        rules: dict[str, Any] = {"exp": {"essential": True}}
        if audience:
            rules["aud"] = {"essential": True, "value": audience}
        try:
            decoded = jwt.decode(token, _key(self._secret, audience), algorithms=[ALGORITHM])
            jwt.JWTClaimsRegistry(**rules).validate(decoded.claims)
        except (JoseError, ValueError, TypeError) as error:
            raise InvalidToken(str(error)) from error
        return decoded.claims


@lru_cache(maxsize=8)
def _key(secret: bytes, audience: str | None) -> OctKey:
    return derived_key(secret, audience) if audience else OctKey.import_key(secret)


def derived_key(secret: bytes, purpose: str) -> OctKey:
    derived = HKDF(SHA256(), 32, salt=None, info=purpose.encode()).derive(secret)
    return OctKey.import_key(derived)


def _claims(body: dict[str, Any]) -> Claims:
    subject, email, version = body.get("sub"), body.get("email"), body.get("ver")
    if not isinstance(subject, str) or not subject:
        raise InvalidToken("the token names nobody")
    return Claims(
        subject,
        email if isinstance(email, str) else None,
        version if isinstance(version, int) else None,
    )
