"""Encryption of what is kept about students: one key for each student, so that dropping the key erases the student.

``cipher`` seals single values, ``file_keys`` keeps the keys, ``held_keys`` asks another computer for them, ``vault``
gives the database what it needs of both.
"""

from fewshot.vault.errors import KeyGone, KeysUnusable
from fewshot.vault.file_keys import FileKeys
from fewshot.vault.held_keys import HeldKeys
from fewshot.vault.store import KeyStore, MemoryKeys
from fewshot.vault.vault import Vault

__all__ = ["FileKeys", "HeldKeys", "KeyGone", "KeyStore", "KeysUnusable", "MemoryKeys", "Vault"]
