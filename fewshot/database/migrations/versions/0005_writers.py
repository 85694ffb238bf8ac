"""Writers: a number and a ticket decide which recorder may write a lesson, and its unfinished second is marked"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    known = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("lessons")}
    for column in (
        sa.Column("writer", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("ticket", sa.String(length=64), nullable=False, server_default=""),
        sa.Column("provisional", sa.Integer(), nullable=True),
    ):
        # A backup may have been brought to an older number by hand; what is there already is as good.
        if column.name not in known:
            op.add_column("lessons", column)


def downgrade() -> None:
    for column in ("provisional", "ticket", "writer"):
        op.drop_column("lessons", column)
