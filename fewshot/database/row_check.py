"""A checksum over every row, so that a changed bit is noticed also where nothing is sealed.

A sealed value does not open when one of its bits was changed. A date, a number, a flag or the id of a key has no such
guard, and SQLite keeps no checksum. So the column ``row_check`` holds a CRC-32 over all other columns: it is written
with every change, and compared whenever a row is read. It finds damage and not an attacker, who can compute it too.

The checksum is the same in every database: times are in UTC, numbers as Python writes them. A row that is copied
column by column keeps it, and a column that a later version adds does not change it as long as the column is NULL. Rows
without a checksum are accepted: another program or an earlier version wrote them.

Not covered: ``readings`` (sealed, and bound to participant and second; the lesson knows how many there are) and the
audit log, whose lines are a chain of hashes.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC
from typing import Any, ClassVar, NamedTuple

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Connection,
    Date,
    Double,
    Integer,
    LargeBinary,
    String,
    Table,
    bindparam,
    event,
    inspect,
    select,
    tuple_,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.orm.attributes import instance_state, set_committed_value

from fewshot.database.columns import Utc

_AT_ONCE = 500
_NAME = "row_check"


class RowChanged(ValueError):
    """A row is not as it was written: the database is damaged, or another program has changed it."""


class Checked:
    """A row with a checksum.

    Attributes:
        unchecked: columns that the checksum leaves out. Each of them must say why a changed bit in it does no harm.
    """

    row_check: Mapped[int | None] = mapped_column(BigInteger, sort_order=1000)

    unchecked: ClassVar[tuple[str, ...]] = ()


class _Part(NamedTuple):
    """A column: the attribute that is mapped to it, what stands before its value, and how the value is written."""

    attribute: str
    column: Column[Any]
    before: bytes
    encode: Callable[[Any], bytes]


class _Plan(NamedTuple):
    """How the checksum of a table is made; ``loose`` are columns that the database itself may set to NULL."""

    table: Table
    start: int
    firm: tuple[_Part, ...]
    loose: tuple[_Part, ...]

    @property
    def parts(self) -> tuple[_Part, ...]:
        return self.firm + self.loose


_plans: dict[Any, _Plan] = {}


def verify(row: Checked) -> None:
    """Compare a row that was just read with its checksum.

    Raises:
        RowChanged: it does not fit.
    """
    found = row.__dict__
    kept = found.get(_NAME)
    if kept is None:
        return
    plan = _plan(type(row))
    try:
        values = [found[part.attribute] for part in plan.parts]
    except KeyError:  # only some columns were asked for
        return
    if not _fits(plan, values, kept):
        raise _changed(plan, values)


def checked_rows(session: Session, kind: type[Checked], *wanted: Any, at_once: int | None = None) -> Iterator[Any]:
    """Rows of a table without the ORM, each compared with its checksum. Their fields have the names of the columns.

    Args:
        session: of a transaction.
        kind: the mapped class of the table.
        wanted: conditions.
        at_once: rows that are read together, if all of them may not fit into memory; None reads all.

    Raises:
        RowChanged: a row does not fit.
    """
    plan = _plan(kind)
    columns = [part.column for part in plan.parts]
    statement = select(*columns, plan.table.c[_NAME]).where(*wanted)
    if at_once is not None:
        statement = statement.execution_options(yield_per=at_once)
    for row in session.connection().execute(statement):
        *values, kept = row
        if kept is not None and not _fits(plan, values, kept):
            raise _changed(plan, values)
        yield row


def with_check(kind: type[Checked], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a new row for an ``insert`` without the ORM: with defaults, and with the checksum.

    Args:
        kind: the mapped class of the table.
        values: column -> value; the primary key must be among them.
    """
    plan = _plan(kind)
    whole = {part.column.name: values.get(part.column.name, _default(part.column)) for part in plan.parts}
    given = dict(values) | whole
    return given | {_NAME: _check(plan, [whole[part.column.name] for part in plan.parts])}


def set_checks(session: Session) -> None:
    """Give every new and changed row its checksum, before it is written and after it was sealed."""
    changed = [row for row in session.dirty if isinstance(row, Checked)]
    _read_again(session, changed)
    for row in changed:
        _set(row)
    for row in session.new:
        if isinstance(row, Checked):
            for part in _plan(type(row)).parts:
                if part.attribute not in row.__dict__:
                    setattr(row, part.attribute, _default(part.column))
            # The database gives most rows their numbers; these get their checksums afterwards.
            row.row_check = None
            if all(value is not None for value in inspect(type(row)).primary_key_from_instance(row)):
                _set(row)


