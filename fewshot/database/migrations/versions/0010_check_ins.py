"""Check-ins that a teacher closed: the answer, and a note, both sealed"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from fewshot.database.columns import Utc

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "check_ins",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("lesson_id", sa.Integer(), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.Column("made", Utc(), nullable=False),
        sa.Column("rid", sa.String(length=16), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["lesson_id"], ["lessons.id"], name=op.f("fk_check_ins_lesson_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["student_id"], ["students.id"], name=op.f("fk_check_ins_student_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_check_ins")),
        sa.UniqueConstraint("lesson_id", "student_id", name=op.f("uq_check_ins_lesson_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_check_ins_student_id", "check_ins", ["student_id"])


def downgrade() -> None:
    op.drop_table("check_ins")
