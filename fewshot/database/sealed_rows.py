"""Copies all rows of a database into a new one, where they are sealed: nothing plain is ever written there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import Table, delete, func, insert, inspect, select, tuple_
from sqlalchemy.orm import Session

from fewshot.database.lesson_tables import LessonRow, ParticipantRow, ReadingRow, SecondRow
from fewshot.database.numbers_given import go_on_after, highest_numbers
from fewshot.database.reading_codec import Measured, measured_of, open_counts, reading_cipher, seal_counts
from fewshot.database.row_check import with_check
from fewshot.database.seal_all import check_all, plain_rows
from fewshot.database.sealed_settings import opened_setting, sealed_setting
from fewshot.database.sealing import forget_rows
from fewshot.database.tables import Base, SettingRow
from fewshot.errors import StoreError
from fewshot.vault.cipher import PLAIN, NotSealedHere
from fewshot.vault.errors import KeyGone

if TYPE_CHECKING:
    from fewshot.database.engine import Database

_AT_ONCE = 500
_SAMPLE = 40
"""Rows of each table that are opened in both databases and compared."""
_PLACE = {"installation": 0, "settings": 2}
"""Sealing needs the first one, and the sealed settings need all others."""

_BY_SECOND = ("readings", "lesson_seconds")


def copy_sealed(there: Session, new: Database, progress: Callable[[int, int], None] = lambda _d, _t: None) -> None:
    """Copy everything; what is plain is sealed on the way.

    Args:
        there: a session of the old database, to which nobody writes meanwhile.
        new: a database with the same tables, whose first rows are replaced. It uses the same keys.
        progress: gets how many of how many rows are done.

    Raises:
        StoreError: a row cannot be read or written.
    """
    tables = _tables()
    total = sum(_count(there, table) for table in tables)
    done = 0
    with new.write() as here:
        for table in reversed(Base.metadata.sorted_tables):
            here.execute(delete(table))
    for table in tables:
        for keys in _chunks(there, table):
            progress(done, total)
            with new.write() as here:
                _copy(there, here, table, keys)
            forget_rows(there)
            done += len(keys)
    with new.write() as here:
        go_on_after(here, highest_numbers(there))  # the number of a deleted row must not be used again
    progress(total, total)


def require_same(there: Session, new: Database) -> None:
    """Check a copy: as many rows in each table, nothing plain, and a sample that says the same.

    Args:
        there: a session of the old database.
        new: the copy.

    Raises:
        StoreError: something differs; the copy must not be used.
    """
    with new.read() as here:
        for table in _tables():
            before, after = _count(there, table), _count(here, table)
            if before != after:
                raise _differs(f"{table.name} has {before} rows, and {after} in the copy")
            for key in _sample(there, table):
                if not _alike(_opened(there, table, key), _opened(here, table, key)):
                    raise _differs(f"a row of {table.name} is not the same in the copy")
        forget_rows(there)
    if plain_rows(new) or check_all(new).plain:
        raise _differs("something in the copy is not encrypted")


def _tables() -> list[Table]:
    return sorted(Base.metadata.sorted_tables, key=lambda table: _PLACE.get(table.name, 1))


def _kind(table: Table) -> Any:
    """The mapped class of a table."""
    return next(mapper.class_ for mapper in Base.registry.mappers if mapper.local_table is table)


def _count(session: Session, table: Table) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0


def _keys(session: Session, table: Table, *wanted: Any) -> list[tuple[Any, ...]]:
    """The primary keys of rows, in their order."""
    columns = list(table.primary_key)
    return [tuple(row) for row in session.execute(select(*columns).where(*wanted).order_by(*columns))]


def _groups(session: Session, table: Table) -> list[Any]:
    """What the seconds of a table belong to: participants or lessons. All keys at once would not fit into memory."""
    first = next(iter(table.primary_key))
    return list(session.scalars(select(first).distinct().order_by(first)))


def _chunks(session: Session, table: Table) -> Iterator[list[tuple[Any, ...]]]:
    """Keys of rows that are copied together; those of readings and seconds are of one participant or lesson."""
    first = next(iter(table.primary_key))
    parts = [(first == one,) for one in _groups(session, table)] if table.name in _BY_SECOND else [()]
    for wanted in parts:
        keys = _keys(session, table, *wanted)
        yield from (keys[start : start + _AT_ONCE] for start in range(0, len(keys), _AT_ONCE))


def _sample(session: Session, table: Table) -> list[tuple[Any, ...]]:
    """Keys of some rows: the first, the last, and others at equal distances."""
    if table.name not in _BY_SECOND:
        return _spread(_keys(session, table))
    first = next(iter(table.primary_key))
    return [_keys(session, table, first == one)[-1] for one in _spread(_groups(session, table))]


def _spread(found: list[Any]) -> list[Any]:
    if len(found) <= _SAMPLE:
        return found
    return [found[round(place)] for place in np.linspace(0, len(found) - 1, _SAMPLE)]


def _copy(there: Session, here: Session, table: Table, keys: Sequence[tuple[Any, ...]]) -> None:
    if table.name == "settings":
        for row in _rows(there, table, keys):
            value = opened_setting(there, row.key, row.value)
            here.add(SettingRow(key=row.key, value=sealed_setting(here, row.key, value)))
    elif table.name == "readings":
        here.execute(insert(table), _readings(here, keys[0][0], _rows(there, table, keys)))
    elif table.name == "lesson_seconds":
        here.execute(insert(table), _seconds(here, _rows(there, table, keys)))
    elif hasattr(kind := _kind(table), "sealed_columns"):
        for row in there.scalars(select(kind).where(_is_one_of(table, keys)).order_by(*table.primary_key)):
            here.add(_again(kind, row))
    else:
        here.execute(insert(table), [dict(row._mapping) for row in _rows(there, table, keys)])


def _rows(session: Session, table: Table, keys: Sequence[tuple[Any, ...]]) -> Sequence[Any]:
    return session.execute(select(table).where(_is_one_of(table, keys)).order_by(*table.primary_key)).all()


def _is_one_of(table: Table, keys: Sequence[tuple[Any, ...]]) -> Any:
    columns = list(table.primary_key)
    return columns[0].in_([key[0] for key in keys]) if len(columns) == 1 else tuple_(*columns).in_(keys)


def _again(kind: Any, row: Any) -> Any:
    """A row for the other database, whose plain values are sealed at its flush; sealed ones stay as they are."""
    copy = kind(**{column.key: getattr(row, column.key) for column in inspect(kind).column_attrs})
    for column in kind.sealed_columns:
        if column.is_plain(row):
            setattr(copy, column.name, column.__get__(row, kind))
    return copy


def _readings(here: Session, participant: int, rows: Sequence[Any]) -> list[dict[str, Any]]:
    of = here.get_one(ParticipantRow, participant)
    cipher = None
    made = []
    for row in rows:
        values = dict(row._mapping)
        if row.sealed is None:
            cipher = cipher or reading_cipher(here, here.get_one(LessonRow, of.lesson_id), of, new=True)
            sealed = cipher.seal(row.second, measured_of(row))
            values = dict.fromkeys(values) | {"participant_id": participant, "second": row.second, "sealed": sealed}
        made.append(values)
    return made


def _seconds(here: Session, rows: Sequence[Any]) -> list[dict[str, Any]]:
    made = []
    for row in rows:
        values = dict(row._mapping)
        if row.counts is not None and row.counts[:1] == bytes([PLAIN]):
            lesson = here.get_one(LessonRow, row.lesson_id)
            values["counts"] = seal_counts(here, lesson, row.second, json.loads(row.counts[1:]))
            values = with_check(SecondRow, values)
        made.append(values)
    return made


def _opened(session: Session, table: Table, key: tuple[Any, ...]) -> list[Any]:
    """What a row says; what cannot be opened (its key is gone) says so, and stays so in the copy."""
    if table.name == "readings":
        return [_reading(session, *key)]
    kind = _kind(table)
    row = session.get_one(kind, key if len(key) > 1 else key[0])
    sealed = getattr(kind, "sealed_columns", ())
    hidden = {column.raw for column in sealed} | {index.raw for index in getattr(kind, "blind_columns", ())}
    hidden |= {"value"} if table.name == "settings" else {"counts"} if table.name == "lesson_seconds" else set()
    hidden |= set(getattr(kind, "own_keys", ())) | {"text_key", "index_key", "keys", "row_check"}
    values = [getattr(row, column.key) for column in inspect(kind).column_attrs if column.key not in hidden]
    for column in sealed:
        values.append(_or_lost(partial(column.__get__, row, kind)))
    if table.name == "settings":
        values.append(opened_setting(session, row.key, row.value))
    if table.name == "lesson_seconds" and row.counts is not None:
        lesson = session.get_one(LessonRow, row.lesson_id)
        values.append(_or_lost(lambda: open_counts(session, lesson, row.second, row.counts)))
    return values


def _reading(session: Session, participant: int, second: int) -> Measured | str:
    row = session.get_one(ReadingRow, (participant, second))
    if row.sealed is None:
        plain = measured_of(row)  # sealed, it is a number of four bytes
        return plain._replace(confidence=None if plain.confidence is None else float(np.float32(plain.confidence)))
    sealed, of = row.sealed, session.get_one(ParticipantRow, participant)
    lesson = session.get_one(LessonRow, of.lesson_id)
    found: Measured | str = _or_lost(lambda: reading_cipher(session, lesson, of).open(second, sealed))
    return found


def _or_lost(value: Callable[[], Any]) -> Any:
    try:
        return value()
    except (KeyGone, NotSealedHere):
        return "cannot be opened"


def _alike(one: list[Any], other: list[Any]) -> bool:
    return len(one) == len(other) and all(
        np.array_equal(a, b) if isinstance(a, np.ndarray) and isinstance(b, np.ndarray) else a == b
        for a, b in zip(one, other, strict=True)
    )


def _differs(what: str) -> StoreError:
    return StoreError(f"The encrypted copy is not used, because {what}. The database is as it was. Try again.")
