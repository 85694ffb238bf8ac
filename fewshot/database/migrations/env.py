"""Alembic runs this file for every command. The caller provides the connection and its transaction."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection, create_engine

from fewshot.database import lesson_tables  # noqa: F401  # their tables are part of the metadata
from fewshot.database.structure import note_tables
from fewshot.database.tables import Base


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection, target_metadata=Base.metadata, render_as_batch=True, transactional_ddl=True
    )
    with context.begin_transaction():
        context.run_migrations()
        note_tables(connection)


_given = context.config.attributes.get("connection")
if _given is not None:
    _run(_given)
else:
    # A developer's direct call of `alembic`: the address comes from the configuration.
    with create_engine(context.config.get_main_option("sqlalchemy.url") or "sqlite://").begin() as _connection:
        _run(_connection)
