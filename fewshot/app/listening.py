"""Where the app listens, and under which names it may be called.

It listens to other computers only if people must log in, or if that is asked for in so many words.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

from fewshot.errors import UsageError

LOOPBACK = "127.0.0.1"
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Listening:
    """An address of this computer to listen at.

    Attributes:
        address: a literal IPv4 or IPv6 address, so that no later look-up of a name can change it.
        name: what a browser on this computer types.
        given: as it was written.
    """

    address: str
    name: str
    given: str

    @property
    def local(self) -> bool:
        """Whether only this computer can reach it."""
        return _is_loopback(self.address)

    @property
    def everywhere(self) -> bool:
        """Whether it stands for all addresses of this computer."""
        return _plain(self.address).is_unspecified

    def url(self, port: int, certificate: bool = False) -> str:
        """The first page; with a certificate over HTTPS."""
        return f"{'https' if certificate else 'http'}://{_bracketed(self.name)}:{port}"

    def hosts(self, port: int) -> frozenset[str]:
        """The values of the header Host that are this app, in lower case: our own names with the served port.

        A hostile page can only send a name that it owns, so literal addresses of this computer are safe.
        """
        names = {LOOPBACK, "localhost", "::1"}
        if self.everywhere:
            names |= {"0.0.0.0", "::", *_own_addresses(), *_own_names()}  # nosec B104: compared with, not bound to
        else:
            names |= {self.address, self.name}
            if not self.local:
                names |= {self.given.strip("[] "), *_own_names()}
        shown = {_bracketed(name.lower()) for name in names if name}
        # A browser leaves out the port that is the scheme's own.
        return frozenset({f"{name}:{port}" for name in shown} | (shown if port in _DEFAULT_PORTS.values() else set()))


def listening_at(given: str) -> Listening:
    """Find the address that a name, an address or "" (all addresses) means.

    Raises:
        UsageError: it is not an address or name of a computer.
    """
    text = given.strip()
    inner = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if inner in ("", "*"):
        return Listening("0.0.0.0", "localhost", given)  # nosec B104: asked for by whoever started the app
    try:
        found = socket.getaddrinfo(inner, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError, ValueError) as error:
        raise UsageError(
            f"{given!r} is not an address of this computer. Expected an address (127.0.0.1) or a computer's name.",
            hint="To listen to this computer only, leave --host out: fewshot app",
        ) from error
    addresses = [str(where[0]) for *_, where in found]
    # A name that means this computer and another address is not only this computer; 127.0.0.1 is what browsers try.
    strict = [address for address in addresses if not _is_loopback(address)]
    address = strict[0] if strict else (LOOPBACK if LOOPBACK in addresses else addresses[0])
    name = "localhost" if address == LOOPBACK or _plain(address).is_unspecified else inner
    return Listening(address, name, given)


def reachable_elsewhere(public: Mapping[str, str]) -> dict[str, str]:
    """Those of ``public_origins`` that other computers can reach: all but names of this computer itself."""
    return {host: origin for host, origin in public.items() if not _means_this_computer(origin)}


def _means_this_computer(origin: str) -> bool:
    name = (urlsplit(origin).hostname or "").rstrip(".")
    try:
        return _is_loopback(name)
    except ValueError:  # a name, which browsers do not look up if it is this one
        return name == "localhost" or name.endswith(".localhost")


def refuse_without_login(where: Listening, source: str, public: Mapping[str, str], removed: bool = False) -> None:
    """Refuse to let other computers in where nobody could log in.

    Args:
        where: the address to listen at.
        source: what asked for it: an option, a variable or a file.
        public: see ``public_origins``.
        removed: whether there were accounts once.

    Raises:
        UsageError: other computers could reach the app.
    """
    given, lacks = where.given, "no login and no TLS"
    if where.local:
        elsewhere = reachable_elsewhere(public)
        if not elsewhere:
            return
        source, given = "--public-url", next(iter(elsewhere.values()))
        lacks = "no login" if given.startswith("https://") else lacks
    accounts = "its last account was removed" if removed else "it has no account"
    raise UsageError(
        f"The app does not start: {source} lets other computers reach it (address {given!r}), and {accounts}, so it "
        f"would have {lacks}. Everybody who reaches it could see and delete every class.",
        hint="For this computer only, type: fewshot app --host 127.0.0.1. To reach it from another computer, type on "
        "that one: ssh -L 8501:localhost:8501 NAME-OF-THIS-COMPUTER. For more people, type: fewshot accounts add NAME, "
        "and put a reverse proxy with HTTPS before it: fewshot app --host 127.0.0.1 --public-url https://NAME. To let "
        "everybody in all the same, or if the proxy itself asks for a password, add --without-login.",
    )


def origin_of(url: str, option: str = "--public-url") -> str:
    """The origin of a URL: scheme and host in lower case, and the port if it is not the scheme's own.

    Raises:
        UsageError: it is not the address of a site.
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    usual = parts.scheme in _DEFAULT_PORTS and parts.hostname and parts.username is None and parts.path in ("", "/")
    if not usual or parts.query or parts.fragment or "*" in url:
        raise UsageError(
            f"{option} {url!r} is not the address of a site. Expected https://NAME or https://NAME:PORT, with no path.",
            hint=f"For example: fewshot app {option} https://class.example.org",
        )
    name = _bracketed(str(parts.hostname).lower())
    return f"{parts.scheme}://{with_port(name, parts.scheme, port)}"


def public_origins(urls: Sequence[str]) -> dict[str, str]:
    """Host -> origin of the public addresses of the app; see ``origin_of``."""
    return {origin.split("://", 1)[1]: origin for origin in map(origin_of, urls)}


def place_of(where: Listening, public: Mapping[str, str]) -> str:
    """Under which name other computers reach it; "" if only this computer can.

    Args:
        where: the address that it listens at.
        public: see ``public_origins``.
    """
    if elsewhere := reachable_elsewhere(public):
        return next(iter(elsewhere)).partition(":")[0]
    if where.local:
        return ""
    return socket.gethostname() if where.everywhere else where.name


def with_port(host: str, scheme: str, port: int | None) -> str:
    """``host:port`` as a browser writes it: without a port that is the scheme's own."""
    return host if port in (None, _DEFAULT_PORTS[scheme]) else f"{host}:{port}"


def _plain(address: str) -> IPv4Address | IPv6Address:
    found = ip_address(address.partition("%")[0])
    return getattr(found, "ipv4_mapped", None) or found


def _is_loopback(address: str) -> bool:
    return _plain(address).is_loopback


def _bracketed(name: str) -> str:
    return f"[{name}]" if ":" in name and not name.startswith("[") else name


def _own_addresses() -> set[str]:
    import psutil

    return {
        entry.address.partition("%")[0]
        for entries in psutil.net_if_addrs().values()
        for entry in entries
        if entry.family in (socket.AF_INET, socket.AF_INET6)
    }


def _own_names() -> set[str]:
    name = socket.gethostname()
    return {name, f"{name}.local"} if name else set()
