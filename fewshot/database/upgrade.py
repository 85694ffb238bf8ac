"""Migrations: update an empty or older database to the tables that this version needs."""

from __future__ import annotations

import contextlib
import re
import sqlite3
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from shlex import quote
from typing import Any

from sqlalchemy import Column, Connection, Engine, MetaData, String, Table, insert, inspect, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from fewshot.database import (  # noqa: F401  # their tables are part of the metadata
    account_tables,
    audit_tables,
    copies,
    erased_tables,
    lesson_tables,
    token_tables,
)
from fewshot.database.audit_tables import AuditHeadRow
from fewshot.database.connecting import make_engine, use_journal
from fewshot.database.erased_tables import InstallationRow
from fewshot.database.moving import without_limits
from fewshot.database.owner import LOCAL
from fewshot.database.row_check import with_check
from fewshot.database.server import take_turn
from fewshot.database.server_copy import copy_out
from fewshot.database.structure import note_tables, refuse_other_tables
from fewshot.database.tables import Base, OwnerRow
from fewshot.database.words import damaged, foreign_file, reason_of, unknown_version, unusable
from fewshot.errors import StoreError
from fewshot.private_files import make_private_folder
from fewshot.translation import later

HEAD = "0011"
"""The newest migration in ``migrations/versions``. Written here, because loading Alembic takes time."""

FIRST = "0001"
"""The oldest one."""

FIRST_HASH = "0" * 64
"""What the first line of the audit log continues, as ``fewshot.audit.chain`` says it."""

MIGRATIONS = Path(__file__).parent / "migrations"
_TRIES = 5
_alembic = threading.Lock()  # Alembic uses global variables


def make_tables(path: Path) -> None:
    """Make the tables in a new file of SQLite.

    Raises:
        StoreError: see ``bring_up_to_date``.
    """
    address = URL.create("sqlite", database=str(path))
    engine = make_engine(address, str(path))
    try:
        use_journal(engine)
        bring_up_to_date(engine.execution_options(writes=True), str(path))
    finally:
        engine.dispose()


def bring_up_to_date(engine: Engine, url: str, new: bool = True, path: Path | None = None) -> None:
    """Run the missing migrations. If several programs start at the same time, one runs them and the others wait.

    A database is copied first into a file (``copies``). If a migration fails, it is what it was before.

    Args:
        engine: its transactions must lock the database for writing at their beginning.
        url: for messages.
        new: whether the database may be without tables.
        path: its file, or for one on a server the file of ``place_of_keys``, beside which a copy is kept before a
            migration; None keeps no copy.

    Raises:
        StoreError: the database was made by a newer version of fewshot or by another program, it is damaged, or a
            migration failed.
        DBAPIError: the database is damaged or cannot be reached.
    """
    kept: tuple[Path, str] | None = None
    for attempt in range(_TRIES):
        with engine.execution_options(writes=False).connect() as connection:
            current = _is_current(connection, url, new)
            refuse_other_tables(connection, url)
            if current:
                return
        try:
            with engine.connect() as connection, _free_of_references(connection), connection.begin():
                take_turn(connection)
                # Another program may have run them while this program waited for its turn.
                if not _is_current(connection, url, new):
                    tables = inspect(connection).get_table_names()
                    if tables:  # on a server also those of other programs
                        ours = path is not None and "alembic_version" in tables
                        kept = _keep_copy(connection, url, path) if ours and path is not None else None
                        _upgrade(connection)
                        _check_references(connection, url)
                    else:
                        _make(connection)
            if path is not None:
                copies.thin_out(path)
        except Exception as error:
            if path is not None and kept is not None:
                raise _failed(url, path, *kept, error) from error
            if not isinstance(error, DBAPIError):
                raise
            # PostgreSQL lets two programs create tables at the same time; then the second one fails and tries again.
            if attempt == _TRIES - 1:
                raise
            time.sleep(0.2 * (attempt + 1))


def _is_current(connection: Connection, url: str, new: bool) -> bool:
    """Whether the tables are up to date. Raises StoreError if this version of fewshot cannot work with them."""
    tables = inspect(connection).get_table_names()
    if "alembic_version" not in tables:
        if new:
            return False
        raise foreign_file(url, tables) if tables else damaged(url, later("it has no tables"))
    versions = list(connection.execute(text("SELECT version_num FROM alembic_version")).scalars())
    version = versions[0] if len(versions) == 1 else None
    if not isinstance(version, str) or not re.fullmatch("[0-9]{4}", version) or version < FIRST:
        raise unknown_version(url, versions, HEAD)
    if version > HEAD:
        raise StoreError(
            later(
                "The database {database} was made by a newer fewshot (version {version} of its tables; this "
                "program supports {head}). Update fewshot.",
                database=url,
                version=version,
                head=HEAD,
            ),
            hint="In a newer checkout of the project type: pip install --upgrade .",
        )
    lost = sorted(set(Base.metadata.tables) - set(tables))
    if lost and version == HEAD:
        raise damaged(url, later("these tables are missing: {tables}", tables=", ".join(lost)))
    return version == HEAD


