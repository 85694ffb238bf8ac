"""A database as an earlier version left it, after its tables were updated: nothing in it is sealed."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from sqlalchemy import select, text, update

from fewshot.database import Database
from fewshot.database.erased_tables import InstallationRow
from fewshot.database.lesson_tables import LessonRow, ParticipantRow, ReadingRow, SecondRow
from fewshot.database.reading_codec import open_counts, reading_cipher
from fewshot.database.row_check import give_checks
from fewshot.database.sealed_settings import opened_settings
from fewshot.database.tables import Base
from fewshot.vault.cipher import PLAIN

PLAIN_BYTE = bytes([PLAIN])


def unseal(database: Database) -> None:
    """Write everything as an earlier version did."""
    kinds = [mapper.class_ for mapper in Base.registry.mappers]
    with database.write() as session:
        changes: list[tuple[Any, Any, dict[str, Any]]] = []
        for kind in kinds:
            sealed = getattr(kind, "sealed_columns", ())
            held = [name for name in ("key", "text_key", "index_key") if name in kind.__table__.c and sealed]
            for row in session.scalars(select(kind)) if sealed or kind.__tablename__ == "owners" else ():
                values: dict[str, Any] = dict.fromkeys(held, "")
                for column in sealed:
                    value = column.__get__(row, kind)
                    values[column.raw] = None if value is None else PLAIN_BYTE + column.codec.encode(value)
                if kind.__tablename__ == "owners":
                    values = {"text_key": "", "index_key": ""}
                changes.append((kind, row, values))
        for row in session.scalars(select(ReadingRow)):
            of = session.get_one(ParticipantRow, row.participant_id)
            found = reading_cipher(session, session.get_one(LessonRow, of.lesson_id), of).open(row.second, row.sealed)
            shown = np.frombuffer(found.probabilities, "<f4")
            changes.append((ReadingRow, row, {**found._asdict(), "probabilities": shown, "sealed": None}))
        for second in session.scalars(select(SecondRow).where(SecondRow.counts.is_not(None))):
            counts = open_counts(session, session.get_one(LessonRow, second.lesson_id), second.second, second.counts)
            changes.append((SecondRow, second, {"counts": PLAIN_BYTE + json.dumps(counts).encode()}))
        settings = [(setting, value) for setting, value in opened_settings(session)]
        for kind, row, values in changes:
            keys = [
                column == getattr(row, kind.__mapper__.get_property_by_column(column).key)
                for column in kind.__table__.primary_key
            ]
            columns = {kind.__mapper__.attrs[name].columns[0].name: value for name, value in values.items()}
            if columns:
                session.execute(update(kind.__table__).where(*keys).values(columns))
        for setting, value in settings:
            setting.value = value
        session.execute(update(InstallationRow.__table__).values(keys=""))
        give_checks(session.connection())
    database.vault.drop(database.vault.names())


def rows_of(database: Database) -> dict[str, int]:
    """Table -> how many rows it has."""
    with database.read() as session:
        return {
            name: session.execute(text(f'SELECT count(*) FROM "{name}"')).scalar_one() for name in Base.metadata.tables
        }
