"""Migrations: from an empty or an earlier database to what this program needs."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import DBAPIError

from fewshot.errors import StoreError

HEAD = "0001"
"""The newest migration in ``migrations/versions``. Named here, as Alembic itself takes a while to load."""

MIGRATIONS = Path(__file__).parent / "migrations"
_TRIES = 5
_alembic = threading.Lock()  # it keeps what it works on in global variables


def bring_up_to_date(engine: Engine, url: str) -> None:
    """Run the migrations that are missing. Of several programs that start at once, one does it and the others wait.

    Args:
        engine: whose transactions take the right to write at their beginning.
        url: for messages.

    Raises:
        StoreError: the database was made by a newer fewshot, or is not fewshot's.
        DBAPIError: it is damaged or out of reach.
    """
    for attempt in range(_TRIES):
        with engine.execution_options(writes=False).connect() as connection:
            if _is_current(connection, url):
                return
        try:
            with engine.begin() as connection:
                # Somebody else may have done it while this program waited for its turn.
                if not _is_current(connection, url):
                    _upgrade(connection)
        except DBAPIError:
            # Where tables can be made side by side (PostgreSQL), the second of two that start at once fails.
            if attempt == _TRIES - 1:
                raise
            time.sleep(0.2 * (attempt + 1))


def _is_current(connection: Connection, url: str) -> bool:
    """Raises StoreError if a program that knows more migrations than this one was here."""
    if not inspect(connection).has_table("alembic_version"):
        return False
    version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if version is not None and version > HEAD:
        raise StoreError(
            f"The database {url} was made by a newer fewshot (version {version} of its tables, this program knows "
            f"{HEAD}). Update fewshot: pip install --upgrade fewshot."
        )
    return version == HEAD


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    with _alembic:
        command.upgrade(config, "head")
