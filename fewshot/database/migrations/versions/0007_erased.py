"""Erased: the id of the installation, and the numbers of what was erased; numbers of photos are never used again"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from fewshot.database.columns import Utc

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    known = sa.inspect(op.get_bind()).get_table_names()
    if "installation" not in known:  # a backup may have been brought to an older number by hand
        made = op.create_table(
            "installation",
            sa.Column("id", sa.String(length=32), nullable=False),
            sa.Column("created", Utc(), nullable=False),
            sa.PrimaryKeyConstraint("id", name=op.f("pk_installation")),
        )
        op.execute(sa.insert(made).values(id=uuid.uuid4().hex, created=datetime.now(UTC)))
    if "erased" not in known:
        op.create_table(
            "erased",
            sa.Column("kind", sa.String(length=16), nullable=False),
            sa.Column("row_id", sa.Integer(), autoincrement=False, nullable=False),
            sa.Column("at", Utc(), nullable=False),
            sa.PrimaryKeyConstraint("kind", "row_id", name=op.f("pk_erased")),
        )
    if op.get_bind().dialect.name == "sqlite":
        # Another database never uses a number again; SQLite must be told.
        with op.batch_alter_table("photos", recreate="always", table_kwargs={"sqlite_autoincrement": True}):
            pass


def downgrade() -> None:
    op.drop_table("erased")
    op.drop_table("installation")
