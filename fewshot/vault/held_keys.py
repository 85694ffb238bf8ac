"""Keys that another computer holds: several computers with one database have one key holder.

Each of them would otherwise have its own copy of ``keys.json``, and a key that one of them drops would stay in the
others. The holder is ``fewshot key serve`` (``fewshot.api.key_holder``).
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

from fewshot.addresses import is_this_computer
from fewshot.errors import UsageError
from fewshot.secret_variables import secret_variable
from fewshot.translation import later
from fewshot.vault.cipher import KEY_BYTES
from fewshot.vault.errors import KeyGone, KeysUnusable

HOLDER = "FEWSHOT_KEY_HOLDER"
TOKEN = "FEWSHOT_KEY_HOLDER_TOKEN"  # nosec B105: the name of a variable
CERTIFICATE = "FEWSHOT_KEY_HOLDER_CERTIFICATE"
SHORTEST_TOKEN = 32
"""Characters. The token opens everything, so it must not be a word that somebody thought of."""
FEWEST_LETTERS = 8
"""Different characters in it: one of 32 random hex digits has fewer once in a million."""
PATIENCE = 10.0
"""Seconds to wait for an answer."""
MOST = 10_000
"""Keys in one request."""
_STATE: dict[str, type] = {"store": str, "generation": int}
_NOT_ONE = later("what answers there is no key holder")


class HeldKeys:
    """See ``KeyStore``. Keys that were fetched are remembered until the holder's generation changes.

    Args:
        url: of the holder; https, or http on this computer.
        token: that the holder asks for.
        certificate: file of the authority that vouches for the holder; None trusts those that certifi lists.

    Attributes:
        url: as given, without a slash at the end.
        generation: grows with every change that this object has seen.

    Raises:
        UsageError: the address is not one, keys would travel without TLS, or the token is too short.
    """

    def __init__(self, url: str, token: str, certificate: str | None = None) -> None:
        import requests

        self.url, self.generation = checked_address(url), 0
        self._state: tuple[str, int] | None = None
        self._keys: dict[str, bytes] = {}
        self._turn = threading.RLock()
        self._failed: tuple[float, OSError] | None = None
        self._web = requests.Session()
        self._web.trust_env = False  # neither a proxy nor a .netrc may see the token
        self._web.verify = certificate or True
        self._web.headers["Authorization"] = f"Bearer {checked_token(token)}"

    @property
    def store(self) -> str:
        """See ``KeyStore``."""
        if self._state is None:
            self.refresh()
        return self._state[0] if self._state else ""

    def refresh(self) -> None:
        """See ``KeyStore``: asks the holder, so that nothing is written under a key that was dropped elsewhere.

        Raises:
            KeysUnusable: the holder does not answer, or refuses.
        """
        self._take_over(self._ask("GET", "state", store=str, generation=int))

    def key(self, name: str) -> bytes:
        """See ``KeyStore``."""
        known = self._keys.get(name)
        if known is not None:
            return known
        answer = self._ask("POST", "open", {"names": [name]}, keys=dict)
        found = answer["keys"].get(name)
        key = None if found is None else self._bytes(found)
        with self._turn:
            self._take_over(answer)
            if key is None:
                raise KeyGone(name)
            # Another thread cannot come between: a key that it saw dropped would stay among those of the new state.
            self._keys[name] = key
            return key

    def make(self, count: int) -> list[str]:
        """See ``KeyStore``."""
        names: list[str] = []
        while len(names) < count:
            wanted = min(MOST, count - len(names))
            answer = self._ask("POST", "make", {"count": wanted}, names=list)
            if len(answer["names"]) != wanted or not all(isinstance(name, str) for name in answer["names"]):
                self._fail(_NOT_ONE)
            self._take_over(answer)
            names += answer["names"]
        return names

    def names(self) -> Collection[str]:
        """See ``KeyStore``."""
        return {str(name) for name in self._ask("GET", "names", names=list)["names"]}

    def drop(self, names: Iterable[str]) -> int:
        """See ``KeyStore``. All of them go at once, so that a failure drops all or none."""
        wanted = sorted(set(names))
        if not wanted:
            return 0  # nothing was ever erased: a holder that is away is no fault of an erasure
        answer = self._ask("POST", "drop", {"names": wanted}, dropped=int)
        self._take_over(answer)
        with self._turn:
            for name in wanted:
                self._keys.pop(name, None)
            self.generation += 1
        dropped: int = answer["dropped"]
        return dropped

    @property
    def exists(self) -> bool:
        """Whether any key was ever made there."""
        return bool(self.store)

    @property
    def record(self) -> dict[str, Any]:
        """What ``keys.json`` says is known only where it lies: empty."""
        return {}

    def rotate(self, _secret: str | None = None) -> NoReturn:
        """Raises UsageError: the epoch key lies where the keys are held."""
        raise self._only_there()

    def export(self, _file: Path, _passphrase: str, _replace: bool = False) -> NoReturn:
        """Raises UsageError: a recovery file is kept up to date where the keys are held."""
        raise self._only_there()

    def take_from(self, _file: Path, _passphrase: str) -> NoReturn:
        """Raises UsageError: keys are taken back where they are held."""
        raise self._only_there()

    def _only_there(self) -> UsageError:
        return UsageError(
            f"The keys are held by {self.url} ({HOLDER}). Nothing was changed. Type the same command on the computer "
            f"where fewshot key serve runs, without {HOLDER}."
        )

    def _take_over(self, answer: dict[str, Any]) -> None:
        state = (answer["store"], answer["generation"])
        with self._turn:
            if state != self._state:
                self._keys, self._state = {}, state
                self.generation += 1

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None, **parts: type) -> dict[str, Any]:
        """The answer, which has these parts of these types; that of a change also has the state."""
        import requests

        try:
            answer = self._sent(method, path, body)
            told = answer.json() if answer.status_code == requests.codes.ok else {}
        except (OSError, ValueError) as error:  # those of requests too; OSError: the certificate's file is missing
            self._fail(_why(error), error)
        if answer.status_code in (requests.codes.unauthorized, requests.codes.too_many_requests):
            self._fail(later("it refuses the token in {variable}", variable=TOKEN))
        if answer.status_code != requests.codes.ok:
            self._fail(later("it answers with an error ({status}); its log says why", status=answer.status_code))
        wanted = parts if body is None else {**_STATE, **parts}
        if not isinstance(told, dict) or not all(isinstance(told.get(name), kind) for name, kind in wanted.items()):
            self._fail(_NOT_ONE)
        return told

    def _sent(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        import requests

        def send() -> requests.Response:
            return self._web.request(method, f"{self.url}/{path}", json=body, timeout=PATIENCE, allow_redirects=False)

        asked = time.monotonic()
        with self._turn:  # one connection, which stays open
            if self._failed is not None and self._failed[0] > asked:
                raise self._failed[1]  # else each of many threads would wait after the one before
            try:
                try:
                    return send()
                except requests.ConnectionError as error:
                    if isinstance(error, (requests.exceptions.Timeout, requests.exceptions.SSLError)):
                        raise
                    # The holder was started anew, or closed a connection that was not used for a while. It does no harm
                    # if the request was carried out: keys that nobody uses are made, or those that are gone dropped.
                    return send()
            except OSError as error:
                self._failed = time.monotonic(), error
                raise

    def _bytes(self, text: object) -> bytes:
        try:
            key = bytes.fromhex(str(text))
        except ValueError:
            key = b""
        if len(key) != KEY_BYTES:
            self._fail(_NOT_ONE)
        return key

    def _fail(self, why: str, error: Exception | None = None) -> NoReturn:
        raise KeysUnusable(
            later(
                "The keys of the encryption are held by {url} ({holder}), and {why}. Nothing was changed. Check "
                "the address, the network, and that fewshot key serve runs there.",
                url=self.url,
                holder=HOLDER,
                why=why,
            )
        ) from error


def _why(error: Exception) -> str:
    import requests

    if isinstance(error, requests.exceptions.SSLError):
        return later("its certificate is not trusted")
    if isinstance(error, requests.exceptions.JSONDecodeError):
        return _NOT_ONE
    if isinstance(error, requests.RequestException):
        return later("it does not answer")
    return later("the file in {variable} cannot be used", variable=CERTIFICATE)


def held_elsewhere(kind: type[HeldKeys] = HeldKeys) -> HeldKeys | None:
    """The keys that $FEWSHOT_KEY_HOLDER holds; None if the variable is not set.

    Args:
        kind: of the object.

    Raises:
        UsageError: the address or the token cannot be used.
    """
    url = os.environ.get(HOLDER, "").strip()
    if not url:
        return None
    return kind(url, secret_variable(TOKEN) or "", os.environ.get(CERTIFICATE) or None)


def checked_address(url: str) -> str:
    """The address of a key holder, without a slash at the end.

    Raises:
        UsageError: it is not one, or keys would travel without TLS.
    """
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        parts, fits = urlsplit(""), False
    if not fits or "@" in parts.netloc or parts.path.strip("/") or parts.query or parts.fragment:
        raise UsageError(
            f"{HOLDER} is not the address of a key holder.", hint=f"For example: {HOLDER}=https://keys.example.org:8470"
        )
    if parts.scheme == "http" and not is_this_computer(str(parts.hostname)):
        raise UsageError(
            f"{HOLDER} begins with http://, so the keys would cross the network without TLS. Nothing was sent. Use its "
            "https:// address.",
            hint="The key holder needs a certificate: fewshot key serve --certificate FILE --private-key FILE",
        )
    return f"{parts.scheme}://{parts.netloc}"


def checked_token(token: str) -> str:
    """The token. Raises UsageError if it is too short or too even to be a secret, or cannot be sent."""
    if (
        len(token) < SHORTEST_TOKEN
        or len(set(token)) < FEWEST_LETTERS
        or not token.isascii()
        or not token.isprintable()
        or " " in token
    ):
        raise UsageError(
            f"{TOKEN} must hold a random secret of at least {SHORTEST_TOKEN} letters and digits without blanks. Make "
            "one with: openssl rand -hex 32"
        )
    return token
