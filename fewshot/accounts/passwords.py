"""Passwords: what they must be like, and their hashes (argon2id, RFC 9106).

A hash takes 64 MiB of memory while it is computed, so only a few are computed at once.
"""

from __future__ import annotations

import functools
import re
import secrets
import threading
import unicodedata
from typing import TYPE_CHECKING

from fewshot.classroom.names import folded
from fewshot.errors import UsageError, has_stray_bytes
from fewshot.translation import later

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SHORTEST, LONGEST = 12, 256
AT_ONCE = 2
"""Hashes that are computed at the same time; the others wait."""

_DIFFERENT = 5
_BESIDES_THE_NAME = 6
_turn = threading.BoundedSemaphore(AT_ONCE)
# Without signs that look alike, for somebody who reads it from paper.
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def check_password(password: str, name: str) -> str:
    """Check that a new password is hard to guess.

    Args:
        password: as it was typed.
        name: of its account.

    Returns:
        The password in the form that is hashed, so that every keyboard gives the same one.

    Raises:
        UsageError: it is too short or too long, it is little else than the name, or it repeats a few characters.
    """
    plain = _normal(password)
    if has_stray_bytes(password):
        raise UsageError(later("The password is not written in UTF-8. It was not saved. Choose another."))
    if not SHORTEST <= len(plain) <= LONGEST:
        raise UsageError(
            later(
                "A password must have {least} to {most} characters. It was not saved. Choose another.",
                least=SHORTEST,
                most=LONGEST,
            )
        )
    if len(set(plain)) < _DIFFERENT:
        raise UsageError(
            later(
                "The password repeats a few characters. It must have at least {number} different ones. It was not "
                "saved. Choose another.",
                number=_DIFFERENT,
            )
        )
    if len(_besides(plain, name)) < _BESIDES_THE_NAME:
        raise UsageError(later("The password is the name, or little else. It was not saved. Choose another."))
    return plain


def same_password(one: str, other: str) -> bool:
    """Whether two passwords have one hash: the same characters, in any form that a keyboard gives."""
    return _normal(one) == _normal(other)


def hash_of(password: str) -> str:
    """The argon2id hash of a password that was checked, with its salt and costs."""
    with _turn:
        return _hasher().hash(_normal(password))


def is_right(hashed: str | None, password: str) -> bool:
    """Whether a password belongs to a hash. Without a hash it takes the same time, and is wrong."""
    from argon2.exceptions import Argon2Error, InvalidHashError

    typed = _normal(password)[: 2 * LONGEST].encode("utf-8", "surrogatepass")
    with _turn:
        try:
            _hasher().verify(hashed or _nobodys(), typed)
        except (Argon2Error, InvalidHashError):
            return False
    return hashed is not None


def warm_up() -> None:
    """Compute what the first refusal would otherwise take longer for than all later ones."""
    _nobodys()


def one_time_password() -> str:
    """A password for the first login: 20 characters in groups of five, about 99 bits."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(4))


def _normal(password: str) -> str:
    return unicodedata.normalize("NFKC", password)


def _besides(password: str, name: str) -> str:
    """The letters and digits of a password without the name and its words."""
    left = _letters(password)
    words = {_letters(word) for word in re.split(r"[\s._@-]+", name)} | {_letters(name)}
    for word in sorted(words, key=len, reverse=True):
        if len(word) > 2 or word == left:
            left = left.replace(word, "").replace(word[::-1], "")
    return left


def _letters(text: str) -> str:
    return "".join(letter for letter in folded(_normal(text)) if not letter.isspace() and letter not in "._@-")


@functools.cache
def _hasher() -> PasswordHasher:
    try:
        from argon2 import PasswordHasher
    except ImportError as error:
        raise UsageError(
            later("Passwords need the package argon2-cffi, which is not installed."),
            hint="To install it, type in the project's folder: pip install '.[app]'",
        ) from error
    return PasswordHasher()


@functools.cache
def _nobodys() -> str:
    """A hash that no password has, with the same costs as the others."""
    return _hasher().hash(secrets.token_urlsafe(32))
