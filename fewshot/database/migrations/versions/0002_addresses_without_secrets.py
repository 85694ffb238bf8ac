"""Addresses without secrets: lessons of earlier versions kept passwords and tokens of the watched address"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from fewshot.addresses import public_source

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_lessons = sa.table("lessons", sa.column("id", sa.Integer()), sa.column("source", sa.Text()))


def upgrade() -> None:
    connection = op.get_bind()
    for number, source in connection.execute(sa.select(_lessons.c.id, _lessons.c.source)).all():
        if public_source(source) != source:
            connection.execute(sa.update(_lessons).where(_lessons.c.id == number).values(source=public_source(source)))
