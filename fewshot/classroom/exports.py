"""Folders of exported lessons that the program knows, so that a student who is erased is erased there too.

``fewshot analyze --jobs`` writes such folders. Each one has a journal (``lessons.json``) that says which file shows
which class and whom. The list of the folders (``exports.json``) lies in the program's own folder. Files that somebody
copied or moved elsewhere are not known.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from fewshot.classroom.class_rows import class_of, students_of
from fewshot.database import Database
from fewshot.database.owner import Owner
from fewshot.errors import FewshotError, UsageError, reason_of
from fewshot.models.files import home
from fewshot.models.lock import one_process, take
from fewshot.private_files import make_private_folder, tighten
from fewshot.translation import later
from fewshot.vault.durable import forget_halves, sync, write_through

INDEX, JOURNAL, LOCK, PART = "exports.json", "lessons.json", "batch.lock", ".part"
_VERSION = 1


class ExportFault(FewshotError):
    """The list of exported lessons cannot be read or written."""


@dataclass(slots=True)
class Exported:
    """One lesson in a folder.

    Attributes:
        file: name of the Parquet file in the folder.
        size, changed: bytes and time of the last change (nanoseconds) of the source.
        settings: what the result depends on besides the source.
        owner: id of the teacher.
        class_id: number of the class; None without one.
        students: name as it stands in the file -> number of the student.
        done: whether the file is whole.
        lost: why only the beginning of the source could be read; "" if all was.
        frames: how many were analyzed.
    """

    file: str
    size: int
    changed: int
    settings: dict[str, Any]
    owner: str
    class_id: int | None = None
    students: dict[str, int] = field(default_factory=dict)
    done: bool = False
    lost: str = ""
    frames: int = 0


Journal = dict[str, Exported]
"""Path of a source -> its lesson."""


def students_now(database: Database, owner: Owner, class_name: str) -> tuple[int, dict[str, int]]:
    """Number of a class, and its students: name -> number.

    Raises:
        UsageError: there is no such class.
    """
    with database.read() as session:
        row = class_of(session, owner, class_name)
        return row.id, {student.name: student.id for student in students_of(session, row.id)}


def note_folder(folder: Path, owner: Owner) -> None:
    """Make a folder known, and create it. Nothing may be written to it before.

    Raises:
        ExportFault: it could not be noted or created.
    """
    try:
        make_private_folder(home())
        with one_process(home() / "exports"):
            known = _index()
            entry = {"folder": str(folder.absolute()), "owner": owner.id}
            if entry not in known:
                write_through(home() / INDEX, json.dumps([*known, entry]).encode())
        make_private_folder(folder)
    except OSError as error:
        raise ExportFault(
            later(
                "The folder {folder} cannot be used for lessons ({reason}). Nothing was written, because a student "
                "who is erased later must be erased there too. Choose a folder that may be written to.",
                folder=folder,
                reason=reason_of(error),
            )
        ) from error


def share_folders(giver_id: str, receiver_id: str) -> None:
    """Let an owner who gets the classes of another one reach the folders with their lessons too.

    Raises:
        ExportFault: the list is damaged or cannot be written.
    """
    if not (home() / INDEX).exists():
        return
    try:
        with one_process(home() / "exports"):
            known = _index()
            theirs = [{**entry, "owner": receiver_id} for entry in known if entry["owner"] == giver_id]
            if more := [entry for entry in theirs if entry not in known]:
                write_through(home() / INDEX, json.dumps([*known, *more]).encode())
    except OSError as error:
        raise ExportFault(
            later(
                "The list of the folders with exported lessons, {file}, cannot be written ({reason}). Nothing was "
                "given, because a student who is erased later must be erased there too.",
                file=home() / INDEX,
                reason=reason_of(error),
            )
        ) from error


def known_folders(owner_id: str) -> list[Path]:
    """The folders of an owner, in the order in which they were first used.

    Raises:
        ExportFault: the list is damaged.
    """
    return [Path(entry["folder"]) for entry in _index() if entry["owner"] == owner_id]


@contextmanager
def journal_of(folder: Path) -> Iterator[Journal]:
    """The journal of a folder, which is written at the end of the block if it was changed.

    Raises:
        ExportFault: it is damaged.
        OSError: it cannot be written.
    """
    with one_process(folder / "lessons"):
        file = folder / JOURNAL
        forget_halves(file)
        found = _read(file)
        before = _written(found)
        yield found
        if (after := _written(found)) != before:
            write_through(file, after)


@contextmanager
def alone_in(folder: Path) -> Iterator[bool]:
    """Whether no other batch writes to a folder; during the block none can begin."""
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            take(descriptor)
        except (BlockingIOError, PermissionError):
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)


def delete_parts(folder: Path) -> None:
    """Delete what a batch that was killed left half-written. Only while no batch runs (see ``alone_in``) and no
    erasure does (inside ``journal_of``)."""
    for part in folder.glob(f".*{PART}"):
        with suppress(OSError):
            part.unlink()


def publish(part: Path, target: Path) -> None:
    """Give a file that is whole its name, so that it is there also after a power cut."""
    with part.open("rb+") as opened:
        os.fsync(opened.fileno())
    tighten([part])
    part.replace(target)
    sync(target.parent)


def _index() -> list[dict[str, str]]:
    try:
        found = json.loads((home() / INDEX).read_bytes())
        return [{"folder": str(entry["folder"]), "owner": str(entry["owner"])} for entry in found]
    except (FileNotFoundError, UsageError):
        return []
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ExportFault(
            later(
                "The list of the folders with exported lessons, {file}, cannot be read. Restore it from a backup "
                "of the folder. If there is none, delete it; the exported lessons must then be deleted by hand.",
                file=home() / INDEX,
            )
        ) from error


def _read(file: Path) -> Journal:
    try:
        said = json.loads(file.read_bytes())
        if said["version"] != _VERSION:
            raise ValueError
        return {str(source): Exported(**entry) for source, entry in said["lessons"].items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ExportFault(
            later(
                "The journal {file} of the exported lessons cannot be read. Delete the folder, and analyze the "
                "lessons again into another one.",
                file=file,
            )
        ) from error


def _written(journal: Journal) -> bytes:
    lessons = {source: asdict(entry) for source, entry in journal.items()}
    return json.dumps({"version": _VERSION, "lessons": lessons}, indent=1).encode()
