"""An OpenID Connect provider for the tests: discovery, keys that rotate, codes with PKCE.

Written from OpenID Connect Core and Discovery 1.0 and RFC 7636; there is no provider to be had here.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, CLIENT_SECRET, AUDIENCE = "reflector", "the client's secret", "reflector-api"


class IdentityProvider:
    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "first", "use": "sig"}, private=True)
        self.codes: dict[str, dict[str, str]] = {}
        self.key_fetches = 0
        self.person = {"sub": "person-1", "email": "Anna@Example.org"}
        self.issuer = ""

    def rotate(self) -> None:
        kid = secrets.token_hex(4)
        self.key = RSAKey.generate_key(2048, {"kid": kid, "use": "sig"}, private=True)

    def token(self, **changes: Any) -> str:
        claims = {
            "iss": self.issuer, "aud": AUDIENCE, "exp": int(time.time()) + 300,
            "iat": int(time.time()), **self.person, **changes,
        }  # fmt: skip
        claims = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.key)

    def get(self, path: str, query: dict[str, str]) -> tuple[int, dict[str, str], Any]:
        if path == "/.well-known/openid-configuration":
            return 200, {}, {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
            }  # fmt: skip
        if path == "/keys":
            self.key_fetches += 1
            return 200, {}, {"keys": [self.key.as_dict(private=False)]}
        if path == "/authorize":
            assert query["code_challenge_method"] == "S256"
            code = secrets.token_urlsafe(8)
            self.codes[code] = query
            return (
                303,
                {"Location": f"{query['redirect_uri']}?code={code}&state={query['state']}"},
                {},
            )
        return 404, {}, {}

    def post(self, authorization: str | None, form: dict[str, str]) -> tuple[int, Any]:
        asked = self.codes.pop(form.get("code", ""), None)
        challenge = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        sent = base64.urlsafe_b64encode(challenge).rstrip(b"=").decode()
        expected = base64.b64encode(f"{CLIENT}:the+client%27s+secret".encode()).decode()
        if asked is None or sent != asked["code_challenge"] or authorization != f"Basic {expected}":
            return 400, {"error": "invalid_grant"}
        token = self.token(aud=CLIENT, nonce=asked["nonce"])
        return 200, {"access_token": "x", "token_type": "Bearer", "id_token": token}


@contextmanager
def identity_provider() -> Iterator[IdentityProvider]:
    provider = IdentityProvider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            self._answer(*provider.get(parts.path, query))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            status, answer = provider.post(self.headers.get("Authorization"), form)
            self._answer(status, {}, answer)

        def _answer(self, status: int, headers: dict[str, str], body: Any) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    provider.issuer = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield provider
    server.shutdown()
    server.server_close()
