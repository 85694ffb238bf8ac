"""Copies a database on a PostgreSQL server into a file of SQLite, and the rows of such a file into one on a server.

Rows are copied as they are: what is sealed stays sealed. So a backup of a server is a file like every other backup, and
the same code checks it, removes from it what was erased since, and restores it, also into the other kind of database.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Engine,
    MetaData,
    Table,
    Text,
    bindparam,
    cast,
    column,
    delete,
    func,
    insert,
    select,
    table,
    text,
)
from sqlalchemy.engine import URL
from sqlalchemy.exc import DataError, DBAPIError
from sqlalchemy.types import NullType

from fewshot.database.connecting import make_engine
from fewshot.database.numbers_given import go_on_after, highest_numbers
from fewshot.database.tables import Base
from fewshot.database.words import reason_of
from fewshot.errors import StoreError
from fewshot.private_files import FILE
from fewshot.translation import later

_AT_ONCE = 1000


def copy_out(there: Connection, out: Path, make: Callable[[Connection, str], None]) -> None:
    """Copy a database on a server, as a connection sees it, into a new file of SQLite, for its owner only.

    Args:
        there: in a transaction that sees one moment of the database; see ``Sessions.one_moment``.
        out: the file.
        make: makes the tables of a version in an empty database.

    Raises:
        StoreError: the database lacks what its version must have.
        OSError, sqlite3.Error: the file cannot be written; it is not left behind.
        DBAPIError: the database cannot be read.
    """
    os.close(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE))
    try:
        with _file(out) as engine, engine.connect() as here:
            driver: Any = here.connection.driver_connection
            driver.execute("PRAGMA foreign_keys=OFF").close()
            with here.begin():
                _see_all_rows(there)
                version = str(there.scalar(text("SELECT version_num FROM alembic_version")))
                make(here, version)
                _copy_all(there, here)
                lost = here.exec_driver_sql("PRAGMA foreign_key_check").first()
                if lost is not None:
                    raise _incomplete(f"a row of {lost[0]} belongs to a row of {lost[2]} that is missing")
        with out.open("rb+") as file:
            os.fsync(file.fileno())
    except BaseException:
        out.unlink(missing_ok=True)
        raise


def copy_in(file: Path, there: Connection) -> None:
    """Replace all rows of a database on a server by those of a file, in the transaction of the connection.

    Args:
        file: of SQLite, with the tables of this version.
        there: in a transaction that locks all tables.

    Raises:
        StoreError: the server cannot store a value, or does not keep all rows.
        OSError, sqlite3.Error: the file cannot be read.
        DBAPIError: the database cannot be written.
    """
    _see_all_rows(there)
    given = highest_numbers(there)
    with _file(file) as engine, engine.connect() as here, here.begin():
        for one in reversed(Base.metadata.sorted_tables):
            there.execute(delete(one))
            _require_rows(there, one, 0)
        for one in Base.metadata.sorted_tables:
            try:
                count = _copy_rows(here, there, one, one)
            except DataError as error:
                raise StoreError(
                    later(
                        "The backup holds a value that the server cannot store, in the table {table} ({reason}). "
                        "Nothing was changed. Restore it into a database in a file, or use another backup.",
                        table=one.name,
                        reason=reason_of(error),
                    )
                ) from error
            _require_rows(there, one, count)
        in_file = highest_numbers(here)
    go_on_after(there, {name: max(given.get(name, 0), in_file.get(name, 0)) for name in {*given, *in_file}})


@contextmanager
def _file(path: Path) -> Iterator[Engine]:
    """An engine for a file; its errors are those of SQLite, so that nobody takes them for errors of the server."""
    engine = make_engine(URL.create("sqlite", database=str(path)), str(path)).execution_options(writes=True)
    try:
        yield engine
    except DBAPIError as error:
        if isinstance(error.orig, sqlite3.Error):
            raise error.orig from error
        raise
    finally:
        engine.dispose()


def _copy_all(there: Connection, here: Connection) -> None:
    """Copy the rows of all tables that the file has, as this version or an earlier one made them."""
    source, target = MetaData(), MetaData()
    target.reflect(here)
    source.reflect(there, only=lambda name, _: name in target.tables)
    for one in reversed(target.sorted_tables):
        here.execute(delete(one))
    for one in target.sorted_tables:
        from_server = source.tables.get(one.name)
        lacks = set(one.columns.keys()) - set(() if from_server is None else from_server.columns.keys())
        if from_server is None or lacks:
            raise _incomplete(f"its table {one.name} lacks {', '.join(sorted(lacks))}")
        _copy_rows(there, here, from_server, one)
    numbers = highest_numbers(there, source)
    go_on_after(here, {name: numbers[name] for name in numbers if name in target.tables})


def _see_all_rows(there: Connection) -> None:
    """In this transaction a policy of the server that hides rows is an error: a backup would silently lack them."""
    there.execute(text("SELECT set_config('row_security', 'off', true)")).all()


def _require_rows(there: Connection, one: Table, count: int) -> None:
    """Raises StoreError if a table does not have this many rows: a trigger of somebody else may keep or drop some."""
    found = there.scalar(select(func.count()).select_from(one)) or 0
    if found != count:
        raise StoreError(
            later(
                "The server did not keep the rows of the table {table} as they were written: it has {found} of "
                "{count}. Nothing was changed. Remove the triggers and rules that somebody added to it.",
                table=one.name,
                found=found,
                count=count,
            )
        )


def _copy_rows(source: Connection, target: Connection, read: Table, one: Table) -> int:
    """Copy all rows of a table, in parts, so that a large table does not lie in memory.

    Args:
        source: where they are.
        target: where the same table is empty.
        read: the table as the source knows it.
        one: the table as the target knows it.

    Returns:
        How many rows there are.
    """
    columns = list(one.columns)
    wanted = select(*(_read(source, read.columns[each.name]) for each in columns)).select_from(table(one.name))
    into = insert(table(one.name, *(column(each.name) for each in columns))).values(
        {each.name: _write(target, each) for each in columns}
    )
    kept = _for_sqlite if target.dialect.name == "sqlite" else _for_server
    rows, count = source.execute(wanted, execution_options={"yield_per": _AT_ONCE}), 0
    for part in rows.partitions():
        count += len(part)
        target.execute(into, [{c.name: kept(c, value) for c, value in zip(columns, row, strict=True)} for row in part])
    return count


def _read(source: Connection, each: Column[Any]) -> Any:
    """A column as it is read. JSON is copied as its text, because NULL and the null of JSON are the same in Python."""
    if not isinstance(each.type, JSON):
        return column(each.name, each.type)
    # SQLite keeps a number in such a column as a number.
    return cast(column(each.name), Text) if source.dialect.name == "postgresql" else column(each.name, NullType())


def _write(target: Connection, each: Column[Any]) -> Any:
    if not isinstance(each.type, JSON):
        return bindparam(each.name, type_=each.type)
    return cast(bindparam(each.name, type_=Text), JSON) if target.dialect.name == "postgresql" else bindparam(each.name)


def _for_sqlite(_: Column[Any], value: Any) -> Any:
    """A value as SQLite stores it, which knows no time zones."""
    return value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) and value.tzinfo else value


def _for_server(each: Column[Any], value: Any) -> Any:
    """A value as PostgreSQL takes it. Times in SQLite are in UTC."""
    if isinstance(each.type, JSON):
        return json.dumps(value) if isinstance(value, int | float) else value
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value


def _incomplete(what: str) -> StoreError:
    return StoreError(later("The database on the server cannot be copied: {what}.", what=what))
