"""Errors about keys."""

from __future__ import annotations

from fewshot.errors import StoreError


class KeysUnusable(StoreError):
    """The keys of this installation cannot be opened or written, so nothing that is encrypted can be read."""


class KeyGone(StoreError):
    """One key is not there: it was dropped by an erasure, or the keys are of another installation.

    Attributes:
        key: id of the key.
    """

    def __init__(self, key: str) -> None:
        super().__init__(
            "A part of the database is encrypted with a key that is not among the keys of this installation. It was "
            "erased, or the database was copied here without its keys. The database was not changed.",
            hint="To see what can be read, type: fewshot key check",
        )
        self.key = key
