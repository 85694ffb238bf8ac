"""Keeps the texts of classes beside the database, sealed, so that an older backup gets them back if it is lost.

An erasure seals the texts that stay with a new key and drops the old one. So in a backup of before they cannot be read,
and where the database is lost too, the name of a class would be gone. This file is written anew by every erasure.
"""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from fewshot.database.lesson_tables import CheckInRow, CorrectionRow, LessonRow, MarkerRow
from fewshot.database.sealing import bound_to
from fewshot.database.tables import ClassRow, ConsentRow, PhotoRow, SupportRow
from fewshot.vault import KeyGone, Vault
from fewshot.vault.cipher import NotSealedHere, names_these_keys
from fewshot.vault.durable import write_through

FILE = "texts.json"
TABLES: Sequence[Any] = (ClassRow, ConsentRow, PhotoRow, SupportRow, CorrectionRow, CheckInRow, LessonRow, MarkerRow)
"""Tables with values that the key for the texts of a class or an owner seals."""

Texts = dict[tuple[str, str, str], Any]
"""Name of a table, name of an attribute, random id of a row -> its value."""

logger = logging.getLogger(__name__)


def keep_texts(path: Path, session: Session, installation: str) -> None:
    """Write the file beside a database. Failures are logged: the erasure itself is complete.

    Args:
        path: of the database.
        session: after the erasure.
        installation: its random id.
    """
    record = {"installation": installation, "texts": list(_sealed(session))}
    file = path.with_name(FILE)
    try:
        write_through(file, json.dumps(record).encode())
    except OSError as error:
        logger.warning("The texts of the classes could not be kept in %s (%s).", file, error.strerror or error)


def kept_texts(path: Path, vault: Vault, installation: str) -> Texts:
    """What the file beside a database holds and the present keys open; {} if there is none of this installation."""
    try:
        record = json.loads(path.with_name(FILE).read_bytes())
        entries = list(record["texts"]) if record["installation"] == installation else []
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    columns = {(table.__tablename__, column.name): column for table in TABLES for column in table.sealed_columns}
    found: Texts = {}
    for entry in entries:
        try:
            table, name, row, keys, sealed = entry
            plain = vault.cipher(*keys).open(base64.b64decode(sealed), bound_to(table, name, row))
            found[table, name, row] = columns[table, name].codec.decode(plain)
        except (KeyGone, NotSealedHere, ValueError, KeyError, TypeError):
            continue
    return found


def _sealed(session: Session) -> Iterator[list[Any]]:
    """Table, attribute, row, ids of the keys and sealed value of every text."""
    for table in TABLES:
        for row in session.scalars(select(table)):
            for column in table.sealed_columns:
                stored = getattr(row, column.raw)
                holders = column.keys(row, session)
                keys = [getattr(holder, field) for holder, field in holders]
                texts = any(field == "text_key" for _, field in holders)
                if texts and all(keys) and isinstance(stored, bytes) and names_these_keys(stored, *keys):
                    sealed = base64.b64encode(stored).decode("ascii")
                    yield [table.__tablename__, column.name, row.rid, keys, sealed]
