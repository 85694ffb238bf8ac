"""Encrypts a database on a PostgreSQL server by writing a new one, which takes its name; the old one is dropped.

Sealing the rows in their place would leave the readable ones in the files of the tables. See ``moving`` for what
happens if the program is killed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from fewshot.database import plain_log
from fewshot.database.copies import forget_all
from fewshot.database.engine import Database
from fewshot.database.moving import (
    BEGUN,
    REPLACED,
    Names,
    beside,
    clean,
    drop,
    lets_in,
    quoted,
    run,
    turn,
    without_limits,
)
from fewshot.database.seal_all import seal_everything
from fewshot.database.sealed_rows import copy_sealed, require_same
from fewshot.database.server import connected
from fewshot.database.tables import Base
from fewshot.database.words import reason_of, unusable
from fewshot.errors import UsageError

LEAVING = 3.0
"""Seconds within which programs that end now have left the database."""

_RIGHTS = (
    "SELECT r.rolsuper OR r.rolcreatedb, r.rolsuper OR pg_has_role(d.datdba, 'USAGE'), quote_ident(r.rolname), "
    "current_schema() FROM pg_roles r, pg_database d WHERE r.rolname = current_user AND d.datname = current_database()"
)
_FOREIGN = """
SELECT 'the table ' || c.oid::regclass FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT (n.nspname = 'public' AND c.relname = ANY(:tables))
AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND n.nspname NOT LIKE 'pg\\_temp%'
UNION ALL SELECT 'the function ' || p.oid::regproc FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
UNION ALL SELECT 'the extension ' || extname FROM pg_extension WHERE extname <> 'plpgsql'
UNION ALL SELECT 'large objects' WHERE EXISTS (SELECT 1 FROM pg_largeobject_metadata)
ORDER BY 1 LIMIT 5
"""
_LIKE_OLD = """
SELECT pg_encoding_to_char(d.encoding) AS encoding, d.datcollate, d.datctype, d.datconnlimit, t.spcname,
quote_ident(r.rolname) AS owner, to_jsonb(d) ->> 'datlocprovider' AS provider,
coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale') AS locale,
shobj_description(d.oid, 'pg_database') AS comment
FROM pg_database d JOIN pg_tablespace t ON t.oid = d.dattablespace JOIN pg_roles r ON r.oid = d.datdba
WHERE d.datname = :name
"""


def seal_into_new(database: Database, progress: Callable[[int, int], None] = lambda _done, _total: None) -> None:
    """Write an encrypted copy of a database, check it, let it take the name, and drop the readable one.

    Args:
        database: on a PostgreSQL server. No other program may be connected to it.
        progress: gets how many of how many rows are done.

    Raises:
        UsageError: the account of the database lacks a right, another program is connected, or the database holds what
            fewshot did not make. Nothing was changed.
        StoreError: the copy could not be written, or differs. The database is as it was.
    """
    address = database.server
    if address is None:
        raise UsageError(f"The database {database.url} is not on a PostgreSQL server.")
    names = Names(str(address.database or address.username))
    try:
        with beside(address) as server, turn(server, names) as free:
            if not free:
                raise UsageError("Another program encrypts this database now. Wait until it is done.")
            clean(server, names)
            _refuse(server, database, names)
            try:
                before = _create(server, names)
                _fill(server, database, names, progress)
                _switch(server, names, before)
            except BaseException:
                with contextlib.suppress(SQLAlchemyError):
                    clean(server, names)
                raise
            drop(server, names.old)
    except SQLAlchemyError as error:
        raise unusable(database.url, reason_of(error)) from error
    plain_log.close_note(database)
    if database.beside is not None:
        forget_all(database.beside)


def seal_in_place(database: Database, progress: Callable[[int, int], None] = lambda _done, _total: None) -> None:
    """Seal the rows where they are, then let the server write all tables anew.

    Weaker than ``seal_into_new``: a kill before the end leaves readable rows in the files of the tables, with no word.

    Raises:
        StoreError: the database cannot be used. What was sealed stays sealed.
    """
    with database.write() as session:
        plain_log.take_note(session, copies=True)
    seal_everything(database, progress)
    forget_plain(database)
    if database.beside is not None:
        forget_all(database.beside)


def forget_plain(database: Database) -> None:
    """Let the server write all tables anew, because deleted readable rows are still in their files.

    Raises:
        StoreError: the database cannot be used.
    """
    with database.apart() as connection:
        for name in Base.metadata.tables:
            run(connection, f"VACUUM (FULL, ANALYZE) {quoted(name)}")
        with contextlib.suppress(SQLAlchemyError):  # the statistics held frequent values; only the owner may do it
            run(connection, "VACUUM (FULL) pg_statistic")
    plain_log.close_note(database)


def _fill(server: Connection, database: Database, names: Names, progress: Callable[[int, int], None]) -> None:
    """Copy everything while nobody else is in the old database. At the end no connection to either is left."""
    assert database.server is not None  # nosec B101
    database.close()
    new = None
    try:
        with database.read() as there:
            without_limits(there.connection())
            ours = [int(there.execute(text("SELECT pg_backend_pid()")).scalar_one())]
            lets_in(server, names, False)
            _refuse_others(server, names, ours, LEAVING)
            new = Database(database.server.set(database=names.new), database.vault.keys)
            copy_sealed(there, new, progress)
            require_same(there, new)
            with new.write() as here:
                plain_log.take_note(here, copies=True)
            _carry_rights(there.connection(), new, names)
    finally:
        if new is not None:
            new.close()
        database.close()


def _refuse(server: Connection, database: Database, names: Names) -> None:
    """Check what can be checked before anything is done. Raises UsageError."""
    with database.apart() as connection:
        may_create, owns, role, schema = connection.execute(text(_RIGHTS)).one()
        foreign = connection.scalars(text(_FOREIGN), {"tables": [*Base.metadata.tables, "alembic_version"]}).all()
        pid = int(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())
    needed = [] if may_create else [f"ALTER ROLE {role} CREATEDB;"]
    needed += [] if owns else [f"ALTER DATABASE {quoted(names.here)} OWNER TO {role};"]
    if needed:
        later = "" if may_create else f" Afterwards the right can be taken back: ALTER ROLE {role} NOCREATEDB;"
        raise UsageError(
            "An encrypted copy of the database is written beside it and takes its place. The account of fewshot has no "
            f"right to do that. Nothing was changed. An administrator of the server runs: {' '.join(needed)}{later}",
            hint="Then type the same command again. Without that right: fewshot key seal --in-place, which is weaker.",
        )
    if schema != "public" or foreign:
        what = ", ".join(map(str, foreign)) if foreign else f"the schema {schema}"
        raise UsageError(
            f"The database would be replaced by an encrypted copy, and it holds what fewshot did not make: {what}. "
            "Nothing was changed. Move that to another database.",
            hint="Then type the same command again. To leave it where it is: fewshot key seal --in-place, which is "
            "weaker.",
        )
    if any(_databases(server, name) for name in (names.new, names.old)):
        raise UsageError(
            f"There is a database {names.new} or {names.old} on the server, and fewshot did not make it. Nothing was "
            "changed. Give it another name, or drop it."
        )
    database.close()
    _refuse_others(server, names, [pid], LEAVING)


def _databases(server: Connection, name: str) -> bool:
    return bool(server.scalar(text("SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = :name)"), {"name": name}))


def _refuse_others(server: Connection, names: Names, ours: list[int], patience: float) -> None:
    """Raises UsageError, which names them, if other programs stay connected to the database."""
    told = connected(server, names.here, patience, ours)
    if told:
        raise UsageError(
            f"Other programs are connected to the database: {told}. Nothing was changed. While it is encrypted nobody "
            "else may use it. Close the app, the service, running lessons and all other programs that use it, also on "
            "other computers, then try again."
        )


def _create(server: Connection, names: Names) -> Any:
    """Make the empty database, as the old one was made, and mark it. Returns what is known about the old one."""
    old = server.execute(text(_LIKE_OLD), {"name": names.here}).one()
    words = [
        f"OWNER {old.owner} TEMPLATE template0 ENCODING {_text(old.encoding)} CONNECTION LIMIT {BEGUN}",
        f"LC_COLLATE {_text(old.datcollate)} LC_CTYPE {_text(old.datctype)}",
    ]
    if old.spcname != "pg_default":  # to name that one is not allowed to everybody
        words.append(f"TABLESPACE {quoted(old.spcname)}")
    if old.provider in ("i", "b"):
        provider, option = ("icu", "ICU_LOCALE") if old.provider == "i" else ("builtin", "BUILTIN_LOCALE")
        words.append(f"LOCALE_PROVIDER {provider} {option} {_text(old.locale)}")
    run(server, f"CREATE DATABASE {quoted(names.new)} {' '.join(words)}")
    return old


def _carry_rights(there: Connection, new: Database, names: Names) -> None:
    """Give the copy the rights of other accounts and the settings that the old database has."""
    statements = []
    granted = there.execute(
        text(
            "SELECT quote_ident(coalesce(r.rolname, '')) AS who, a.privilege_type, a.is_grantable FROM pg_database d, "
            "aclexplode(d.datacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee WHERE d.datname = :name"
        ),
        {"name": names.here},
    ).all()
    if granted:
        statements.append(f"REVOKE ALL ON DATABASE {quoted(names.new)} FROM PUBLIC")
    statements += [_grant(who, right, may, f"DATABASE {quoted(names.new)}") for who, right, may in granted]
    for table, who, right, may in there.execute(
        text(
            "SELECT c.relname, quote_ident(coalesce(r.rolname, '')), a.privilege_type, a.is_grantable FROM pg_class c, "
            "aclexplode(c.relacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee "
            "WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.grantee <> c.relowner"
        )
    ):
        statements.append(_grant(who, right, may, f"TABLE {quoted(table)}"))
    for settings in there.scalars(
        text(
            "SELECT s.setconfig FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase "
            "WHERE d.datname = :name AND s.setrole = 0"
        ),
        {"name": names.here},
    ):
        for key, _, value in (setting.partition("=") for setting in settings):
            statements.append(f"ALTER DATABASE {quoted(names.new)} SET {quoted(key)} TO {_text(value)}")
    with new.apart() as connection:
        for statement in statements:
            run(connection, statement)


def _grant(who: str, right: str, grantable: bool, what: str) -> str:
    to = "PUBLIC" if who == '""' else who
    return f"GRANT {right} ON {what} TO {to}{' WITH GRANT OPTION' if grantable else ''}"


def _switch(server: Connection, names: Names, old: Any) -> None:
    """Let the copy take the name of the database, in one transaction."""
    comment = "NULL" if old.comment is None else _text(old.comment)
    for statement in (
        "BEGIN",
        f"ALTER DATABASE {quoted(names.here)} RENAME TO {quoted(names.old)}",
        f"ALTER DATABASE {quoted(names.new)} RENAME TO {quoted(names.here)}",
        f"ALTER DATABASE {quoted(names.here)} WITH CONNECTION LIMIT {old.datconnlimit}",
        f"COMMENT ON DATABASE {quoted(names.here)} IS {comment}",
        f"COMMENT ON DATABASE {quoted(names.old)} IS {_text(REPLACED)}",
        "COMMIT",
    ):
        run(server, statement)


def _text(value: str) -> str:
    """A value as a statement takes it."""
    return "'" + value.replace("'", "''") + "'"