def _keep_copy(connection: Connection, url: str, path: Path) -> tuple[Path, str]:
    """Copy the database while this program alone may write it. Returns the copy, and the version of its tables."""
    version = str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar())
    copy = copies.new_name(path, f"{version}-to-{HEAD}")
    try:
        make_private_folder(path.parent)
        with copies.whole(copy) as part:
            if connection.dialect.name == "sqlite":
                copies.snapshot(path, part)
            else:
                without_limits(connection, this_transaction=True)
                copy_out(connection, part, make_version)
    except (OSError, sqlite3.Error) as error:
        if connection.dialect.name == "sqlite":
            raise unusable(url, f"no copy could be made before its tables are updated: {error}", path) from error
        raise StoreError(
            later(
                "The tables of the database {database} must be updated, and no copy of it could be made before, in the "
                "folder {folder} ({reason}). Nothing was changed. Make free space there, or give your account the "
                "right to write there, then try again.",
                database=url,
                folder=path.parent,
                reason=getattr(error, "strerror", None) or error,
            )
        ) from error
    return copy, version


def _failed(url: str, path: Path, copy: Path, version: str, error: Exception) -> StoreError:
    """Put the copy back after a migration that failed, and say so."""
    reason = reason_of(error) if isinstance(error, SQLAlchemyError) else str(error) or type(error).__name__
    said = later("It was put back as it was before.")
    try:
        if path.exists():  # a server undoes the whole change by itself
            copies.put_back(path, copy, version)
    except (OSError, sqlite3.Error) as failure:
        said = later("It could not be put back as it was before ({reason}).", reason=failure)
    copies.thin_out(path, parts=False)  # a service that starts again and again must not fill the disk
    return StoreError(
        later(
            "The tables of the database {database} could not be updated from version {version} to {head} "
            "({reason}). {said} A copy from before the update is {copy}, in the same folder. Make free space on "
            "the disk and try again, or use the earlier version of fewshot.",
            database=url,
            version=version,
            head=HEAD,
            reason=reason,
            said=said,
            copy=copy.name,
        ),
        hint=f"To put the copy in its place, type: fewshot restore {quote(str(copy))}",
    )


@contextlib.contextmanager
def _free_of_references(connection: Connection) -> Iterator[None]:
    """Let migrations make tables anew. SQLite would delete all rows that refer to a table which is dropped.

    It must be said outside of a transaction.
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    driver: Any = connection.connection.driver_connection
    driver.execute("PRAGMA foreign_keys=OFF").close()
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys=ON").close()


def _check_references(connection: Connection, url: str) -> None:
    """Raises StoreError if a row refers to another one that is not there."""
    if connection.dialect.name == "sqlite":
        lost = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
        if lost is not None:
            raise damaged(url, f"a row of its table {lost[0]} belongs to a row of {lost[2]} that is missing")


def _make(connection: Connection) -> None:
    """Make all tables as all migrations together make them, which takes a fraction of their time; a test compares."""
    Base.metadata.create_all(connection)
    local = {"id": LOCAL, "name": LOCAL, "folded": LOCAL, "role": "teacher"}
    connection.execute(insert(OwnerRow).values(with_check(OwnerRow, local)))
    connection.execute(insert(AuditHeadRow).values(id=1, number=0, hash=FIRST_HASH, key="", signature=""))
    connection.execute(insert(InstallationRow).values(with_check(InstallationRow, {"id": uuid.uuid4().hex})))
    version = MetaData()
    Table("alembic_version", version, Column("version_num", String(32), primary_key=True))
    version.tables["alembic_version"].primary_key.name = "alembic_version_pkc"
    version.create_all(connection)
    connection.execute(insert(version.tables["alembic_version"]).values(version_num=HEAD))
    note_tables(connection)


def make_version(connection: Connection, version: str) -> None:
    """Make the tables of a version in an empty database; some of them get their first rows."""
    if version == HEAD:
        _make(connection)
    else:
        _upgrade(connection, version)


def _upgrade(connection: Connection, version: str = "head") -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    with _alembic:
        command.upgrade(config, version)
