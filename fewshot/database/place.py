"""Where a database keeps its own files: its keys, the lists of what was erased and of its backups, and its copies.

They lie beside the file of a database. Those of a database on a server lie in the folder of its keys, named after a
file ``SERVER`` that is never there. So everything that works with the file beside a database works for both.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.engine import URL

from fewshot.database.address import address_of, is_file, named
from fewshot.models.files import home
from fewshot.vault import FileKeys, HeldKeys, KeyStore
from fewshot.vault.held_keys import held_elsewhere

FILE = "fewshot.db"
SERVER = "postgresql"


def keys_beside(file: Path | None) -> FileKeys | HeldKeys:
    """The keys of a database in a file; None: of one on a server, whose keys lie in the program's folder, or where
    $FEWSHOT_KEY_HOLDER says.

    Raises:
        UsageError: $FEWSHOT_KEY_HOLDER or its token cannot be used.
    """
    if file is not None:
        return FileKeys(file.parent)
    return held_elsewhere() or FileKeys(home())


def place_of_keys(keys: KeyStore) -> Path | None:
    """The file beside which the files of a database on a server lie; None if its keys are only in memory."""
    if isinstance(keys, FileKeys):
        return keys.folder / SERVER
    return home() / SERVER if isinstance(keys, HeldKeys) else None


def default_file() -> Path | None:
    """The file of the default database, which is neither opened nor created; None if it is not a file.

    Raises:
        UsageError: $FEWSHOT_DATABASE is not valid.
    """
    address = _default()
    if not is_file(address) or str(address.database).startswith("file:"):
        return None
    return Path(str(address.database))


def default_place() -> Path | None:
    """The file beside which the files of the default database lie; None of one in memory. Nothing is opened.

    Raises:
        UsageError: $FEWSHOT_DATABASE is not valid.
    """
    file = default_file()
    return home() / SERVER if file is None and _default().get_backend_name() == "postgresql" else file


def _default() -> URL:
    return address_of(named() or URL.create("sqlite", database=str(home() / FILE)))
