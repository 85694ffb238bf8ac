"""Checksums of rows, and the number of rows of every lesson, so that damage is noticed where nothing is sealed"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import sqlalchemy as sa
from alembic import op

from fewshot.database.row_check import give_checks

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# Not readings, which are sealed, and not the audit log, which is a chain of hashes.
TABLES = (
    "audit_subjects", "check_ins", "classes", "consents", "corrections", "dropped_keys", "erased", "identities",
    "installation", "invited", "lesson_seconds", "lessons", "logins", "markers", "owner_settings", "owners",
    "participants", "passwords", "photos", "portraits", "refused_logins", "settings", "students", "supports",
    "tickets", "token_classes", "tokens",
)  # fmt: skip


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("row_check", sa.BigInteger(), nullable=True))
    op.add_column("lessons", sa.Column("written", sa.JSON(none_as_null=True), nullable=True))
    connection = op.get_bind()
    _count(connection)
    # The program that writes a running lesson may be of the version before, which knows of neither.
    give_checks(connection, {"lessons": sa.column("ended").is_not(None)})


def downgrade() -> None:
    op.drop_column("lessons", "written")
    for table in TABLES:
        op.drop_column(table, "row_check")


def _count(connection: sa.Connection) -> None:
    """Note the number of readings and seconds of every lesson that has ended."""
    seconds = _counted(connection, "lesson_seconds", "lesson_id")
    readings = _counted(connection, "readings", "participant_id")
    participants = sa.table("participants", *map(sa.column, ("id", "lesson_id", "rid")))
    of: dict[int, list[tuple[str, int]]] = defaultdict(list)
    for number, lesson, rid in connection.execute(sa.select(participants)):
        if rid:  # "": made before there were random ids
            of[lesson].append((rid, readings.get(number, 0)))
    lessons = sa.table("lessons", sa.column("id"), sa.column("ended"), sa.column("written", sa.JSON()))
    for number in connection.scalars(sa.select(lessons.c.id).where(lessons.c.ended.is_not(None))).all():
        written = {"seconds": seconds.get(number, 0), **dict(of[number])}
        connection.execute(sa.update(lessons).where(lessons.c.id == number).values(written=written))


def _counted(connection: sa.Connection, table: str, column: str) -> Mapping[int, int]:
    which: sa.ColumnClause[int] = sa.column(column)
    rows = connection.execute(sa.select(which, sa.func.count()).select_from(sa.table(table, which)).group_by(which))
    return {row[0]: row[1] for row in rows}