def set_numbered_checks(session: Session, *_: Any) -> None:
    """After a flush: give the new rows their checksums whose numbers the database has chosen."""
    made: dict[type[Checked], list[Checked]] = {}
    for row in session.new:
        if isinstance(row, Checked) and row.row_check is None:
            made.setdefault(type(row), []).append(row)
    for kind, rows in made.items():
        plan, keys = _plan(kind), inspect(kind).primary_key
        values = []
        for row in rows:
            check = _check(plan, [row.__dict__[part.attribute] for part in plan.parts])
            set_committed_value(row, _NAME, check)
            values.append((*inspect(kind).primary_key_from_instance(row), check))
        _write(session.connection(), plan.table, keys, values)


def verify_all(session: Session) -> None:
    """Compare all rows of all tables with their checksums.

    Raises:
        RowChanged: one does not fit.
    """
    for kind in _kinds():
        for _ in checked_rows(session, kind, at_once=_AT_ONCE):
            pass


def give_checks(connection: Connection, only: Mapping[str, Any] | None = None) -> None:
    """Give all rows of an older database their checksums; for migrations.

    A migration that changes or fills a column without the ORM calls this at its end.

    Args:
        connection: of its transaction.
        only: table -> condition for the rows of it that get one; all rows of the other tables do.
    """
    here = inspect(connection)
    tables = set(here.get_table_names())
    for kind in _kinds():
        plan = _plan(kind)
        if plan.table.name not in tables:
            continue
        known = {column["name"] for column in here.get_columns(plan.table.name)}
        plan = plan._replace(
            firm=tuple(part for part in plan.firm if part.column.name in known),
            loose=tuple(part for part in plan.loose if part.column.name in known),
        )
        mine = [only[plan.table.name]] if only and plan.table.name in only else []
        keys = list(plan.table.primary_key)
        found = [tuple(row) for row in connection.execute(select(*keys).where(*mine).order_by(*keys))]
        for start in range(0, len(found), _AT_ONCE):
            chunk = found[start : start + _AT_ONCE]
            columns = [part.column for part in plan.parts]
            rows = connection.execute(select(*keys, *columns).where(_is_one_of(keys, chunk))).all()
            values = [(*row[: len(keys)], _check(plan, row[len(keys) :])) for row in rows]
            _write(connection, plan.table, keys, values)


def _kinds() -> list[type[Checked]]:
    """All mapped classes with a checksum, in the order of their tables' names."""
    found: list[Any] = []
    waiting: list[Any] = [Checked]
    while waiting:
        for kind in waiting.pop().__subclasses__():
            waiting.append(kind)
            if inspect(kind, raiseerr=False) is not None:
                found.append(kind)
    return sorted(found, key=lambda kind: str(kind.__tablename__))


def _plan(kind: Any) -> _Plan:
    if kind not in _plans:
        _plans[kind] = _made_plan(kind)
    return _plans[kind]


def _made_plan(kind: Any) -> _Plan:
    mapper = inspect(kind)
    table: Any = mapper.local_table
    parts = [
        _Part(mapper.get_property_by_column(column).key, column, b"\0%s=" % column.name.encode(), _encoder(column))
        for column in sorted(table.columns, key=lambda column: str(column.name))
        if column.name != _NAME and column.name not in kind.unchecked
    ]
    loose = [part for part in parts if any(key.ondelete == "SET NULL" for key in part.column.foreign_keys)]
    firm = [part for part in parts if part not in loose]
    return _Plan(table, zlib.crc32(table.name.encode()), tuple(firm), tuple(loose))


def _utc(value: Any) -> bytes:
    return str(value.astimezone(UTC).isoformat()).encode()


def _bytes(value: Any) -> bytes:
    # Text is stored there only by hand; one changed bit lets SQLite take bytes for text.
    return b"text " + value.encode("utf-8", "surrogatepass") if isinstance(value, str) else bytes(value)


def _json(value: Any) -> bytes:
    return json.dumps(json.loads(json.dumps(value)), sort_keys=True).encode()


_ENCODERS: tuple[tuple[Any, Callable[[Any], bytes]], ...] = (
    (Utc, _utc),
    ((Boolean, Integer), lambda value: b"%d" % int(value)),
    (Double, lambda value: repr(float(value) + 0.0).encode()),  # SQLite makes 0.0 of -0.0
    (JSON, _json),
    (LargeBinary, _bytes),
    (Date, lambda value: str(value.isoformat()).encode()),
    (String, lambda value: str.encode(value, "utf-8", "surrogatepass")),
)
"""How values are written, the same in every database."""


