"""An OpenID Connect provider on this computer, which can also lie."""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

CLIENT, SECRET = "fewshot-app", "the app's own secret"


class FakeProvider:
    """Who logs in is decided by ``claims``; ``None`` leaves a claim out. ``lies`` says what else is wrong."""

    def __init__(self) -> None:
        self.key, self.other = _keys()
        self.claims: dict[str, Any] = {"sub": "anna-1", "email": "Anna@School.example", "email_verified": True}
        self.lies: set[str] = set()
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []
        self.issuer = ""

    def description(self) -> dict[str, Any]:
        issuer = "https://other.example" if "issuer" in self.lies else self.issuer
        token = "http://evil.example/token" if "endpoint" in self.lies else f"{self.issuer}/token"
        return {
            "issuer": issuer, "authorization_endpoint": f"{self.issuer}/authorize", "token_endpoint": token,
            "jwks_uri": f"{self.issuer}/keys", "code_challenge_methods_supported": ["S256"],
        }  # fmt: skip

    def authorize(self, query: str) -> str:
        fields = dict(parse_qsl(query))
        code = f"code-{len(self.codes)}"
        self.codes[code] = fields
        return f"{fields['redirect_uri']}?{urlencode({'code': code, 'state': fields['state']})}"

    def token(self, fields: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        begun = self.codes.pop(fields.get("code", ""), None)
        digest = hashlib.sha256(fields.get("code_verifier", "").encode()).digest()
        challenge = _base64(digest)
        right = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if begun is None or begun["code_challenge"] != challenge or authorization != f"Basic {right}":
            return 400, {"error": "invalid_grant"}
        if "no token" in self.lies:
            return 200, {"access_token": "x", "token_type": "Bearer"}
        when = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": when, "exp": when + 300, "nonce": begun["nonce"]}
        claims = {name: value for name, value in {**claims, **self.claims}.items() if value is not None}
        return 200, {"access_token": "x", "token_type": "Bearer", "id_token": self._signed(claims)}

    def _signed(self, claims: dict[str, Any]) -> str:
        from joserfc import jwt

        if {"unsigned", "signed with the public key"} & self.lies:
            forged = "unsigned" not in self.lies
            head = {"alg": "HS256", "kid": "right"} if forged else {"alg": "none"}
            text = ".".join(_base64(json.dumps(part).encode()) for part in (head, claims))
            public = self.key.as_pem(private=False)
            return f"{text}.{_base64(hmac.digest(public, text.encode(), 'sha256')) if forged else ''}"
        key = self.other if "other key" in self.lies else self.key
        return jwt.encode({"alg": "RS256", "kid": "right"}, claims, key)


@functools.cache
def _keys() -> list[Any]:
    from joserfc.jwk import RSAKey

    return [RSAKey.generate_key(2048, {"kid": "right"}) for _ in range(2)]


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


@contextmanager
def fake_provider() -> Iterator[FakeProvider]:
    """Serve one until the block ends."""
    provider = FakeProvider()

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            provider.asked.append(parts.path)
            if parts.path == "/.well-known/openid-configuration":
                self._json(200, provider.description())
            elif parts.path == "/keys":
                self._json(200, {"keys": [provider.key.as_dict(private=False)]})
            elif parts.path == "/authorize":
                self.send_response(302)
                self.send_header("Location", provider.authorize(parts.query))
                self.send_header("Content-Length", "0")
                self.end_headers()
            else:
                self._json(404, {})

        def do_POST(self) -> None:
            provider.asked.append(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            fields = {name: values[0] for name, values in parse_qs(body).items()}
            self._json(*provider.token(fields, self.headers.get("Authorization", "")))

        def _json(self, status: int, content: dict[str, Any]) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    provider.issuer = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
