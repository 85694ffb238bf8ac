"""Login with a school's own identity provider: OpenID Connect, authorization code with PKCE.

Streamlit's own ``st.login`` is not used. It runs inside a page, so strangers would need the app's WebSocket before they
are known, and its cookie lives 30 days, has no ``Secure``, and cannot be ended by the server.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import hmac
import json
import os
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from fewshot.errors import FewshotError, UsageError
from fewshot.secret_variables import secret_variable
from fewshot.translation import later

if TYPE_CHECKING:
    from authlib.integrations.requests_client import OAuth2Session

ISSUER, CLIENT, SECRET = "FEWSHOT_OIDC_ISSUER", "FEWSHOT_OIDC_CLIENT_ID", "FEWSHOT_OIDC_CLIENT_SECRET"
NAME = "FEWSHOT_OIDC_NAME"
PATIENCE = 10.0
"""Seconds that the provider has for an answer."""
BEGUN_FOR = 600.0
"""Seconds that somebody has at the provider."""
MOST_USED = 100_000
"""Finished logins that are remembered, so that none is finished twice; each one had to ask the provider."""
_LONGEST = 1000
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
_LEEWAY = 60
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_LARGEST_ANSWER = 1_000_000


class ProviderError(FewshotError):
    """The identity provider gave no answer that can be trusted."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the provider must be asked with.

    Attributes:
        issuer: address of the provider, as it writes it into its tokens.
        client: name under which the provider knows this app.
        secret: password of the app at the provider; "" for a public client.
        name: what the button on the login page says.
    """

    issuer: str
    client: str
    secret: str = ""
    name: str = "your school's account"


@dataclass(frozen=True, slots=True)
class Person:
    """Who the provider says somebody is; ``email`` is "" unless the provider has verified it."""

    issuer: str
    subject: str
    email: str


@dataclass(frozen=True, slots=True)
class _Begun:
    """A login that waits for the provider. It lies in its own browser, so nobody can push it out of a list here."""

    state: str
    nonce: str
    verifier: str
    redirect: str
    after: str
    when: float

    def sealed(self, key: bytes) -> str:
        """For a cookie: the letters, digits and signs of an address."""
        text = base64.urlsafe_b64encode(json.dumps(dataclasses.astuple(self)).encode()).decode()
        return f"{text}.{hmac.new(key, text.encode(), hashlib.sha256).hexdigest()}"

    @classmethod
    def opened(cls, sealed: str, key: bytes) -> _Begun | None:
        """What was sealed with this key; None if it was not."""
        text, _, mark = sealed.partition(".")
        right = hmac.new(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
        if not secrets.compare_digest(right.encode(), mark.encode("utf-8", "surrogatepass")):
            return None
        return cls(*json.loads(base64.urlsafe_b64decode(text)))


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings | None:
    """The provider that the environment names; None if it names none.

    Raises:
        UsageError: something is missing or is not a safe address; see also ``secret_variable``.
    """
    issuer, client = environment.get(ISSUER, "").strip(), environment.get(CLIENT, "").strip()
    if not issuer and not client:
        return None
    if not issuer or not client:
        raise UsageError(
            f"Login with an identity provider needs both {ISSUER} and {CLIENT}, and one of them is missing.",
            hint="Set both variables, or neither.",
        )
    _check_address(issuer, ISSUER)
    secret, name = secret_variable(SECRET, environment) or "", environment.get(NAME, "").strip()
    return Settings(issuer, client, secret, name) if name else Settings(issuer, client, secret)


class Provider:
    """An OpenID Connect provider. All methods wait for the network, so they must not run in an event loop.

    Args:
        settings: see ``Settings``.
        clock: monotonic seconds; for tests.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self.settings, self._clock = settings, clock
        self._key = secrets.token_bytes(32)
        self._used: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()
        self._metadata: dict[str, Any] | None = None

    def begin(self, redirect: str, after: str) -> tuple[str, str]:
        """Begin a login.

        Args:
            redirect: address of this app to which the provider sends the browser back.
            after: path of this app to open afterwards.

        Returns:
            The provider's address to send the browser to, and what a cookie of this browser must bring back.

        Raises:
            ProviderError: the provider does not answer, or its description is wrong.
        """
        metadata = self._describe()
        verifier, nonce = (secrets.token_urlsafe(48) for _ in range(2))
        with self._client(redirect) as client:
            url, state = client.create_authorization_url(
                metadata["authorization_endpoint"], nonce=nonce, code_verifier=verifier, state=secrets.token_urlsafe(32)
            )
        after = after if len(after) <= _LONGEST else "/"  # a browser drops a cookie of more than 4 kB
        return str(url), _Begun(state, nonce, verifier, redirect, after, self._clock()).sealed(self._key)

    def finish(self, state: str, code: str, binding: str) -> tuple[Person, str]:
        """Finish a login with what the browser brought back. A state is good once, and only in its own browser.

        Returns:
            Who it is, and the path to open.

        Raises:
            ProviderError: the login was not begun here, took too long, or the provider's answer cannot be trusted.
        """
        begun = _Begun.opened(binding, self._key)
        if begun is None or not self._first(begun, state):
            raise ProviderError(later("This login was not begun in this browser, or it took too long. Begin again."))
        import requests
        from authlib.common.errors import AuthlibBaseError

        try:
            with self._client(begun.redirect) as client:
                token = client.fetch_token(
                    self._describe()["token_endpoint"], code=code, code_verifier=begun.verifier, timeout=PATIENCE,
                    allow_redirects=False,
                )  # fmt: skip
        except (requests.RequestException, AuthlibBaseError, ValueError, TypeError, KeyError) as error:
            raise ProviderError(_no_answer(self.settings.issuer)) from error
        claims = self._claims(token.get("id_token"), begun.nonce)
        email = claims.get("email") if claims.get("email_verified") is True else ""
        email = email if isinstance(email, str) and email.isprintable() else ""
        return Person(self.settings.issuer, claims["sub"], email), begun.after

    def _first(self, begun: _Begun, state: str) -> bool:
        """Whether a state is that of the login, and comes in time and for the first time."""
        now = self._clock()
        if not secrets.compare_digest(begun.state.encode(), state.encode("utf-8", "surrogatepass")):
            return False
        with self._lock:
            while self._used and (len(self._used) > MOST_USED or next(iter(self._used.values())) < now - BEGUN_FOR):
                self._used.popitem(last=False)
            first = now - begun.when <= BEGUN_FOR and state not in self._used
            if first:
                self._used[state] = now
            return first

    def _claims(self, written: object, nonce: str) -> dict[str, Any]:
        from joserfc import jwt
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        if not isinstance(written, str):
            raise ProviderError(_wrong(self.settings.issuer, later("it sent no ID token")))
        try:
            keys = KeySet.import_key_set(self._get(self._describe()["jwks_uri"]))  # type: ignore[arg-type]
            claims: dict[str, Any] = jwt.decode(written, keys, algorithms=_ALGORITHMS).claims
            # The time is checked below, with some leeway for clocks.
            jwt.JWTClaimsRegistry(
                leeway=_LEEWAY,
                iss={"essential": True, "value": self.settings.issuer},
                aud={"essential": True, "value": self.settings.client},
                exp={"essential": True},
                iat={"essential": True},
                sub={"essential": True},
                nonce={"essential": True, "value": nonce},
            ).validate(claims)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise ProviderError(_wrong(self.settings.issuer, later("its ID token is not valid"))) from error
        audience, party, subject = claims["aud"], claims.get("azp"), claims["sub"]
        if (party is not None or (isinstance(audience, list) and len(audience) > 1)) and party != self.settings.client:
            raise ProviderError(_wrong(self.settings.issuer, later("its ID token is for another program")))
        if not isinstance(subject, str) or not 0 < len(subject) <= 255 or not subject.isprintable():
            raise ProviderError(_wrong(self.settings.issuer, later("its ID token names nobody")))
        return claims

    def _describe(self) -> dict[str, Any]:
        if self._metadata is None:
            found = self._get(f"{self.settings.issuer.rstrip('/')}/.well-known/openid-configuration")
            if found.get("issuer") != self.settings.issuer:
                raise ProviderError(
                    _wrong(self.settings.issuer, later("it calls itself {name!r}", name=found.get("issuer")))
                )
            for name in _ENDPOINTS:
                try:
                    _check_address(str(found.get(name, "")), name)
                except UsageError as error:
                    raise ProviderError(
                        _wrong(self.settings.issuer, later("its {name} is not a safe address", name=name))
                    ) from error
            self._metadata = found
        return self._metadata

    def _get(self, url: str) -> dict[str, Any]:
        import requests

        try:
            answer = requests.get(url, timeout=PATIENCE, allow_redirects=False)
            answer.raise_for_status()
            if len(answer.content) > _LARGEST_ANSWER:
                raise ValueError("too long")
            found = answer.json()
        except (requests.RequestException, ValueError) as error:
            raise ProviderError(_no_answer(self.settings.issuer)) from error
        if answer.status_code != 200 or not isinstance(found, dict):
            raise ProviderError(_no_answer(self.settings.issuer))
        return found

    def _client(self, redirect: str) -> OAuth2Session:
        from authlib.integrations.requests_client import OAuth2Session

        return OAuth2Session(
            self.settings.client,
            self.settings.secret or None,
            token_endpoint_auth_method="client_secret_basic" if self.settings.secret else "none",
            scope="openid email",
            redirect_uri=redirect,
            code_challenge_method="S256",
        )


def _check_address(url: str, what: str) -> None:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        host, parts = "", urlsplit("")
    local = host in ("localhost", "127.0.0.1", "::1")
    if not host or parts.username is not None or parts.scheme not in (("https", "http") if local else ("https",)):
        raise UsageError(
            f"{what} is {url!r}, which is not a safe address. Expected https://NAME.",
            hint=f"For example: {ISSUER}=https://login.example.org",
        )


def _no_answer(issuer: str) -> str:
    return later(
        "The identity provider {issuer} gave no answer that can be used. Try again, or log in with a password.",
        issuer=issuer,
    )


def _wrong(issuer: str, what: str) -> str:
    return later(
        "The answer of the identity provider {issuer} cannot be trusted: {why}. Nobody was logged in.",
        issuer=issuer,
        why=what,
    )
