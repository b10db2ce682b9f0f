"""Verify bearer tokens of an identity provider with a PEM file or the keys of an OIDC issuer.

The issuer's keys are found by discovery (OpenID Connect Discovery 1.0). They are fetched again when
a token names an unknown key, which is how providers rotate keys.
"""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path
from typing import Any

import httpx2
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet, import_key

from reflector.accounts.tokens import InvalidToken
from reflector.errors import ConfigurationError, Unavailable
from reflector.runtime.settings import Settings

log = logging.getLogger(__name__)

KEYS_SECONDS = 3_600
REFETCH_SECONDS = 10
TIMEOUT_SECONDS = 10
LEEWAY_SECONDS = 30


class Provider:
    """Verify tokens. With an issuer, also find its endpoints."""

    def __init__(self, settings: Settings) -> None:
        self.issuer = settings.AUTH_OIDC_ISSUER.rstrip("/") if settings.AUTH_OIDC_ISSUER else None
        # A provider signs tokens for many programs: only accept tokens issued for this one
        self.audience = settings.AUTH_JWT_AUDIENCE or settings.AUTH_OIDC_CLIENT_ID
        if self.issuer and not self.audience:
            raise ConfigurationError(
                "AUTH_OIDC_ISSUER is set, but not for whom its tokens have to be.",
                "Set AUTH_OIDC_CLIENT_ID, or AUTH_JWT_AUDIENCE to the `aud` of its tokens.",
            )
        self._algorithm = settings.AUTH_JWT_ALGORITHM
        self._pem = None if self.issuer else _read_pem(settings)
        self._lock = threading.Lock()
        self._metadata: dict[str, Any] | None = None
        self._keys: KeySet | None = None
        self._fetched_at = 0.0

    def verify(self, token: str, audience: str | None = None) -> dict[str, Any]:
        """Return the claims of a valid token. Raises InvalidToken otherwise."""
        try:
            decoded = self._decode(token)
            rules: dict[str, Any] = {"exp": {"essential": True}, "sub": {"essential": True}}
            if expected := audience or self.audience:
                rules["aud"] = {"essential": True, "value": expected}
            if self.issuer:
                issuers = [self.issuer, f"{self.issuer}/"]
                rules["iss"] = {"essential": True, "values": issuers}
            jwt.JWTClaimsRegistry(leeway=LEEWAY_SECONDS, **rules).validate(decoded.claims)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise InvalidToken(str(error)) from error
        return decoded.claims

    def _decode(self, token: str) -> jwt.Token:
        if self._pem is not None:
            return jwt.decode(token, self._pem, algorithms=[self._algorithm])
        try:
            return jwt.decode(token, self._issuer_keys(), algorithms=[self._algorithm])
        except JoseError:
            # The token may be signed with a newer key than the cached ones
            if not self._refetch():
                raise
            return jwt.decode(token, self._issuer_keys(), algorithms=[self._algorithm])

    def metadata(self) -> dict[str, Any]:
        """Return the issuer's discovery document. Raises Unavailable if it cannot be fetched."""
        with self._lock:
            if self._metadata is None:
                assert self.issuer is not None
                found = _fetch(f"{self.issuer}/.well-known/openid-configuration")
                if str(found.get("issuer", "")).rstrip("/") != self.issuer:
                    raise Unavailable(
                        f"The identity provider calls itself {found.get('issuer')}, not "
                        f"{self.issuer}: correct AUTH_OIDC_ISSUER."
                    )
                self._metadata = found
            return self._metadata

    def _issuer_keys(self) -> KeySet:
        if self._keys is None or time.monotonic() - self._fetched_at > KEYS_SECONDS:
            self._refetch()
        if self._keys is None:
            raise Unavailable("The keys of the identity provider cannot be fetched. Try again.")
        return self._keys

    def _refetch(self) -> bool:
        """Fetch the keys again and return whether that worked.

        It runs at most once in ten seconds, because anyone can send a token that names an unknown
        key.
        """
        with self._lock:
            if self._keys is not None and time.monotonic() - self._fetched_at < REFETCH_SECONDS:
                return False
        address = str(self.metadata()["jwks_uri"])
        try:
            keys = KeySet.import_key_set(_fetch(address))  # type: ignore[arg-type]
        except Unavailable:
            if self._keys is None:
                raise
            log.warning("the keys of %s cannot be fetched; the old ones are used", self.issuer)
            return False
        with self._lock:
            self._keys, self._fetched_at = keys, time.monotonic()
        return True


def _fetch(url: str) -> dict[str, Any]:
    try:
        response = httpx2.get(url, timeout=TIMEOUT_SECONDS, follow_redirects=True)
        response.raise_for_status()
        body = response.json()
    except (httpx2.HTTPError, ValueError) as error:
        raise Unavailable(f"The identity provider does not answer at {url}: {error}") from error
    if not isinstance(body, dict):
        raise Unavailable(
            f"The identity provider's answer at {url} is not what OpenID Connect says."
        )
    return body


def _read_pem(settings: Settings) -> Key:
    name = settings.AUTH_JWT_PUBLIC_KEY
    hint = "Set AUTH_OIDC_ISSUER to the provider's URL, or AUTH_JWT_PUBLIC_KEY to a PEM file."
    if not name:
        raise ConfigurationError("AUTH_BACKEND=jwt needs the provider's public key", hint)
    try:
        text = Path(name).read_text()
        return import_key(text, "RSA" if settings.AUTH_JWT_ALGORITHM[:2] in {"RS", "PS"} else "EC")
    except OSError as error:
        raise ConfigurationError(
            f"the public key {name} cannot be read: {error.strerror}", hint
        ) from error
    except (ValueError, JoseError) as error:
        raise ConfigurationError(f"{name} holds no public key in PEM form", hint) from error
