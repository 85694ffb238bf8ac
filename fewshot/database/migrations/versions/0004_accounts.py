"""Accounts: hashes of passwords, people of an identity provider, running logins, refused logins"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from fewshot.database.columns import Utc

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "passwords",
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("hash", sa.String(length=256), nullable=False),
        sa.Column("changed", Utc(), nullable=False),
        sa.Column("must_change", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["owners.id"], name=op.f("fk_passwords_owner_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("owner_id", name=op.f("pk_passwords")),
    )
    op.create_table(
        "invited",
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("issuer", sa.String(length=512), nullable=True),
        sa.Column("subject", sa.String(length=255), nullable=True),
        sa.ForeignKeyConstraint(["owner_id"], ["owners.id"], name=op.f("fk_invited_owner_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("owner_id", name=op.f("pk_invited")),
        sa.UniqueConstraint("email", name=op.f("uq_invited_email")),
        sa.UniqueConstraint("issuer", "subject", name=op.f("uq_invited_issuer")),
    )
    op.create_table(
        "logins",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("created", Utc(), nullable=False),
        sa.Column("seen", Utc(), nullable=False),
        sa.Column("ended", Utc(), nullable=True),
        sa.ForeignKeyConstraint(["owner_id"], ["owners.id"], name=op.f("fk_logins_owner_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_logins")),
        sa.UniqueConstraint("token", name=op.f("uq_logins_token")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_logins_owner_id", "logins", ["owner_id"])
    op.create_table(
        "refused_logins",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("first", Utc(), nullable=False),
        sa.Column("until", Utc(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_refused_logins")),
    )


def downgrade() -> None:
    for table in ("refused_logins", "logins", "invited", "passwords"):
        op.drop_table(table)
