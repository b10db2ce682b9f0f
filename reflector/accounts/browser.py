"""Log a browser in at an identity provider: authorization code with PKCE (RFC 6749, RFC 7636).

The state between the two redirects is kept in a signed cookie in the browser, so any process of
this server can handle the answer.
"""

from __future__ import annotations

import secrets
import time
from typing import Any
from urllib.parse import quote_plus

import httpx2
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.client import OAuth2Client
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from reflector.accounts.provider import TIMEOUT_SECONDS, Provider
from reflector.accounts.tokens import ALGORITHM, InvalidToken
from reflector.errors import N_, ConfigurationError, Unauthenticated, Unavailable
from reflector.runtime.settings import Settings

SCOPE = "openid email profile"
PENDING_SECONDS = 600
EXPIRED = N_("The login took too long or was begun in another browser. Begin again.")


class BrowserLogin:
    """Run the login flow of a browser at `provider`.

    `redirect_uri` is the address of this server to which the provider sends the browser back.
    """

    def __init__(self, settings: Settings, provider: Provider, key: OctKey) -> None:
        if not settings.AUTH_OIDC_CLIENT_ID:
            raise ConfigurationError(
                "AUTH_OIDC_ISSUER is set without AUTH_OIDC_CLIENT_ID",
                "Set it to the client that the provider knows this server as.",
            )
        self._client_id = settings.AUTH_OIDC_CLIENT_ID
        secret = settings.AUTH_OIDC_CLIENT_SECRET
        self._secret = secret.get_secret_value() if secret else None
        self._provider, self._key = provider, key

    def begin(self, redirect_uri: str, back_to: str) -> tuple[str, str]:
        """Return the URL to send the browser to, and the cookie that it must bring back."""
        state, nonce = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        verifier = secrets.token_urlsafe(48)
        with self._client(redirect_uri) as client:
            address, _ = client.create_authorization_url(
                str(self._provider.metadata()["authorization_endpoint"]),
                state=state, nonce=nonce, code_verifier=verifier,
            )  # fmt: skip
        pending = {"state": state, "nonce": nonce, "verifier": verifier, "back": back_to,
                   "exp": int(time.time()) + PENDING_SECONDS}  # fmt: skip
        return address, jwt.encode({"alg": ALGORITHM}, pending, self._key)

    def finish(self, address: str, redirect_uri: str, cookie: str) -> tuple[str, str, str]:
        """Return `(subject, email, back_to)` of the user who logged in.

        `address` is the whole URL that the browser came back to. Raises Unauthenticated if the
        login failed, and Unavailable if the provider does not answer.
        """
        pending = self._pending(cookie)
        if "code=" not in address:
            raise Unauthenticated("The identity provider did not let you in. Begin again.")
        try:
            with self._client(redirect_uri, pending["state"]) as client:
                answer = client.fetch_token(
                    str(self._provider.metadata()["token_endpoint"]),
                    authorization_response=address, code_verifier=pending["verifier"],
                    auth=self._authentication(), client_id=self._client_id,
                )  # fmt: skip
        except OAuth2Error as error:
            raise Unauthenticated(f"The identity provider refused the login: {error}") from error
        except (httpx2.HTTPError, ValueError) as error:
            raise Unavailable(f"The identity provider does not answer: {error}") from error
        try:
            claims = self._provider.verify(str(answer["id_token"]), audience=self._client_id)
        except (InvalidToken, KeyError) as error:
            raise Unauthenticated(
                f"The identity provider's answer is not valid: {error}"
            ) from error
        if claims.get("nonce") != pending["nonce"]:
            raise Unauthenticated(EXPIRED)
        email = claims.get("email")
        if not isinstance(email, str) or not email:
            raise Unauthenticated("The identity provider gave no e-mail address for this account.")
        return str(claims["sub"]), email, str(pending["back"])

    def _authentication(self) -> Any:
        """Return how this server authenticates (RFC 6749, section 2.3.1).

        A public client has no secret and sends only its client id.
        """
        if self._secret is None:
            return lambda request: request
        return httpx2.BasicAuth(quote_plus(self._client_id), quote_plus(self._secret))

    def _pending(self, cookie: str) -> dict[str, Any]:
        try:
            decoded = jwt.decode(cookie, self._key, algorithms=[ALGORITHM])
            jwt.JWTClaimsRegistry(exp={"essential": True}).validate(decoded.claims)
        except (JoseError, ValueError) as error:
            raise Unauthenticated(EXPIRED) from error
        return decoded.claims

    def _client(self, redirect_uri: str, state: str | None = None) -> Any:
        return _Session(
            OAuth2Client(
                httpx2.Client(timeout=TIMEOUT_SECONDS),
                client_id=self._client_id,
                scope=SCOPE,
                redirect_uri=redirect_uri,
                code_challenge_method="S256",
                state=state,
            )
        )


class _Session:
    """Close the connection of an OAuth2Client at the end of a `with` block."""

    def __init__(self, client: OAuth2Client) -> None:
        self._client = client

    def __enter__(self) -> OAuth2Client:
        return self._client

    def __exit__(self, *_: object) -> None:
        self._client.session.close()
