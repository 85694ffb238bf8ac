"""Tokens of programs that use the service, their classes, and tickets for one WebSocket"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from fewshot.database.columns import Utc

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tokens",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("owner_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("all_classes", sa.Boolean(), nullable=False),
        sa.Column("created", Utc(), nullable=False),
        sa.Column("expires", Utc(), nullable=False),
        sa.Column("used", Utc(), nullable=True),
        sa.ForeignKeyConstraint(["owner_id"], ["owners.id"], name=op.f("fk_tokens_owner_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("token", name=op.f("uq_tokens_token")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_tokens_owner_id", "tokens", ["owner_id"])
    op.create_table(
        "token_classes",
        sa.Column("token_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("class_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(
            ["token_id"], ["tokens.id"], name=op.f("fk_token_classes_token_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["class_id"], ["classes.id"], name=op.f("fk_token_classes_class_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_id", "class_id", name=op.f("pk_token_classes")),
    )
    op.create_index("ix_token_classes_class_id", "token_classes", ["class_id"])
    op.create_table(
        "tickets",
        sa.Column("ticket", sa.String(length=64), nullable=False),
        sa.Column("token_id", sa.Integer(), nullable=True),
        sa.Column("login_id", sa.Integer(), nullable=True),
        sa.Column("expires", Utc(), nullable=False),
        sa.ForeignKeyConstraint(["token_id"], ["tokens.id"], name=op.f("fk_tickets_token_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["login_id"], ["logins.id"], name=op.f("fk_tickets_login_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("ticket", name=op.f("pk_tickets")),
    )
    op.create_index("ix_tickets_token_id", "tickets", ["token_id"])
    op.create_index("ix_tickets_login_id", "tickets", ["login_id"])


def downgrade() -> None:
    for table in ("tickets", "token_classes", "tokens"):
        op.drop_table(table)
