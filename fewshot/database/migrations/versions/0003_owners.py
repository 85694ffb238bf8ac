"""Owners: classes, lessons and settings belong to a teacher; what is there already belongs to the local teacher"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from fewshot.database.columns import Utc, now
from fewshot.database.owner import LOCAL

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

OF_THE_INSTALLATION = ("ice", "detector", "erasure_pending", "clock_seen")
"""Settings that belong to no teacher."""

_settings = sa.table("settings", sa.column("key", sa.String()), sa.column("value", sa.JSON()))
_NUMBERED: dict[str, Any] = {"sqlite_autoincrement": True}


def upgrade() -> None:
    owners = op.create_table(
        "owners",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("folded", sa.String(length=256), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("created", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_owners")),
        sa.UniqueConstraint("folded", name=op.f("uq_owners_folded")),
    )
    op.bulk_insert(owners, [{"id": LOCAL, "name": LOCAL, "folded": LOCAL, "role": "teacher", "created": now()}])
    numbers = _highest_numbers()
    for table in ("classes", "lessons"):
        op.add_column(table, sa.Column("owner_id", sa.String(length=32), nullable=True))
        op.execute(sa.update(_table(table)).values(owner_id=LOCAL))
    with op.batch_alter_table("classes", table_kwargs=_NUMBERED) as batch:
        batch.alter_column("owner_id", existing_type=sa.String(length=32), nullable=False)
        batch.create_foreign_key(op.f("fk_classes_owner_id"), "owners", ["owner_id"], ["id"])
        batch.drop_constraint(op.f("uq_classes_folded"), type_="unique")
        batch.create_unique_constraint(op.f("uq_classes_owner_id"), ["owner_id", "folded"])
    with op.batch_alter_table("lessons", table_kwargs=_NUMBERED) as batch:
        batch.alter_column("owner_id", existing_type=sa.String(length=32), nullable=False)
        batch.create_foreign_key(op.f("fk_lessons_owner_id"), "owners", ["owner_id"], ["id"])
        batch.create_index("ix_lessons_owner_id", ["owner_id"])
    _keep_numbers(numbers)
    mine = op.create_table(
        "owner_settings",
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["owners.id"], name=op.f("fk_owner_settings_owner_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("owner_id", "key", name=op.f("pk_owner_settings")),
    )
    for row in op.get_bind().execute(sa.select(_settings.c.key, _settings.c.value)).mappings().all():
        if row["key"] not in OF_THE_INSTALLATION:
            op.execute(sa.insert(mine).values(owner_id=LOCAL, **row))
            op.execute(sa.delete(_settings).where(_settings.c.key == row["key"]))


def downgrade() -> None:
    """The way back, as long as everything belongs to the local teacher: nobody else's classes become this teacher's."""
    others = sa.select(sa.func.count()).select_from(sa.table("owners")).where(sa.column("id") != LOCAL)
    if op.get_bind().execute(others).scalar():
        raise RuntimeError("There are accounts besides the local teacher. Remove them before you go back.")
    numbers = _highest_numbers()
    with op.batch_alter_table("lessons", table_kwargs=_NUMBERED) as batch:
        batch.drop_index("ix_lessons_owner_id")
        batch.drop_constraint(op.f("fk_lessons_owner_id"), type_="foreignkey")
        batch.drop_column("owner_id")
    with op.batch_alter_table("classes", table_kwargs=_NUMBERED) as batch:
        batch.drop_constraint(op.f("uq_classes_owner_id"), type_="unique")
        batch.create_unique_constraint(op.f("uq_classes_folded"), ["folded"])
        batch.drop_constraint(op.f("fk_classes_owner_id"), type_="foreignkey")
        batch.drop_column("owner_id")
    _keep_numbers(numbers)
    mine = sa.table("owner_settings", sa.column("key", sa.String()), sa.column("value", sa.JSON()))
    for row in op.get_bind().execute(sa.select(mine.c.key, mine.c.value)).mappings().all():
        op.execute(sa.insert(_settings).values(**row))
    op.drop_table("owner_settings")
    op.drop_table("owners")


def _table(name: str) -> sa.TableClause:
    return sa.table(name, sa.column("owner_id", sa.String()))


def _highest_numbers() -> list[tuple[str, int]]:
    """SQLite makes a changed table anew. The numbers of deleted rows must still not be used again."""
    if op.get_bind().dialect.name != "sqlite":
        return []
    found = op.get_bind().execute(sa.text("SELECT name, seq FROM sqlite_sequence WHERE name IN ('classes', 'lessons')"))
    return [(name, number) for name, number in found]


def _keep_numbers(numbers: list[tuple[str, int]]) -> None:
    for name, number in numbers:
        values = {"name": name, "number": number}
        op.get_bind().execute(sa.text("DELETE FROM sqlite_sequence WHERE name = :name"), values)
        op.get_bind().execute(sa.text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :number)"), values)