def _encoder(column: Column[Any]) -> Callable[[Any], bytes]:
    return next(encode for kinds, encode in _ENCODERS if isinstance(column.type, kinds))


def _sum(parts: Sequence[_Part], values: Iterable[Any], start: int) -> int:
    found: list[bytes] = []
    for part, value in zip(parts, values, strict=True):
        if value is not None and not (isinstance(value, float) and math.isnan(value)):  # SQLite stores NaN as NULL
            found += part.before, part.encode(value)
    return zlib.crc32(b"".join(found), start)


def _check(plan: _Plan, values: Sequence[Any]) -> int:
    """Low 32 bits: of what only this program changes. High 31 bits: of what the database may set to NULL."""
    many = len(plan.firm)
    firm = _sum(plan.firm, values[:many], plan.start)
    loose = _sum(plan.loose, values[many:], plan.start) & 0x7FFFFFFF if plan.loose else 0
    return loose << 32 | firm


def _fits(plan: _Plan, values: Sequence[Any], kept: Any) -> bool:
    try:
        found = _check(plan, values)
    except (ValueError, TypeError, AttributeError, OverflowError):  # a value of another type than the column's
        return False
    if plan.loose and all(value is None for value in values[len(plan.firm) :]):
        return bool(found & 0xFFFFFFFF == kept & 0xFFFFFFFF)
    return bool(found == kept)


def _changed(plan: _Plan, values: Sequence[Any]) -> RowChanged:
    keys = [value for part, value in zip(plan.parts, values, strict=True) if part.column.primary_key]
    return RowChanged(f"row {', '.join(map(repr, keys))} of the table {plan.table.name} is not as it was written")


def _default(column: Column[Any]) -> Any:
    default: Any = column.default
    if default is None:
        return None
    return default.arg(None) if default.is_callable else default.arg


def _set(row: Checked) -> None:
    plan = _plan(type(row))
    check = _check(plan, [getattr(row, part.attribute) for part in plan.parts])
    if row.row_check != check:
        row.row_check = check


def _read_again(session: Session, rows: Sequence[Checked]) -> None:
    """Lock rows that are about to be changed, and take over what others have changed in them meanwhile.

    An UPDATE writes only the columns that were set here. On a server another program may have set other columns since
    the row was read, and the checksum covers both. SQLite has one writer at a time, who reads after waiting.
    """
    if not rows or session.get_bind().dialect.name == "sqlite":
        return
    of_kind: dict[type[Checked], list[Checked]] = {}
    for row in rows:
        of_kind.setdefault(type(row), []).append(row)
    for kind, mine in of_kind.items():
        plan, keys = _plan(kind), list(inspect(kind).primary_key)
        known = {instance_state(row).identity: row for row in mine}
        wanted = list(known)
        for start in range(0, len(wanted), _AT_ONCE):
            columns = [part.column for part in plan.parts]
            chosen = select(*keys, *columns).where(_is_one_of(keys, wanted[start : start + _AT_ONCE]))
            for found in session.connection().execute(chosen.order_by(*keys).with_for_update()):
                row = known[tuple(found[: len(keys)])]
                own = instance_state(row).committed_state
                for part, value in zip(plan.parts, found[len(keys) :], strict=True):
                    if part.attribute not in own and row.__dict__.get(part.attribute) != value:
                        set_committed_value(row, part.attribute, value)


def _is_one_of(keys: Sequence[Any], wanted: Sequence[Any]) -> Any:
    return keys[0].in_([key[0] for key in wanted]) if len(keys) == 1 else tuple_(*keys).in_(wanted)


def _write(connection: Connection, table: Table, keys: Sequence[Any], values: Sequence[tuple[Any, ...]]) -> None:
    """Write checksums; ``values``: the primary key of each row and its checksum."""
    if not values:
        return
    names = [f"key_{place}" for place in range(len(keys))]
    mine = [key == bindparam(name) for key, name in zip(keys, names, strict=True)]
    statement = update(table).where(*mine).values({_NAME: bindparam("new_check")})
    connection.execute(statement, [dict(zip((*names, "new_check"), one, strict=True)) for one in values])


def _on_refresh(row: Checked, *_: Any) -> None:
    if not instance_state(row).modified:
        verify(row)


event.listen(Checked, "load", lambda row, _: verify(row), propagate=True)
event.listen(Checked, "refresh", _on_refresh, propagate=True)
