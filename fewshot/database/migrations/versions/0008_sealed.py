"""Sealed: what is told of people becomes bytes that can be sealed; what is there is sealed by ``fewshot key seal``"""

from __future__ import annotations

import json
import secrets
from contextlib import AbstractContextManager
from typing import Any

import sqlalchemy as sa
from alembic import op
from alembic.operations import BatchOperations

from fewshot.database.columns import Utc

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_TEXT, _JSON, _BYTES = sa.Text(), sa.JSON(), sa.LargeBinary()
# table -> (column -> (its type until now, may be NULL), columns with ids of keys, whether numbers are never used again)
TABLES: dict[str, tuple[dict[str, tuple[Any, bool]], tuple[str, ...], bool]] = {
    "classes": ({"name": (sa.String(64), False)}, ("text_key", "index_key"), True),
    "students": ({"name": (sa.String(64), False)}, ("key",), True),
    "portraits": ({"picture": (_BYTES, False)}, (), False),
    "consents": ({"given_by": (_TEXT, False), "purpose": (_TEXT, False)}, (), False),
    "photos": ({"fingerprint": (_TEXT, False), "emotion": (sa.String(64), True)}, (), True),
    "supports": ({"emotion": (sa.String(64), True), "vector": (_BYTES, False)}, (), False),
    "identities": ({"vector": (_BYTES, False)}, (), False),
    "lessons": ({"title": (_TEXT, False), "source": (_TEXT, False), "labels": (_JSON, False)}, ("key",), True),
    "participants": ({}, (), False),
    "markers": ({"text": (_TEXT, False)}, (), True),
    "corrections": ({"said": (sa.String(64), True), "actually": (sa.String(64), False)}, (), True),
}
_READINGS: dict[str, Any] = {
    "frames": sa.Integer(), "readable": sa.Integer(), "faces": sa.Integer(), "emotion": sa.Integer(),
    "probabilities": sa.LargeBinary(),
}  # fmt: skip
_PLAIN = b"\x00"


