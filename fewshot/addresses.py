"""Takes secrets out of addresses, before they are shown, logged, stored or raised.

What may remain is listed, and everything else goes, because nobody can list where cameras put their secrets: the
scheme, the host, the port, the path, and a few settings of a query. ``***`` stands for what was taken out. Where an
address can be read in two ways (a password may contain ``/``, ``?``, ``#`` and ``@``), the reading that shows less is
taken.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from itertools import pairwise
from urllib.parse import unquote

MASK = "***"
HARMLESS = frozenset({
    "audio", "cam", "camera", "ch", "channel", "codec", "format", "fps", "height", "latency", "live", "mode", "profile",
    "proto", "quality", "resolution", "rotation", "stream", "streamtype", "subtype", "timeout", "transport",
    "transportmode", "unicast", "video", "width",
})  # fmt: skip
"""Keys of a query that may remain, with a short value."""

_ADDRESS = re.compile(r"\s*([A-Za-z][A-Za-z0-9+.-]+)://(.*)", re.DOTALL)
"""A scheme has two letters at least: C:// is a drive."""
_MISTYPED = re.compile(r"\s*(rtsps?|rtmp|https?|udp|tcp|srt|rtp)(?::/?|//)(?!/)(.*)", re.DOTALL | re.IGNORECASE)
_IN_TEXT = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://(?:[^\s/@]*@)?[^\s'\"<>|]+")
"""A user's password may contain what otherwise ends an address in a sentence."""
_HOST = re.compile(r"(\[[0-9A-Fa-f:.%\w]+\]|[\w.~-]+)(?::(\d{1,5}))?", re.ASCII | re.IGNORECASE)
_VALUE = re.compile(r"[A-Za-z0-9._-]{0,12}")
_KEYED_SCHEMES = frozenset({"rtmp", "rtmpe", "rtmps", "rtmpt", "rtmpte", "rtmpts"})
_SECRET_WORDS = frozenset({
    "apikey", "auth", "key", "pass", "passphrase", "passwd", "password", "pin", "pwd", "secret", "sid", "streamkey",
    "token",
})  # fmt: skip
"""Words of a part of a path behind which the secret itself is the next part."""
_LEAST_RANDOM = 15
"""Letters and digits of a key in a path: some cameras and services have no other password."""


def is_this_computer(host: str) -> bool:
    """Whether what is sent to a host never leaves this computer.

    >>> is_this_computer("127.0.0.1"), is_this_computer("::1"), is_this_computer("localhost.example.org")
    (True, True, False)
    """
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def public_address(text: str) -> str:
    """An address without its secrets; any other text (a path, a camera number) as it is.

    >>> public_address("rtsp://admin:pa/ss#1@192.168.1.20:554/stream1?channel=2&token=abc")
    'rtsp://***@192.168.1.20:554/stream1?channel=2&***'
    >>> public_address("C:\\\\lessons\\\\anna@home#1.mp4")
    'C:\\\\lessons\\\\anna@home#1.mp4'
    """
    found = _ADDRESS.fullmatch(text) or _MISTYPED.fullmatch(text)
    if found is None:  # "concat:rtsp://...|rtsp://...": addresses inside another one
        return without_secrets(text)
    scheme, rest = found.groups()
    user, rest = _without_user(rest)
    cut = re.search(r"[/?#]", rest)
    authority, tail = (rest[: cut.start()], rest[cut.start() :]) if cut else (rest, "")
    tail = tail.partition("#")[0]
    path, asked, query = tail.partition("?")
    shown = f"{scheme}://{f'{MASK}@' if user else ''}{_host(authority)}{_path(path, scheme)}"
    return shown + (f"?{_query(query)}" if asked and query else "")


def public_source(text: str) -> str:
    """The source of a lesson, which may be several inputs with commas between them, without secrets."""
    parts: list[str] = []
    for part in text.split(", "):
        # A password may contain a comma: what follows an address and is none, but has an @, belongs to it.
        if parts and "://" in parts[-1] and "@" in part and not _ADDRESS.fullmatch(part):
            parts[-1] += f", {part}"
        else:
            parts.append(part)
    return ", ".join(map(public_address, parts))


def without_secrets(text: str) -> str:
    """A sentence or a traceback with every address in it made public."""
    return _IN_TEXT.sub(lambda found: _in_sentence(found.group()), text) if "://" in text else text


