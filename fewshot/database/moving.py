"""The databases of a PostgreSQL server while one is replaced by its encrypted copy, and what is left if that stops.

The copy gets a name of its own, and a mark from the moment when it is made. While it is written, the server lets nobody
into the old database. Then both change their names in one transaction, and the old one is dropped. So at every moment
exactly one database is the right one: the one with the name that programs use.
"""

from __future__ import annotations

import contextlib
import logging
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from fewshot.database.server import options_for
from fewshot.errors import StoreError

BEGUN = 1718187892
"""As the most connections, it marks an unfinished copy: a comment could be made only after the database."""
REPLACED = "fewshot: was replaced by its encrypted copy. fewshot drops it."
"""As a comment, it marks a database that was replaced. Nothing without one of the marks is ever dropped."""

_MOVE = 0x66657774  # any number that other programs on the server are unlikely to use
_UNDONE = (
    "The encryption of the database %s was interrupted. Its unfinished copy was dropped, and the database is as it was "
    "before. To begin again, type: fewshot key seal"
)
_LONGEST = 63  # bytes of a name

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Names:
    """The names of the databases.

    Attributes:
        here: the name that programs use.
    """

    here: str

    @property
    def new(self) -> str:
        """The name of the copy while it is written."""
        return self._with("_fewshot_new")

    @property
    def old(self) -> str:
        """The name of the replaced database until it is dropped."""
        return self._with("_fewshot_old")

    @property
    def lock(self) -> int:
        """A number for this database in a lock of the server, 31 bits."""
        return zlib.crc32(self.here.encode()) & 0x7FFFFFFF

    def _with(self, end: str) -> str:
        return self.here.encode()[: _LONGEST - len(end)].decode(errors="ignore") + end


def quoted(name: str) -> str:
    """A name as a statement takes it."""
    return '"' + name.replace('"', '""') + '"'


def run(connection: Connection, statement: str) -> None:
    """Run a statement that takes no values, because names cannot be values."""
    connection.exec_driver_sql(statement.replace("%", "%%"))


@contextlib.contextmanager
def beside(address: URL) -> Iterator[Connection]:
    """A connection to another database of the same server; every statement is a transaction of its own.

    Args:
        address: of the database, with the password.

    Raises:
        OperationalError: there is no other database that can be reached.
    """
    failed: OperationalError | None = None
    for name in ("postgres", "template1"):
        engine = create_engine(
            address.set(database=name), poolclass=NullPool, isolation_level="AUTOCOMMIT",
            connect_args=options_for(address),
        )  # fmt: skip
        try:
            connection = engine.connect()
        except OperationalError as error:
            failed = failed or error
            continue
        with connection:
            without_limits(connection)
            yield connection
        return
    assert failed is not None  # nosec B101
    raise failed


def without_limits(connection: Connection, this_transaction: bool = False) -> None:
    """Let a connection wait and work as long as a copy takes, whatever an administrator set for all others.

    Args:
        connection: of PostgreSQL.
        this_transaction: only until the end of its transaction.
    """
    wanted = (
        "SELECT set_config(name, '0', :local) FROM pg_settings WHERE name IN ('idle_session_timeout', "
        "'idle_in_transaction_session_timeout', 'transaction_timeout', 'statement_timeout')"
    )
    connection.execute(text(wanted), {"local": this_transaction}).all()


@contextlib.contextmanager
def turn(server: Connection, names: Names) -> Iterator[bool]:
    """Hold the right to replace a database during the block; the server takes it back when this program is gone.

    Yields:
        Whether it was free.
    """
    which = {"move": _MOVE, "lock": names.lock}
    got = bool(server.scalar(text("SELECT pg_try_advisory_lock(:move, :lock)"), which))
    try:
        yield got
    finally:
        if got:
            with contextlib.suppress(SQLAlchemyError):
                server.execute(text("SELECT pg_advisory_unlock(:move, :lock)"), which)


def in_turn(connection: Connection, names: Names) -> bool:
    """Whether any program replaces the database now."""
    wanted = (
        "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND classid = CAST(:move AS oid) "
        "AND objid = CAST(:lock AS oid) AND objsubid = 2 AND granted)"
    )
    return bool(connection.scalar(text(wanted), {"move": _MOVE, "lock": names.lock}))


