"""What the database needs of a key store, and the one for a database in memory."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable
from typing import Protocol

from fewshot.vault.cipher import new_id, new_key
from fewshot.vault.errors import KeyGone


class KeyStore(Protocol):
    """Keys by their random ids. Threads and programs may share one.

    Attributes:
        generation: grows with every change; whoever remembers keys forgets them then.
    """

    generation: int

    @property
    def store(self) -> str:
        """Random id of this store; "" before its first key is made."""
        ...

    def refresh(self) -> None:
        """Take over what other programs changed."""

    def key(self, name: str) -> bytes:
        """The key with this id. Raises KeyGone if it is not there, KeysUnusable if no key can be opened."""

    def make(self, count: int) -> list[str]:
        """New keys; they are on the disk when this returns. Raises KeysUnusable if they cannot be written."""

    def names(self) -> Collection[str]:
        """Ids of all keys. No key is opened."""

    def drop(self, names: Iterable[str]) -> int:
        """Forget keys for good; ids that are not there are skipped. Returns how many were there."""


class MemoryKeys:
    """Keys that are lost with this object."""

    def __init__(self) -> None:
        self.generation = 0
        self.store = "memory"
        self._keys: dict[str, bytes] = {}
        self._turn = threading.Lock()

    def refresh(self) -> None:
        """Nothing: no other program knows these keys."""

    def key(self, name: str) -> bytes:
        """See ``KeyStore``."""
        try:
            return self._keys[name]
        except KeyError:
            raise KeyGone(name) from None

    def make(self, count: int) -> list[str]:
        """See ``KeyStore``."""
        names = [new_id() for _ in range(count)]
        with self._turn:
            self._keys.update((name, new_key()) for name in names)
            self.generation += 1
        return names

    def names(self) -> Collection[str]:
        """See ``KeyStore``."""
        return set(self._keys)

    def drop(self, names: Iterable[str]) -> int:
        """See ``KeyStore``."""
        with self._turn:
            count = sum(self._keys.pop(name, None) is not None for name in set(names))
            self.generation += 1
            return count
