"""Writes the data of a student for the family: one file for programs, one page to read."""

from __future__ import annotations

import json
import tempfile
import unicodedata
from contextlib import ExitStack, suppress
from pathlib import Path

from fewshot.access.gather import gather
from fewshot.access.page import html_page
from fewshot.audit.log import note
from fewshot.classroom.class_rows import class_of, student_of
from fewshot.database import Database
from fewshot.database.owner import Owner
from fewshot.database.words import damaged
from fewshot.errors import UsageError, reason_of
from fewshot.private_files import make_private_folder, write_private
from fewshot.translation import later

JSON, HTML = "data.json", "data.html"
_LONGEST = 60
"""Bytes of a folder's name."""


def student_files(database: Database, owner: Owner, class_name: str, student: str) -> dict[str, bytes]:
    """The two files in memory, by name; the audit log notes the export.

    Raises:
        UsageError: there is no such class or student of this owner.
        StoreError: the database is damaged or cannot be reached.
    """
    held = gather(database, owner, class_name, student)
    with database.read() as session:
        row = class_of(session, owner, class_name)
        number, class_id = student_of(session, row, student).id, row.id
    try:
        text = json.dumps(held, ensure_ascii=False, indent=1, allow_nan=False)
    except ValueError as error:
        raise damaged(database.url, f"a number that is stored about {student} is none: {error}") from error
    files = {
        JSON: (text + "\n").encode("utf-8", "backslashreplace"),
        HTML: html_page(held).encode("utf-8", "backslashreplace"),
    }
    note(database, owner, "exported", student=number, details={"class": class_id, "what": "data of the student"})
    return files


def folder_for(student: str) -> Path:
    """A folder that is named after a student, in any script and on any disk."""
    plain = "".join(letter if letter.isalnum() or unicodedata.category(letter)[0] == "M" else "-" for letter in student)
    short = plain.encode()[:_LONGEST].decode(errors="ignore").strip("-")
    return Path(f"data-of-{short or 'student'}")


def write_files(files: dict[str, bytes], folder: Path) -> list[Path]:
    """Write files that only their owner may open: all of them or, after an error, none.

    Returns:
        Their paths.

    Raises:
        UsageError: the folder cannot be made or written.
    """
    made: list[tuple[Path, Path]] = []
    try:
        make_private_folder(folder)
        with ExitStack() as undo:
            for name, data in files.items():
                with tempfile.NamedTemporaryFile(prefix=f".{name}-", dir=folder, delete=False) as file:
                    path = Path(file.name)
                undo.callback(_drop, path)
                write_private(path, data)
                made.append((path, folder / name))
            for path, target in made:
                path.replace(target)
        return [target for _, target in made]
    except OSError as error:
        raise UsageError(
            later(
                "The data could not be written to {folder} ({reason}). Nothing was written. Choose a folder that "
                "may be written to and has free space.",
                folder=folder,
                reason=reason_of(error),
            ),
            hint="To name one, add: --output FOLDER",
        ) from error


def _drop(path: Path) -> None:
    with suppress(OSError):
        path.unlink()
