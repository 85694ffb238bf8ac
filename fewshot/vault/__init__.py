"""Encryption of what is kept about students: one key for each student, so that dropping the key erases the student.

``cipher`` seals single values, ``key_file`` keeps the keys, ``vault`` gives the database what it needs of both.
"""

from fewshot.vault.errors import KeyGone, KeysUnusable
from fewshot.vault.key_file import FileKeys
from fewshot.vault.store import KeyStore, MemoryKeys
from fewshot.vault.vault import Vault

__all__ = ["FileKeys", "KeyGone", "KeyStore", "KeysUnusable", "MemoryKeys", "Vault"]
