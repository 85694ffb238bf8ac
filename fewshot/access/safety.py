"""What protects the data of an installation, for the app: encryption, recovery file, backups, audit log."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fewshot.audit.log import latest
from fewshot.audit.verify import verify
from fewshot.backup.make import check_target, make_backup, noted
from fewshot.classroom.owners import Owners
from fewshot.database import Database, open_database
from fewshot.database.engine import default_file
from fewshot.database.owner import Owner
from fewshot.database.seal_all import plain_rows, seal_everything
from fewshot.errors import FewshotError, UsageError
from fewshot.models.files import home
from fewshot.session.analysis.words import counted
from fewshot.session.reading_codec import seal_lesson
from fewshot.vault import FileKeys


@dataclass(frozen=True, slots=True)
class Safety:
    """The default database and its keys.

    Attributes:
        database: the database.
        keys: the keys that encrypt it.
    """

    database: Database
    keys: FileKeys

    @classmethod
    def here(cls) -> Safety:
        """Of this installation. Raises StoreError if the database cannot be used."""
        file = default_file()
        return cls(open_database(), FileKeys(home() if file is None else file.parent))

    def plain_rows(self) -> int:
        """How many classes, students and lessons are not encrypted."""
        return plain_rows(self.database)

    def seal(self) -> None:
        """Encrypt them; see ``seal_everything``."""
        seal_everything(self.database, seal_lesson, lambda _done, _total: None)

    def recovery_places(self) -> list[Path]:
        """Where recovery files are kept up to date."""
        recovery = self.keys.record.get("recovery")
        return [Path(place) for place in recovery["places"]] if recovery else []

    def export(self, file: Path, passphrase: str) -> list[str]:
        """Write a recovery file; see ``FileKeys.export``.

        Raises:
            UsageError: nothing is stored yet, the file cannot be written, or the passphrase does not fit.
        """
        if not self.keys.exists:
            raise UsageError("There is nothing to recover yet. Enroll a class first.")
        if file.is_dir() or not file.absolute().parent.is_dir():
            raise UsageError(f"{file} cannot be written. Give the name of a file in a folder that exists.")
        return self.keys.export(file, passphrase)

    def no_backup(self) -> str:
        """Why the app cannot make a backup of this database; "" if it can."""
        if default_file() is None:
            return "This database is on a server. Whoever looks after the server makes the backups."
        return ""

    def backups(self) -> list[Path]:
        """Where backups were written, newest first."""
        return [] if self.database.path is None else noted(self.database.path)

    def backup(self, file: Path, passphrase: str) -> str:
        """Write a backup, and say what it holds. Raises UsageError and StoreError; see ``make_backup``."""
        if not file.name:
            raise UsageError("Where should the backup go? Fill in the field “File to write”.")
        check_target(file)
        holds = make_backup(file, passphrase).contents
        students, lessons = counted(holds.students, "student"), counted(holds.lessons, "lesson")
        return f"{file} holds {counted(holds.classes, 'class', 'classes')}, {students} and {lessons}. It was checked."

    def lines(self, last: int, owner: Owner) -> list[dict[str, str]]:
        """The latest lines of the audit log that an owner may see, newest first, for a table."""
        names = {one.id: one.name for one in Owners(self.database).all()}
        return [
            {
                "When (UTC)": str(line.at)[:19].replace("T", " "),
                "Account": names.get(line.owner, "unknown" if not line.owner else "removed account"),
                "Event": str(line.event),
                "Student (random number)": str(line.subject)[:12],
                "Details": ", ".join(f"{name} {value}" for name, value in line.told().items()),
            }
            for line in reversed(latest(self.database, last, owner))
        ]

    def faults(self) -> list[str]:
        """What is wrong with the audit log, as sentences."""
        try:
            return list(verify(self.database).findings)
        except FewshotError as error:
            return [error.text]
