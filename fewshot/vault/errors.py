"""Errors about keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fewshot.errors import StoreError
from fewshot.translation import later, together


class KeysUnusable(StoreError):
    """The keys of this installation cannot be opened or written, so nothing that is encrypted can be read."""


class KeyGone(StoreError):
    """One key is not there: it was dropped by an erasure, or the keys are of another installation.

    Attributes:
        key: id of the key.
    """

    def __init__(self, key: str) -> None:
        super().__init__(
            later(
                "A part of the database is encrypted with a key that is not among the keys of this installation. It "
                "was erased, or the database was copied here without its keys. The database was not changed."
            ),
            hint="To see what can be read, type: fewshot key check",
        )
        self.key = key


def wrong_secret(path: Path, variable: str, record: dict[str, Any], given: bool) -> KeysUnusable:
    """The error for keys that the secret of the environment does not open.

    Args:
        path: of the keys.
        variable: name of the environment variable.
        record: what ``path`` says.
        given: whether the variable is set.
    """
    if record.get("secret") and not given:
        return KeysUnusable(
            later(
                "The keys in {path} can be opened only with {variable}, and this variable is not set. Set it to "
                "the value that was used when they were made, and start fewshot again.",
                path=path,
                variable=variable,
            )
        )
    if given:
        wrong = later("The value of {variable} does not open the keys in {path}.", variable=variable, path=path)
        if record.get("secret"):
            return KeysUnusable(together(wrong, later("Set it to the value that was used when they were made.")))
        made = later("Set it to the value that was used when they were made: they were made without this variable.")
        return KeysUnusable(together(wrong, made))
    return lost_keys(path, later("its check does not fit the key of this installation"))


def lost_keys(path: Path, why: str) -> KeysUnusable:
    """The error for a file of keys that cannot be used."""
    return KeysUnusable(
        later(
            "The file {path} holds the keys of the encryption and cannot be used ({why}). The database was not "
            "changed. Put a copy of this file in its place, or use the recovery file that was made for this case.",
            path=path,
            why=why,
        ),
        hint="To use the recovery file, type: fewshot key import FILE",
    )
