"""What protects the data of an installation, for the app: encryption, recovery file, backups."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fewshot.audit.log import Event, note
from fewshot.backup.make import Made, check_target, make_backup, noted
from fewshot.backup.manage import Shown, manage, managed_places, unmanage
from fewshot.database import Database, open_database
from fewshot.database.managed_list import Place
from fewshot.database.new_database import seal_in_place, seal_into_new
from fewshot.database.owner import LOCAL_TEACHER, Owner
from fewshot.database.place import default_file, default_place, keys_beside
from fewshot.database.plain_log import archives_deleted, what_is_left
from fewshot.database.seal_all import State, check_all, plain_rows, seal_everything
from fewshot.database.sealing import missing_keys, store_of
from fewshot.errors import UsageError
from fewshot.session.lessons import any_lesson_runs
from fewshot.translation import tr, tr_n
from fewshot.vault import FileKeys, HeldKeys


def keys_here() -> FileKeys | HeldKeys:
    """The keys of the default database, which is not opened.

    Raises:
        UsageError: $FEWSHOT_DATABASE is not valid.
    """
    return keys_beside(default_file())


def import_keys(file: Path, passphrase: str) -> int:
    """Take over the keys of a recovery file; see ``FileKeys.take_from``. What was erased here stays erased.

    The database is opened afterwards, because it may not open before.
    """
    count = keys_here().take_from(file, passphrase)
    database = open_database()
    database.drop_keys()
    note(database, LOCAL_TEACHER, "keys changed", details={"what": "keys imported"})
    return count


@dataclass(frozen=True, slots=True)
class Safety:
    """The default database and its keys.

    Attributes:
        database: the database.
        keys: the keys that encrypt it.
        by: who changes something, for the audit log.
    """

    database: Database
    keys: FileKeys | HeldKeys
    by: Owner = LOCAL_TEACHER

    @classmethod
    def here(cls, by: Owner = LOCAL_TEACHER) -> Safety:
        """Of this installation. Raises StoreError if the database cannot be used."""
        return cls(open_database(), keys_here(), by)

    def _note(self, event: Event, what: str) -> None:
        note(self.database, self.by, event, details={"what": what})

    def plain_rows(self) -> int:
        """How many classes, students and lessons are not encrypted."""
        return plain_rows(self.database)

    def not_encrypted(self) -> str:
        """How much is not encrypted, as a sentence; "" if everything is."""
        left = self.plain_rows()
        if not left:
            return ""
        return tr_n(
            "{number} class, student or lesson of an earlier version is not encrypted yet.",
            "{number} classes, students and lessons of an earlier version are not encrypted yet.",
            left,
        )

    @property
    def on_server(self) -> bool:
        """Whether the database is on a PostgreSQL server, where an encrypted copy takes the place of a readable one."""
        return self.database.server is not None

    def seal(self, progress: Callable[[int, int], None] = lambda _done, _total: None, in_place: bool = False) -> None:
        """Encrypt them; see ``seal_everything``, and for a database on a server ``seal_into_new``.

        Args:
            progress: gets how many of how many steps are done.
            in_place: on a server, make no new database; see ``seal_in_place``.

        Raises:
            UsageError: on a server: a right is missing, or another program is connected. Nothing was changed.
            StoreError: the database or the keys cannot be written.
        """
        if not self.on_server:
            seal_everything(self.database, progress)
        elif in_place:
            seal_in_place(self.database, progress)
        else:
            seal_into_new(self.database, progress)
        self._note("keys changed", "everything encrypted")

    def readable_elsewhere(self) -> list[str]:
        """Sentences on where a server may still hold what was readable before the encryption; empty if nowhere."""
        return what_is_left(self.database)

    def archives_deleted(self) -> None:
        """Name the archives of the server's log no longer, because somebody has deleted them."""
        archives_deleted(self.database)

    def rotate(self, secret: str | None) -> None:
        """Replace the key that opens all others.

        Args:
            secret: what FEWSHOT_KEY is from now on; None leaves it as it is.

        Raises:
            UsageError: there are no keys, or a lesson runs, whose program knows the secret of now only.
        """
        self.must_exist()
        if secret is not None and any_lesson_runs(self.database):
            raise UsageError(
                "A lesson runs now, and its program could not write with another secret. Nothing was changed. End the "
                "lesson and close the app, then type the same command again."
            )
        self.keys.rotate(secret)
        self._note("keys changed", "key replaced")

    def check(self) -> State:
        """Open everything once."""
        return check_all(self.database)

    def recovery_places(self) -> list[Path]:
        """Where recovery files are kept up to date."""
        recovery = self.keys.record.get("recovery")
        return [Path(place) for place in recovery["places"]] if recovery else []

    def export(self, file: Path, passphrase: str, replace: bool = False) -> list[str]:
        """Write a recovery file; see ``FileKeys.export``.

        Raises:
            UsageError: nothing is stored yet, the file cannot be written, or the passphrase does not fit.
        """
        self.must_exist()
        if file.is_dir() or not file.absolute().parent.is_dir():
            raise UsageError(
                tr("{file} cannot be written. Give the name of a file in a folder that exists.", file=file)
            )
        said = self.keys.export(file, passphrase, replace)
        self._note("keys changed", "recovery file")
        self.database.renew_managed()  # with another passphrase they are sealed anew
        return said

    def must_exist(self) -> None:
        """Raises UsageError while there are no keys, because nothing is stored; KeysUnusable as ``refuse_lost``."""
        self.refuse_lost()
        if not self.keys.exists:
            raise UsageError(tr("There are no keys yet, because nothing is stored. Enroll a class first."))

    def refuse_lost(self) -> None:
        """Raises KeysUnusable if the database is encrypted, and its keys are not the ones that are here."""
        with self.database.read() as session:
            needed = store_of(session)
        if needed and needed != self.keys.store:
            raise missing_keys(self.keys)

    def no_backup(self) -> str:
        """Why the app cannot make a backup of this database; "" if it can."""
        if default_place() is None:
            return tr("This database is in memory, and is lost when the program ends.")
        return ""

    def backups(self) -> list[Path]:
        """Where backups were written, newest first."""
        return [] if self.database.beside is None else noted(self.database.beside)

    def backup(self, file: Path, passphrase: str) -> str:
        """Write a backup, and say what it holds. Raises UsageError and StoreError; see ``make_backup``."""
        if not file.name:
            raise UsageError(tr("Where should the backup go? Fill in the field “File to write”."))
        check_target(file)
        holds = self.make_backup(file, passphrase).contents
        return tr(
            "{file} holds {classes}, {students} and {lessons}. It was checked.",
            file=file,
            classes=tr_n("{number} class", "{number} classes", holds.classes),
            students=tr_n("{number} student", "{number} students", holds.students),
            lessons=tr_n("{number} lesson", "{number} lessons", holds.lessons),
        )

    def make_backup(self, file: Path, passphrase: str) -> Made:
        """Write a backup; see ``make_backup``."""
        made = make_backup(file, passphrase)
        self._note("backup made", "file")
        return made

    def managed(self) -> list[Shown]:
        """The managed backups. Raises StoreError if their list is damaged."""
        return managed_places(self.database)

    def manage(self, place: Path) -> Place:
        """Keep a managed backup in a folder or a file; see ``manage``. Raises UsageError and StoreError."""
        self.must_exist()
        found = manage(self.database, place)
        self._note("backup made", "managed backup")
        return found

    def unmanage(self, place: Path) -> Path:
        """Keep a managed backup up to date no longer. Raises UsageError and StoreError; see ``unmanage``."""
        file = unmanage(self.database, place)
        self._note("backup made", "managed backup ended")
        return file