def left_over(connection: Connection, names: Names) -> set[str]:
    """What there is of an unfinished encryption: "copy", which is dropped, or "old", the replaced database."""
    wanted = text(
        "SELECT CASE datname WHEN :new THEN 'copy' ELSE 'old' END FROM pg_database WHERE (datname = :new AND "
        "datconnlimit = :begun) OR (datname = :old AND shobj_description(oid, 'pg_database') = :replaced)"
    )
    values = {"new": names.new, "old": names.old, "begun": BEGUN, "replaced": REPLACED}
    return set(connection.scalars(wanted, values))


def lets_in(connection: Connection, names: Names, yes: bool) -> None:
    """Let the server open the database to programs, or close it to all but those that are in it."""
    run(connection, f"ALTER DATABASE {quoted(names.here)} WITH ALLOW_CONNECTIONS {'true' if yes else 'false'}")


def clean(connection: Connection, names: Names) -> str:
    """Drop what an interrupted encryption left, and open the database again.

    Args:
        connection: to any database of the server but the two that may be dropped.
        names: of the databases. No program replaces the database now, or this one does.

    Returns:
        What was left: "copy" (the database is as it was before), "old" (it is encrypted), or "" if nothing was.

    Raises:
        DBAPIError: this account may not do that.
    """
    found = left_over(connection, names)
    if "old" in found:
        drop(connection, names.old)
        return "old"
    if "copy" in found:
        lets_in(connection, names, True)  # first: a database that is closed and has no copy would say nothing
        drop(connection, names.new)
        return "copy"
    return ""


def drop(connection: Connection, name: str) -> None:
    """Drop a database, and end the connections to it that a killed program left.

    The server itself ends its own work in the database, such as VACUUM, and waits 5 s for others. Only then they are
    ended by force, which this account may not do to the server's own processes.
    """
    version = connection.dialect.server_version_info or (0,)
    statement = f"DROP DATABASE IF EXISTS {quoted(name)}"
    try:
        run(connection, statement)
    except DBAPIError:
        if version < (13,):
            raise
        run(connection, f"{statement} WITH (FORCE)")


def make_good(engine: Engine, url: str) -> None:
    """At the start of a program: finish or undo the replacement of a database in which another program was killed.

    Args:
        engine: of the database.
        url: for messages.

    Raises:
        StoreError: another program replaces the database now, or this account may not open it again.
        DBAPIError: it cannot be reached for another reason.
    """
    names = Names(str(engine.url.database or engine.url.username or ""))
    try:
        with engine.connect() as connection:
            apart = connection.execution_options(isolation_level="AUTOCOMMIT")
            if left_over(apart, names) and not in_turn(apart, names):
                _clean_in_words(apart, names)
    except OperationalError as error:
        said = re.search(rf"(?<![\w/.-]){re.escape(names.here)}(?![\w/.-])", str(error.orig))
        if said is None or not _is_closed(engine.url, names, url):
            raise
        engine.dispose()


def _clean_in_words(connection: Connection, names: Names) -> None:
    try:
        left = clean(connection, names)
    except DBAPIError as error:
        logger.warning(
            "The encryption of the database %s was interrupted, and what it left could not be dropped (%s). It still "
            "holds readable names. An administrator of the server can drop the databases %s and %s.",
            names.here, str(error.orig).split("\n", maxsplit=1)[0], names.new, names.old,
        )  # fmt: skip
        return
    if left == "old":
        logger.warning("The encryption of the database %s is complete now: the readable one was dropped.", names.here)
    elif left == "copy":
        logger.warning(_UNDONE, names.here)


def _is_closed(address: URL, names: Names, url: str) -> bool:
    """Whether the database was closed by a program that was killed; it is opened again.

    Raises:
        StoreError: see ``make_good``.
    """
    try:
        with beside(address) as server:
            if "copy" not in left_over(server, names):
                return False
            if in_turn(server, names):
                raise StoreError(
                    f"Another program is encrypting the database {url} now. Nothing is lost. Try again in some minutes."
                )
            try:
                clean(server, names)
            except DBAPIError as error:
                if _is_open(server, names):  # the next start drops the copy
                    return True
                raise StoreError(
                    f"The encryption of the database {url} was interrupted, and this account may not open it again "
                    f"({str(error.orig).splitlines()[0]}). Nothing is lost. An administrator of the server runs: ALTER "
                    f"DATABASE {quoted(names.here)} WITH ALLOW_CONNECTIONS true;"
                ) from error
    except OperationalError:
        return False
    logger.warning(_UNDONE, names.here)
    return True


def _is_open(server: Connection, names: Names) -> bool:
    wanted = text("SELECT datallowconn FROM pg_database WHERE datname = :name")
    return bool(server.scalar(wanted, {"name": names.here}))