def missing_file(text: str) -> str:
    """A name that is no file: perhaps an address without its scheme, ``admin:secret@192.168.1.20/stream``."""
    schemeless = text.startswith("//")
    text = text.lstrip("/") if schemeless else text
    address, least = public_address(text), 1 if schemeless else 2  # one letter is a drive
    if address == text and re.match(rf"[^\s/\\:@]{{{least},}}:[^\\]", text) and "@" in text:
        return f"{MASK}@{public_address('http://' + text.rpartition('@')[2]).removeprefix('http://')}"
    return address


def _in_sentence(address: str) -> str:
    """The address is followed by the sentence's own full stop or bracket, which stays."""
    core = address.rstrip(").,;:")
    return public_address(core) + address[len(core) :]


def _without_user(rest: str) -> tuple[bool, str]:
    """Whether there is a user name or password, and what comes after it."""
    cut = re.search(r"[/?#]", rest)
    authority = rest[: cut.start()] if cut else rest
    if "@" not in authority and "@" in _decoded(authority):
        return True, _decoded(authority).rpartition("@")[2] + rest[len(authority) :]
    if "@" not in rest:
        return False, rest
    before, _, after = rest.rpartition("@")
    follows = re.split(r"[/?#]", after, maxsplit=1)[0]
    ends = follows == after  # nothing after it: perhaps only the end of a path, such as /cam@1
    looks_like_host = _is_host(follows) or (not ends and bool(_HOST.fullmatch(follows)))
    if "@" in authority:
        inner = authority.rpartition("@")[2]
        if len(before) < len(authority) or (_is_host(inner) and not looks_like_host):
            return True, rest[len(authority) - len(inner) :]
        return True, after
    if ":" not in authority or _is_ip(authority) or (_is_host(authority) and not looks_like_host):
        return False, rest
    return True, after


def _is_host(text: str) -> bool:
    """Whether it is certainly a host, and not a user name with a password."""
    found = _HOST.fullmatch(text)
    return bool(found) and ("." in text or text.startswith(("[", "localhost")))


def _is_ip(authority: str) -> bool:
    found = _HOST.fullmatch(authority)
    if not found:
        return False
    try:
        ip_address(found.group(1).strip("[]"))
    except ValueError:
        return False
    return True


def _host(authority: str) -> str:
    return authority if _HOST.fullmatch(authority) or not authority else MASK


def _path(path: str, scheme: str) -> str:
    """Each part of the path up to its first ``;``; some cameras put ``user=...&password=...`` into a part.

    What stands behind a part such as ``token`` is a secret. So is what stands behind the first part of a path of RTMP:
    the key of the stream, which some people choose themselves, so that it does not look random.
    """
    parts = path.split("/")
    if scheme.lower() in _KEYED_SCHEMES:
        return "/".join([*map(_part, parts[:2]), *([MASK] if any(parts[2:]) else [])])
    named = [_words(before) & _SECRET_WORDS for before in ["", *parts]]
    return "/".join(MASK if part and secret else _part(part) for secret, part in zip(named, parts, strict=False))


def _words(part: str) -> set[str]:
    return set(re.split(r"[^a-z]+", _decoded(part).lower()))


def _part(part: str) -> str:
    name, cut, _ = part.partition(";")
    if re.search(r"[=;?#&:@]", _decoded(name)) and not re.fullmatch(r"[\w.~@-]*", name):
        return MASK
    if _is_random(name):
        name = MASK
    return f"{name};{MASK}" if cut else name


def _is_random(name: str) -> bool:
    """Whether a part of a path looks like a key, and not like words: its letters change their kind at every turn."""
    signs = [sign for sign in name if sign.isalnum()]
    if len(signs) < _LEAST_RANDOM or not re.fullmatch(r"[\w-]+", name):
        return False
    kinds = ["digit" if sign.isdigit() else "capital" if sign.isupper() else "letter" for sign in signs]
    return 3 * sum(one != other for one, other in pairwise(kinds)) >= len(signs)


def _query(query: str) -> str:
    kept, taken = [], False
    for item in re.split(r"[&;]", query):
        key, _, value = item.partition("=")
        if key.lower() in HARMLESS and _VALUE.fullmatch(value):
            kept.append(item)
        else:
            taken = taken or bool(item)
    return "&".join([*kept, *([MASK] if taken else [])])


def _decoded(text: str) -> str:
    """Without percent escapes, also those that were escaped again."""
    for _ in range(5):
        plain = unquote(text)
        if plain == text:
            break
        text = plain
    return text
