"""Seals single values: AES-256-GCM, bound to the place where the value stands.

A sealed value is the version (1 byte), the tag of its key (8 bytes), a random nonce (12 bytes), and the encrypted bytes
with their check (16 bytes more than the plain ones). What is bound with it is not stored: table, column and random id
of the row. So a value that is moved to another row or column does not open.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import os
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

PLAIN, SEALED = 0, 1
"""The first byte of a value: it was written before values were sealed, or it is sealed."""

KEY_BYTES = 32
TAG_BYTES, NONCE_BYTES = 8, 12
_FRONT = 1 + TAG_BYTES + NONCE_BYTES


class NotSealedHere(ValueError):
    """A value was changed, moved from another row, or sealed with another key."""


def new_key() -> bytes:
    """A random key, 32 bytes."""
    return os.urandom(KEY_BYTES)


def new_id() -> str:
    """A random id of a key or a row, 16 hex digits."""
    return secrets.token_hex(8)


def derived(key: bytes, salt: bytes, purpose: bytes) -> bytes:
    """A key that only both ``key`` and ``salt`` give, 32 bytes (HKDF with SHA-256, RFC 5869)."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(SHA256(), KEY_BYTES, salt, purpose).derive(key)


def blind(key: bytes, text: str) -> str:
    """A blind index: equal texts give equal results, and without the key no text can be guessed. 64 hex digits."""
    return hmac.new(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def tag_of(*names: str) -> bytes:
    """How a sealed value names its keys, 8 bytes."""
    return hashlib.sha256("+".join(names).encode()).digest()[:TAG_BYTES]


def names_these_keys(value: bytes, *names: str) -> bool:
    """Whether a value has the tag of these keys."""
    return value[1 : 1 + TAG_BYTES] == tag_of(*names)


class Cipher:
    """Seals and opens values with one key; threads may share it.

    Args:
        key: 32 bytes.
        names: ids of the keys that it was made of; they become the tag.
    """

    def __init__(self, key: bytes, *names: str) -> None:
        self._tag = tag_of(*names)
        self._front = bytes([SEALED]) + self._tag
        self._aead = _aead(key)
        self.key = key

    def seal(self, plain: bytes, bound: bytes) -> bytes:
        """Encrypt a value. ``bound`` says where it stands, and must be given again to open it."""
        nonce = os.urandom(NONCE_BYTES)
        return self._front + nonce + self._aead.encrypt(nonce, plain, bound)

    def sealed(self, value: bytes) -> bool:
        """Whether a value names this key as its own; ``open`` proves it."""
        return value[1 : 1 + TAG_BYTES] == self._tag

    def open(self, sealed: bytes, bound: bytes) -> bytes:
        """The value.

        Raises:
            NotSealedHere: it was changed, moved, or sealed with another key.
        """
        if not sealed.startswith(self._front):
            other = sealed[:1] == bytes([SEALED])
            raise NotSealedHere("it was sealed with another key" if other else "its first byte was changed")
        try:
            return self._aead.decrypt(sealed[1 + TAG_BYTES : _FRONT], sealed[_FRONT:], bound)
        except _failures() as error:
            raise NotSealedHere("it was changed, or it stood in another row") from error


def _aead(key: bytes) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)


@functools.cache
def _failures() -> tuple[type[Exception], ...]:
    from cryptography.exceptions import InvalidTag

    return InvalidTag, ValueError
