"""What a backup is made of: a copy of the database at one moment, and the header that describes it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fewshot import __version__
from fewshot.database.contents import fault_of, installation_in, migration_of
from fewshot.database.copies import snapshot
from fewshot.database.server_copy import copy_out
from fewshot.database.sessions import Sessions
from fewshot.database.upgrade import make_version
from fewshot.errors import StoreError
from fewshot.translation import later
from fewshot.vault.container import Header, new_secrets


def plain_copy(database: Sessions, folder: Path) -> Path:
    """Copy a database as it is at one moment, also while programs use it, into a file of SQLite.

    Args:
        database: in a file or on a server.
        folder: for the copy, which is as readable as the database.

    Raises:
        StoreError: the database is damaged, or its server cannot be reached.
        OSError, sqlite3.Error: a file cannot be read or written.
    """
    plain = folder / "content.db"
    if database.server is None:
        assert database.path is not None  # nosec B101
        snapshot(database.path, plain)
    else:
        with database.one_moment() as connection:
            copy_out(connection, plain, make_version)
    if fault := fault_of(plain):
        raise StoreError(
            later(
                "The database {store} is damaged ({fault}), so no backup was written.",
                store=database.path or database.url,
                fault=fault,
            )
        )
    return plain


def header_of(plain: Path, managed: Mapping[str, Any] | None = None) -> Header:
    """The header of a backup with this content; ``managed`` as in ``Header``."""
    with plain.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    return Header(
        made=datetime.now(UTC).isoformat(timespec="seconds"), program=__version__, migration=migration_of(plain),
        installation=installation_in(plain), kind="sqlite", size=plain.stat().st_size, sha256=digest.hexdigest(),
        **new_secrets(), managed=managed,
    )  # fmt: skip
