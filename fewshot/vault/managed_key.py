"""The key of a managed backup: whoever writes the backup knows no passphrase, and whoever opens it needs one.

It is made of a random key, which only the passphrase of the recovery file opens, and of a key of the key store. So the
passphrase alone opens nothing, and nobody without the keys can write a backup that is taken for ours.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fewshot.errors import StoreError, UsageError
from fewshot.vault.cipher import derived, new_key
from fewshot.vault.container import Header, damaged
from fewshot.vault.errors import KeyGone, KeysUnusable
from fewshot.vault.recovery import open_sealed, seal_to
from fewshot.vault.store import KeyStore

_PURPOSE = b"fewshot managed backup"


def managed_part(pair: Mapping[str, Any], keys: KeyStore, name: str, line: int) -> tuple[dict[str, Any], bytes]:
    """What the header of a new managed backup holds, and its key.

    Args:
        pair: the key pair of the recovery files; only its public half is used.
        keys: of the installation.
        name: id of a key of theirs that is never dropped.
        line: number of the newest line in the audit log of the database.

    Raises:
        KeyGone, KeysUnusable: there is no such key.
    """
    fresh = new_key()
    record = {"public": pair["public"], "private": dict(pair["private"])}
    record |= {"key": name, "store": keys.store, "line": line}
    box = seal_to(pair["public"], fresh, _bound(record))
    return record | {"box": base64.b64encode(box).decode("ascii")}, derived(fresh, keys.key(name), _PURPOSE)


def managed_secret(path: Path, header: Header, passphrase: str, keys: KeyStore) -> bytes:
    """The key of a managed backup.

    Args:
        path: of the backup, for the errors.
        header: its header.
        passphrase: of the recovery file that there was when the backup was made.
        keys: of the installation that made it.

    Raises:
        UsageError: the passphrase is wrong.
        StoreError: the keys are not here, or the header was changed.
    """
    record = dict(header.managed or {})
    key = managed_key(path, header, keys)
    try:
        fresh = open_sealed(record, passphrase, base64.b64decode(record["box"]), _bound(record))
    except UsageError as error:
        raise UsageError(
            f"The passphrase does not open {path}. Nothing was changed. This is a managed backup. Type the same "
            "command again, with the passphrase that the recovery file had when the backup was made."
        ) from error
    except ValueError as error:
        raise damaged(path, "its key cannot be opened") from error
    return derived(fresh, key, _PURPOSE)


def managed_key(path: Path, header: Header, keys: KeyStore) -> bytes:
    """The half of the key of a managed backup that the key store holds.

    Raises:
        StoreError: the keys are not here.
    """
    try:
        return keys.key(str((header.managed or {})["key"]))
    except (KeyGone, KeysUnusable) as error:
        if isinstance(error, KeysUnusable) and keys.store:
            raise
        raise StoreError(
            f"The keys that encrypt the backup {path} are not on this computer. Nothing was changed. Use the recovery "
            "file of the computer where the backup was made.",
            hint="Type first: fewshot key import FILE",
        ) from error


def _bound(record: Mapping[str, Any]) -> bytes:
    return f"managed backup|{record['store']}|{record['key']}|{record['line']}".encode()
