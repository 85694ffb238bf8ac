"""Gives the database ciphers by the ids of their keys, and remembers them until the keys change."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from fewshot.vault.cipher import Cipher, blind, derived
from fewshot.vault.store import KeyStore

_BOTH, _BLIND = b"fewshot both keys", b"fewshot blind index"


class Vault:
    """The keys of one database.

    Args:
        keys: where they are kept.
    """

    def __init__(self, keys: KeyStore) -> None:
        self.keys = keys
        self._ciphers: dict[tuple[str, ...], Cipher] = {}
        self._indexes: dict[str, bytes] = {}
        self._generation = -1

    def refresh(self) -> None:
        """Take over what other programs changed. Call it at the beginning of every transaction."""
        self.keys.refresh()
        self._forget()

    def cipher(self, *names: str) -> Cipher:
        """The cipher of one key, or the one that only all of these keys together give.

        Raises:
            KeyGone: one of them is not there.
            KeysUnusable: no key can be opened.
        """
        self._forget()
        ciphers = self._ciphers  # another thread may forget them meanwhile, and then this one must be forgotten too
        known = ciphers.get(names)
        if known is None:
            key = self.keys.key(names[0])
            for name in names[1:]:
                key = derived(key, self.keys.key(name), _BOTH)
            known = ciphers[names] = Cipher(key, *names)
        return known

    def blind(self, name: str, text: str) -> str:
        """The blind index of a text under a key, 64 hex digits. Raises KeyGone if the key is not there."""
        self._forget()
        indexes = self._indexes
        known = indexes.get(name)
        if known is None:
            known = indexes[name] = derived(self.keys.key(name), b"", _BLIND)
        return blind(known, text)

    def make(self, count: int) -> list[str]:
        """Ids of new keys, which are on the disk."""
        return self.keys.make(count)

    def drop(self, names: Iterable[str]) -> int:
        """Forget keys for good. Returns how many were there."""
        count = self.keys.drop(names)
        self._forget()
        return count

    def names(self) -> Collection[str]:
        """Ids of all keys."""
        return self.keys.names()

    def _forget(self) -> None:
        if self._generation != self.keys.generation:
            self._ciphers, self._indexes, self._generation = {}, {}, self.keys.generation