def upgrade() -> None:
    numbers = _highest_numbers()
    for table, (columns, keys, again) in TABLES.items():
        primary = "student_id" if table == "portraits" else "id"
        new: list[sa.Column[Any]] = [sa.Column("rid", sa.String(16), nullable=False, server_default="")]
        new += [sa.Column(key, sa.String(16), nullable=False, server_default="") for key in keys]
        new += [sa.Column(f"new_{column}", _BYTES, nullable=True) for column in columns]
        new += [sa.Column("digest", _BYTES, nullable=True)] if table == "photos" else []
        new += [sa.Column("name_index", sa.String(64), nullable=True)] if table == "students" else []
        for added in new:
            op.add_column(table, added)
        _fill(table, primary, columns)
        with _changed(table, table_kwargs=_kwargs(again)) as batch:
            if table == "students":
                batch.drop_constraint(op.f("uq_students_class_id"), type_="unique")
                batch.alter_column("name_index", existing_type=sa.String(64), nullable=False)
            if table == "photos":
                batch.alter_column("digest", existing_type=_BYTES, nullable=False)
            for column in columns:
                batch.drop_column(column)
        if columns or table == "students":
            with _changed(table, table_kwargs=_kwargs(again)) as batch:
                for column, (_, nullable) in columns.items():
                    batch.alter_column(f"new_{column}", new_column_name=column, existing_type=_BYTES, nullable=nullable)
                if table == "students":
                    batch.create_unique_constraint(op.f("uq_students_class_id"), ["class_id", "name_index"])
    _keep_numbers(numbers)
    _lesson_seconds(_JSON, _BYTES, lambda value: _PLAIN + json.dumps(value).encode())
    with _changed("readings") as batch:
        batch.add_column(sa.Column("sealed", _BYTES, nullable=True))
        for column, kind in _READINGS.items():
            batch.alter_column(column, existing_type=kind, nullable=True)
    for key in ("text_key", "index_key"):
        op.add_column("owners", sa.Column(key, sa.String(16), nullable=False, server_default=""))
    op.add_column("installation", sa.Column("keys", sa.String(32), nullable=False, server_default=""))
    op.create_table(
        "dropped_keys",
        sa.Column("key", sa.String(length=16), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_dropped_keys")),
    )


def downgrade() -> None:
    """The way back, as long as nothing is sealed: without its key a value cannot be brought back."""
    _refuse_sealed()
    numbers = _highest_numbers()
    op.drop_table("dropped_keys")
    op.drop_column("installation", "keys")
    for key in ("text_key", "index_key"):
        op.drop_column("owners", key)
    with _changed("readings") as batch:
        batch.drop_column("sealed")
        for column, kind in _READINGS.items():
            batch.alter_column(column, existing_type=kind, nullable=False)
    _lesson_seconds(_BYTES, _JSON, lambda value: json.loads(value[1:]))
    for table, (columns, keys, again) in reversed(TABLES.items()):
        primary = "student_id" if table == "portraits" else "id"
        for column, (kind, _) in columns.items():
            op.add_column(table, sa.Column(f"new_{column}", kind, nullable=True))
        _fill_back(table, primary, columns)
        with _changed(table, table_kwargs=_kwargs(again)) as batch:
            if table == "students":
                batch.drop_constraint(op.f("uq_students_class_id"), type_="unique")
                batch.drop_column("name_index")
            for column in (*columns, *keys, "rid", *(["digest"] if table == "photos" else [])):
                batch.drop_column(column)
        with _changed(table, table_kwargs=_kwargs(again)) as batch:
            for column, (kind, nullable) in columns.items():
                batch.alter_column(f"new_{column}", new_column_name=column, existing_type=kind, nullable=nullable)
        if table == "students":  # not together with the new name of the column: then it would be lost
            with _changed(table, table_kwargs=_kwargs(again)) as batch:
                batch.create_unique_constraint(op.f("uq_students_class_id"), ["class_id", "name"])
    _keep_numbers(numbers)


def _changed(table: str, **options: Any) -> AbstractContextManager[BatchOperations]:
    """Change a table. The tables that it refers to are not read for that, which takes most of the time."""
    return op.batch_alter_table(table, reflect_kwargs={"resolve_fks": False}, **options)


def _kwargs(again: bool) -> dict[str, Any]:
    return {"sqlite_autoincrement": True} if again else {}


def _fill(table: str, primary: str, columns: dict[str, tuple[Any, bool]]) -> None:
    """Write the values into the new columns, as plain bytes."""
    extra = {"photos": ["sha256"]}.get(table, [])
    there = sa.table(
        table, sa.column(primary), *(sa.column(name, kind) for name, (kind, _) in columns.items()),
        *(sa.column(name) for name in extra),
    )  # fmt: skip
    rows = []
    for row in op.get_bind().execute(sa.select(there)).mappings():
        new: dict[str, Any] = {f"new_{name}": _bytes_of(row[name], kind) for name, (kind, _) in columns.items()}
        new |= {"of": row[primary], "rid": secrets.token_hex(8)}
        new |= {"digest": _PLAIN + str(row["sha256"]).encode()} if table == "photos" else {}
        new |= {"name_index": secrets.token_hex(32)} if table == "students" else {}
        rows.append(new)
    if not rows:
        return
    binary = {name for name in rows[0] if name.startswith("new_") or name == "digest"}
    target = sa.table(
        table, sa.column(primary), *(sa.column(n, _BYTES if n in binary else sa.String()) for n in rows[0] if n != "of")
    )
    wanted = sa.update(target).where(target.c[primary] == sa.bindparam("of"))
    op.get_bind().execute(wanted.values({n: sa.bindparam(n) for n in rows[0] if n != "of"}), rows)


def _fill_back(table: str, primary: str, columns: dict[str, tuple[Any, bool]]) -> None:
    there = sa.table(table, sa.column(primary), *(sa.column(name, _BYTES) for name in columns))
    rows = [
        {"of": row[primary]} | {f"new_{name}": _value_of(row[name], kind) for name, (kind, _) in columns.items()}
        for row in op.get_bind().execute(sa.select(there)).mappings()
    ]
    if not rows or not columns:
        return
    target = sa.table(table, sa.column(primary), *(sa.column(f"new_{n}", kind) for n, (kind, _) in columns.items()))
    wanted = sa.update(target).where(target.c[primary] == sa.bindparam("of"))
    values = {f"new_{name}": sa.bindparam(f"new_{name}", type_=kind) for name, (kind, _) in columns.items()}
    op.get_bind().execute(wanted.values(values), rows)


def _bytes_of(value: Any, kind: Any) -> bytes | None:
    if value is None:
        return None
    if kind is _JSON:
        return _PLAIN + json.dumps(value).encode()
    return _PLAIN + (bytes(value) if kind is _BYTES else str(value).encode("utf-8", "surrogatepass"))


def _value_of(value: bytes | None, kind: Any) -> Any:
    if value is None:
        return None
    if kind is _BYTES:
        return value[1:]
    return json.loads(value[1:]) if kind is _JSON else value[1:].decode("utf-8", "surrogatepass")


def _lesson_seconds(old: Any, new: Any, change: Any) -> None:
    """Give the counts of all seconds another type."""
    op.add_column("lesson_seconds", sa.Column("new_counts", _nullable(new), nullable=True))
    there = sa.table(
        "lesson_seconds", sa.column("lesson_id"), sa.column("second"), sa.column("counts", _nullable(old)),
        sa.column("new_counts", _nullable(new)),
    )  # fmt: skip
    wanted = sa.select(there.c.lesson_id, there.c.second, there.c.counts).where(there.c.counts.is_not(None))
    rows = [
        {"l": row.lesson_id, "s": row.second, "c": change(row.counts)}
        for row in op.get_bind().execute(wanted)
        if row.counts is not None
    ]
    if rows:
        mine = (there.c.lesson_id == sa.bindparam("l")) & (there.c.second == sa.bindparam("s"))
        op.get_bind().execute(sa.update(there).where(mine).values(new_counts=sa.bindparam("c", type_=new)), rows)
    with _changed("lesson_seconds") as batch:
        batch.drop_column("counts")
    with _changed("lesson_seconds") as batch:
        batch.alter_column("new_counts", new_column_name="counts", existing_type=_nullable(new), nullable=True)


def _nullable(kind: Any) -> Any:
    return sa.JSON(none_as_null=True) if kind is _JSON else kind


def _refuse_sealed() -> None:
    connection = op.get_bind()
    sealed = connection.execute(sa.text("SELECT 1 FROM readings WHERE sealed IS NOT NULL LIMIT 1")).first() is not None
    checked = {table: list(columns) for table, (columns, *_) in TABLES.items()} | {"lesson_seconds": ["counts"]}
    for table, columns in checked.items():
        for name in columns:
            column = sa.column(name, _BYTES)
            for (value,) in connection.execute(
                sa.select(column).select_from(sa.table(table)).where(column.is_not(None))
            ):
                sealed = sealed or bytes(value[:1]) != _PLAIN
    if sealed:
        raise RuntimeError("Names and readings are encrypted already. An earlier version of fewshot cannot read them.")


def _highest_numbers() -> list[tuple[str, int]]:
    """SQLite makes a changed table anew. The numbers of deleted rows must still not be used again."""
    if op.get_bind().dialect.name != "sqlite":
        return []
    found = op.get_bind().execute(sa.text("SELECT name, seq FROM sqlite_sequence"))
    return [(name, number) for name, number in found if name in TABLES]


def _keep_numbers(numbers: list[tuple[str, int]]) -> None:
    for name, number in numbers:
        values = {"name": name, "number": number}
        op.get_bind().execute(sa.text("DELETE FROM sqlite_sequence WHERE name = :name"), values)
        op.get_bind().execute(sa.text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :number)"), values)
