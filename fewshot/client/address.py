"""Where a service is: pictures of people leave this computer only through TLS."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from fewshot.addresses import is_this_computer, without_secrets
from fewshot.classroom.places import where_pictures_go
from fewshot.errors import FewshotError, UsageError


@dataclass(frozen=True, slots=True)
class Address:
    """The address of a service.

    Attributes:
        http: of its requests, such as "https://class.example.org/api".
        sockets: of its WebSockets.
        host: its name.
        local: whether it runs on this computer.
    """

    http: str
    sockets: str
    host: str
    local: bool

    @property
    def place(self) -> str:
        """Where pictures go; "" is this computer."""
        return "" if self.local else self.host

    def sentence(self) -> str:
        """Where pictures go, as a sentence for the person at this computer."""
        if self.local:
            return "Pictures go to the service on this computer and nowhere else."
        return where_pictures_go(self.host)


def address_of(url: str) -> Address:
    """The address that a person typed, with or without "/api".

    Raises:
        UsageError: it is not the address of a service, or pictures would leave this computer without TLS.
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    path = parts.path.rstrip("/")
    fits = parts.scheme in ("http", "https") and parts.hostname and parts.username is None and parts.password is None
    if not fits or parts.query or parts.fragment or path not in ("", "/api"):
        raise UsageError(
            f"{without_secrets(url)!r} is not the address of a service. Expected https:// and its name, with "
            "the port if it has one of its own.",
            hint="For example: FEWSHOT_API=https://class.example.org:8601",
        )
    host = str(parts.hostname)
    local = is_this_computer(host)
    if parts.scheme == "http" and not local:
        raise UsageError(
            f"Pictures of people would go to {host} without TLS, so that everybody in the network could see them. "
            "Nothing was sent. Use the https:// address of the service."
        )
    name = f"[{host}]" if ":" in host else host
    name = name if port is None else f"{name}:{port}"
    scheme = "wss" if parts.scheme == "https" else "ws"
    return Address(f"{parts.scheme}://{name}/api", f"{scheme}://{name}/api", host, local)


@contextmanager
def understood(host: str) -> Iterator[None]:
    """Around what reads an answer of a service.

    Raises:
        FewshotError: the answer has another form, such as that of another version.
    """
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FewshotError(
            f"The service at {host} sent an answer that cannot be read ({type(error).__name__}). Check its address, "
            "and install the same version of fewshot on both computers."
        ) from error


def unreachable(host: str, error: Exception) -> FewshotError:
    """The error for a service that does not answer, or whose certificate is not trusted."""
    import requests

    if isinstance(error, requests.exceptions.SSLError | ssl.SSLError):
        return FewshotError(
            f"The certificate of {host} is not trusted, so nothing was sent. If the school has its own authority, "
            "name its certificate in FEWSHOT_API_CERTIFICATE."
        )
    kind = type(error).__name__
    return FewshotError(f"The service at {host} does not answer ({kind}). Check its address, and that it runs.")
