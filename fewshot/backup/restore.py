"""Restores a backup: first on a copy, which loses everything that was removed since; then in place of the database.

The database may be a file or on a PostgreSQL server (``on_server``); a backup of one of them can become the other.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select

from fewshot.audit.carry_on import carry_on
from fewshot.backup import on_server
from fewshot.backup.lost_texts import keys_missing, mend_texts
from fewshot.backup.refusals import refuse_removed, refuse_running
from fewshot.backup.replay import Replayed, apply_removals, retention_of
from fewshot.database import Database, open_database
from fewshot.database.contents import (
    Contents,
    contents_of,
    fault_of,
    installation_in,
    migration_of,
    working_folder,
)
from fewshot.database.copies import copies_of, new_name, snapshot, whole
from fewshot.database.erased import Removals, installation_of, is_unused, read_sidecar, removals_of
from fewshot.database.erased_tables import DroppedKeyRow, InstallationRow
from fewshot.database.kept_texts import kept_texts
from fewshot.database.lesson_tables import LessonRow
from fewshot.database.place import default_file, default_place, keys_beside
from fewshot.database.tables import StudentRow
from fewshot.database.upgrade import HEAD
from fewshot.errors import StoreError
from fewshot.vault import FileKeys, HeldKeys, container
from fewshot.vault.held_keys import held_elsewhere
from fewshot.vault.managed_key import managed_key, managed_secret

_SQLITE = b"SQLite format 3\0"
_WAIT = 3.0
"""Seconds to wait for other programs."""


class _KeepsAll:
    """The keys for a copy: until it is in place, the present database needs what the copy does not need any more.

    The next start of the database that was put in place drops them, because it lists them.
    """

    def drop(self, names: Iterable[str]) -> int:  # noqa: ARG002
        """Nothing."""
        return 0


class _KeepsFileKeys(_KeepsAll, FileKeys):
    pass


class _KeepsHeldKeys(_KeepsAll, HeldKeys):
    pass


@dataclass(frozen=True, slots=True)
class Prepared:
    """A restored copy that can replace the database.

    Attributes:
        store: the file of the database, or for one on a server the file of ``place_of_keys``.
        shown: the database, as a person knows it.
        copy: the file of SQLite whose rows replace it.
        made: when the backup was made, in words.
        before: contents of the database now; None if it is missing or damaged.
        after: contents of the copy.
        why: why the present database cannot be opened; "" if it can be, or if there is none.
        replayed: what was removed from the copy.
        foreign: whether it comes from another installation, so that nothing that was removed here concerns it.
        removals: how much the present database remembered as removed when the copy was made.
    """

    store: Path
    shown: str
    copy: Path
    made: str
    before: Contents | None
    after: Contents
    why: str
    replayed: Replayed
    foreign: bool
    removals: tuple[int, int]


def copies_beside() -> list[Path]:
    """The copies that the program made by itself, newest first. They are not encrypted."""
    return copies_of(store_file())


def store_file() -> Path:
    """The file beside which the files of the default database lie, whether they are there or not.

    Raises:
        StoreError: the database is in memory.
    """
    path = default_place()
    if path is None:
        raise StoreError(
            "fewshot restore replaces a database in a file or on a PostgreSQL server, and FEWSHOT_DATABASE names "
            "another kind. Nothing was changed."
        )
    return path


def needs_passphrase(file: Path) -> bool:
    """Whether a file is an encrypted backup; a copy that the program made by itself is not.

    Raises:
        UsageError: it cannot be read, or is neither of them.
        StoreError: it is damaged, or was made by a newer program.
    """
    try:
        with file.open("rb") as opened:
            if opened.read(len(_SQLITE)) == _SQLITE and file.name.startswith("before-"):
                return False
    except OSError as error:
        raise container.unreadable(file, error) from error
    header = container.read_header(file)
    _refuse_newer(file, header.migration)
    if header.managed is not None:
        managed_key(file, header, keys_beside(default_file()))  # says that keys are missing before it asks for a word
    if header.kind != "sqlite":
        raise StoreError(f"The backup {file} is of a {header.kind} database, which this program cannot restore.")
    return True


@contextlib.contextmanager
def prepared(file: Path, passphrase: str | None) -> Iterator[Prepared]:
    """Open a backup as a copy beside the database, and remove from it what was removed since. Nothing else changes.

    Args:
        file: an encrypted backup, or a copy that the program made by itself.
        passphrase: None for such a copy.

    Raises:
        UsageError: the passphrase is wrong, or the file is no backup.
        StoreError: the backup is damaged or of a newer program, or a lesson runs.
    """
    store = store_file()
    with working_folder(store) as folder:
        copy = folder / "fewshot.db"
        try:
            made = _unpacked(file, passphrase, copy)
            version = migration_of(copy)
            installation = installation_in(copy)
        except sqlite3.Error as error:
            raise container.damaged(file, str(error)) from error
        except OSError as error:
            raise _no_space(store, error) from error
        _refuse_newer(file, version)
        if fault := fault_of(copy):
            raise container.damaged(file, fault)
        present, why = _present(store)
        yield _clean(store, copy, made, installation, present, why)


def put_in_place(ready: Prepared) -> Path | None:
    """Replace the database by the prepared copy, and keep the database aside.

    Returns:
        Where it was kept; None if there was none.

    Raises:
        StoreError: a lesson runs, another program has the database open, something was removed from it meanwhile, or
            the disk is full. Then nothing was changed.
    """
    store, aside = ready.store, new_name(ready.store, "restore")
    if default_file() is None:
        return _on_server(ready, aside)
    try:
        if ready.before is None:
            kept = _replace_file(ready, aside)
            Database(f"sqlite:///{store.absolute()}").close()
            return kept
        with contextlib.closing(_locked(store)) as there:
            _refuse_running(there)
            refuse_removed(_removed(there), ready.removals)
            with whole(aside) as part:
                _copy(there, part)
            with contextlib.closing(sqlite3.connect(ready.copy)) as new:
                new.backup(there)
            there.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
        Database(f"sqlite:///{store.absolute()}").close()  # brings the list of erased rows beside it up to date
        return aside
    except (OSError, sqlite3.Error) as error:
        raise _no_space(store, error) from error


def _on_server(ready: Prepared, aside: Path) -> Path | None:
    try:
        return on_server.put_in_place(ready.copy, aside, None if ready.before is None else ready.removals)
    except (OSError, sqlite3.Error) as error:
        raise _no_space(ready.store, error) from error


def _unpacked(file: Path, passphrase: str | None, copy: Path) -> str:
    if passphrase is not None:
        header = container.read_header(file)
        if header.managed is None:
            return container.unseal(file, passphrase, copy).made
        secret = managed_secret(file, header, passphrase, keys_beside(default_file()))
        return container.unseal(file, secret, copy).made
    snapshot(file, copy)
    return datetime.fromtimestamp(file.stat().st_mtime, UTC).isoformat(timespec="seconds")


def _present(store: Path) -> tuple[Database | None, str]:
    """The database now, or why it cannot be opened. Raises StoreError if a server cannot be reached."""
    if default_file() is None:
        return on_server.present(), ""
    journal = store.with_name(f"{store.name}-wal")
    if not store.exists():
        lost = journal.exists() and journal.stat().st_size > 0
        return None, "its file is missing, and only its journal is there" if lost else ""
    try:
        present = Database(f"sqlite:///{store.absolute()}")
        if fault := fault_of(store):
            return None, fault
        return present, ""
    except StoreError as error:
        if "newer fewshot" in error.text:
            raise
        return None, error.text


def _clean(store: Path, copy: Path, made: str, installation: str, present: Database | None, why: str) -> Prepared:
    kept = read_sidecar(store)
    file = default_file()
    keys = (None if file else held_elsewhere(_KeepsHeldKeys)) or _KeepsFileKeys(store.parent)
    database = Database(f"sqlite:///{copy.absolute()}", keys=keys)
    removals, here, unused, days, count = Removals(), "", True, {}, (0, 0)
    if present is not None:
        with present.read() as session:
            wanted = select(LessonRow.id, LessonRow.owner, LessonRow.heartbeat).where(LessonRow.ended.is_(None))
            for number, owner, heartbeat in session.execute(wanted):
                refuse_running(number, owner, heartbeat)
            here, removals, unused = installation_of(session), removals_of(session), is_unused(session)
        days, count = retention_of(present), (len(removals.erased), len(removals.withdrawn))
    if not installation:  # made before installations had an id, so it was made here
        installation = here or (next(iter(kept)) if len(kept) == 1 else "")
        if installation:
            with database.write() as session:
                session.scalars(select(InstallationRow)).one().id = installation
    foreign = bool((here and not unused) or kept) and installation not in {here, *kept}
    mine = kept.get(installation, Removals())
    if here == installation:
        mine = removals.joined(mine)
    _refuse_without_keys(database, present)
    mended = mend_texts(
        database, present if here == installation else None, kept_texts(store, database.vault, installation)
    )
    carry_on(database, present if here == installation else None)
    replayed = apply_removals(database, mine, days if here == installation else {})
    replayed.count(mended.students, mended.lessons, mended.texts, mine)
    database.close()
    with contextlib.closing(sqlite3.connect(copy)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE").close()
    if fault := fault_of(copy):
        raise StoreError(f"The restored copy is damaged ({fault}). Nothing was changed. Use an older backup.")
    before, shown = None, str(file or open_database().url)
    if present is not None:
        before = contents_of(store) if file else on_server.contents(present)
    return Prepared(store, shown, copy, made, before, contents_of(copy), why, replayed, foreign, count)


def _refuse_without_keys(copy: Database, present: Database | None) -> None:
    """Raises StoreError if nobody in a backup can be read here."""
    missing, count = keys_missing(copy)
    if count and missing == count and not (present is not None and _all_erased(copy, present)):
        raise StoreError(
            f"The keys that encrypt this backup are not on this computer: none of its {count} students can be read. "
            "Nothing was changed. Use the recovery file of the computer where the backup was made.",
            hint="Type first: fewshot key import FILE",
        )


def _all_erased(copy: Database, present: Database) -> bool:
    """Whether the keys of all students of a copy were dropped here, because the students were erased."""
    with copy.read() as session:
        keys = {key for key in session.scalars(select(StudentRow.key)) if key}
    with present.read() as session:
        return keys <= set(session.scalars(select(DroppedKeyRow.key)))


def _refuse_newer(file: Path, version: str) -> None:
    if version > HEAD:
        raise StoreError(
            f"The backup {file} was made by a newer fewshot (version {version} of its tables; this program supports "
            f"{HEAD}). Nothing was changed. Update fewshot.",
            hint="In a newer checkout of the project type: pip install --upgrade .",
        )


def _refuse_running(connection: sqlite3.Connection) -> None:
    """Raises StoreError while a lesson of any teacher runs."""
    rows = connection.execute("SELECT id, owner, heartbeat FROM lessons WHERE ended IS NULL").fetchall()
    for number, owner, heartbeat in rows:
        refuse_running(number, owner, datetime.fromisoformat(heartbeat).replace(tzinfo=UTC))


def _locked(store: Path) -> sqlite3.Connection:
    """A connection that has the database for itself.

    Raises:
        StoreError: another program has it open.
    """
    connection = sqlite3.connect(store, timeout=_WAIT, isolation_level=None)
    try:
        connection.execute("PRAGMA locking_mode=EXCLUSIVE").close()
        connection.execute("BEGIN EXCLUSIVE").close()
        connection.execute("COMMIT").close()  # in this mode the lock stays
    except sqlite3.Error as error:
        connection.close()
        raise StoreError(
            f"Another program has the database {store} open ({error}), so it was not replaced. Nothing was changed. "
            "Close the app and other commands of fewshot, then type the same command again."
        ) from error
    return connection


def _removed(connection: sqlite3.Connection) -> tuple[int, int]:
    (erased,) = connection.execute("SELECT count(*) FROM erased").fetchone()
    (withdrawn,) = connection.execute("SELECT count(*) FROM consents WHERE withdrawn IS NOT NULL").fetchone()
    return erased, withdrawn


def _copy(there: sqlite3.Connection, aside: Path) -> None:
    os.close(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    with contextlib.closing(sqlite3.connect(aside)) as new:
        there.backup(new)
        new.execute("PRAGMA journal_mode=DELETE").close()


def _replace_file(ready: Prepared, aside: Path) -> Path | None:
    """Put the copy where no usable database is. What is there is moved aside with its journals."""
    moved: list[tuple[Path, Path]] = []
    try:
        for rest in ("", "-wal", "-shm"):
            there, new = ready.store.with_name(ready.store.name + rest), aside.with_name(aside.name + rest)
            if there.exists():
                there.rename(new)
                moved.append((there, new))
        ready.copy.replace(ready.store)
    except OSError:
        for there, new in moved:
            new.rename(there)
        raise
    return moved[0][1] if moved else None


def _no_space(store: Path, error: Exception) -> StoreError:
    reason = getattr(error, "strerror", None) or error
    return StoreError(
        f"The backup could not be restored ({reason}). The database was not changed. Check that the folder "
        f"{store.absolute().parent} may be written to and has free space, then try again."
    )
