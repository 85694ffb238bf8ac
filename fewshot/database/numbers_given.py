"""The highest numbers that rows ever got: the number of a deleted row is not given to another one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlalchemy import Connection, MetaData, text
from sqlalchemy.orm import Session

from fewshot.database.tables import Base


def highest_numbers(session: Session | Connection, tables: MetaData = Base.metadata) -> dict[str, int]:
    """Table -> the highest number that the database ever gave to a row of it; without those that gave none.

    Args:
        session: of the database.
        tables: of the database.
    """
    if _dialect(session) == "sqlite":
        return {row.name: row.seq for row in session.execute(text("SELECT name, seq FROM sqlite_sequence"))}
    found = {}
    for table, sequence in _sequences(session, tables):
        last, called = session.execute(text(f"SELECT last_value, is_called FROM {sequence}")).one()  # nosec B608
        if called:
            found[table] = int(last)
    return found


def go_on_after(session: Session | Connection, numbers: Mapping[str, int]) -> None:
    """Let no new row get a number that is not higher than these, or than the rows that are there.

    Args:
        session: in a transaction that writes.
        numbers: table -> number. Tables that keep no count of their own are left out.
    """
    if _dialect(session) == "sqlite":
        known = set(session.scalars(text("SELECT name FROM sqlite_master WHERE sql LIKE '%AUTOINCREMENT%'")))
        for name in known & numbers.keys():
            values = {"name": name, "number": numbers[name]}
            session.execute(
                text(
                    "INSERT INTO sqlite_sequence (name, seq) SELECT :name, 0 WHERE NOT EXISTS "
                    "(SELECT 1 FROM sqlite_sequence WHERE name = :name)"
                ),
                values,
            )
            session.execute(text("UPDATE sqlite_sequence SET seq = max(seq, :number) WHERE name = :name"), values)
        return
    before = highest_numbers(session)
    for name, sequence in _sequences(session, Base.metadata):
        there = session.scalar(text(f"SELECT max({_key(name)}) FROM {name}")) or 0  # nosec B608: names of our own tables
        highest = max(there, before.get(name, 0), numbers.get(name, 0))
        if highest:
            session.execute(text("SELECT setval(CAST(:name AS regclass), :last)"), {"name": sequence, "last": highest})


def _dialect(session: Session | Connection) -> str:
    return session.dialect.name if isinstance(session, Connection) else session.get_bind().dialect.name


def _sequences(session: Session | Connection, tables: MetaData) -> Iterator[tuple[str, str]]:
    """Table and sequence of PostgreSQL, of all tables whose rows get their numbers from one."""
    wanted = text("SELECT pg_get_serial_sequence(:table, :column)")
    for table in tables.sorted_tables:
        if len(table.primary_key) == 1:
            (column,) = table.primary_key
            sequence = session.scalar(wanted, {"table": table.name, "column": column.name})
            if sequence:
                yield table.name, str(sequence)


def _key(table: str) -> str:
    (column,) = Base.metadata.tables[table].primary_key
    return column.name
