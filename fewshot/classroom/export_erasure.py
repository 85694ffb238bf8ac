"""Erases students and classes from exported lessons; see ``exports``."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from fewshot.classroom.blotting import Blotter
from fewshot.classroom.exports import (
    PART,
    Exported,
    ExportFault,
    Journal,
    alone_in,
    delete_parts,
    journal_of,
    known_folders,
)
from fewshot.errors import reason_of
from fewshot.private_files import open_fresh
from fewshot.translation import altered, later, together
from fewshot.vault.durable import shred, sync

Track = tuple[str, Any]
"""A source and a number in it."""

logger = logging.getLogger(__name__)


def erase_student(owner_id: str, class_id: int, student: int, name: str, others: Collection[str] = ()) -> str:
    """Take a student out of all exported lessons of an owner: the rows, and the name in sources and names of files.

    Unnamed rows of a track that bears the name elsewhere in the file are rows of the student too.

    Args:
        owner_id: of the teacher.
        class_id, student: numbers of the class and of the student.
        name: of the student, as it is now.
        others: names that stay.

    Returns:
        What could not be done, in sentences for the user; "" if everything was.
    """
    blot = Blotter(name, others)

    def change(folder: Path, entry: Exported) -> bool:
        names = [said for said, number in entry.students.items() if number == student and entry.class_id == class_id]
        if entry.class_id in (class_id, None):
            rewrite(folder / entry.file, names, blot)
            for said in names:
                del entry.students[said]
        return True

    return _everywhere(owner_id, change, blot)


def erase_class(owner_id: str, class_id: int) -> str:
    """Delete all exported lessons of a class. Returns what could not be done, in sentences; "" if everything was."""

    def change(folder: Path, entry: Exported) -> bool:
        if entry.class_id != class_id:
            return True
        with suppress(FileNotFoundError):
            shred(folder / entry.file)
        return False  # its source and its file may be called like a student

    return _everywhere(owner_id, change)


def rewrite(path: Path, names: Iterable[str], blot: Callable[[str], str] = str) -> None:
    """Write a Parquet file again without some students. A file that is not there is nothing to do.

    Args:
        path: the file.
        names: students as the file names them.
        blot: applied to every source.

    Raises:
        OSError: the file could not be changed.
        ExportFault: pyarrow is missing, or the file is damaged.
    """
    if not path.exists():
        return
    gone = set(names)
    old, new = path.with_name(f".{path.name}.old{PART}"), path.with_name(f".{path.name}.new{PART}")
    try:
        tracks, sources = _found(path, gone)
        clean = {source: blot(source) for source in sources}
        if not tracks and all(source == plain for source, plain in clean.items()):
            return
        with open_fresh(new) as sink:
            _copy(path, sink, gone, tracks, clean)
        path.replace(old)
        new.replace(path)
        sync(path.parent)
        shred(old)
    except (ImportError, ValueError, ArithmeticError) as error:  # pyarrow's own errors are of these kinds
        raise ExportFault(later("{path} cannot be read as a Parquet file", path=path)) from error
    finally:
        new.unlink(missing_ok=True)


def _found(path: Path, gone: Collection[str]) -> tuple[set[Track], set[str]]:
    """The tracks of students who go, and all sources."""
    tracks, sources = set[Track](), set[str]()
    with import_module("pyarrow.parquet").ParquetFile(path) as file:
        for rows in _rows(file, ["source", "track", "student"]):
            sources.update(rows["source"])
            keys = zip(rows["source"], rows["track"], rows["student"], strict=True)
            tracks.update((source, track) for source, track, student in keys if student in gone)
    return tracks, sources


def _copy(path: Path, sink: Any, gone: Collection[str], tracks: set[Track], clean: Mapping[str, str]) -> None:
    """Copy the rows that stay."""
    pyarrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    with (
        parquet.ParquetFile(path) as file,
        parquet.ParquetWriter(sink, file.schema_arrow, compression="zstd") as writer,
    ):
        for batch in file.iter_batches():
            part = {name: batch.column(name).to_pylist() for name in ("source", "track", "student")}
            stays = [
                student not in gone and not (student is None and (source, track) in tracks)
                for source, track, student in zip(part["source"], part["track"], part["student"], strict=True)
            ]
            named = pyarrow.array([clean[source] for source in part["source"]], pyarrow.string())
            changed = batch.set_column(batch.schema.get_field_index("source"), "source", named)
            writer.write_batch(changed.filter(pyarrow.array(stays, pyarrow.bool_())))


def _rows(file: Any, columns: list[str]) -> Iterator[dict[str, list[Any]]]:
    for batch in file.iter_batches(columns=columns):
        yield batch.to_pydict()


def _everywhere(owner_id: str, change: Callable[[Path, Exported], bool], blot: Callable[[str], str] = str) -> str:
    """Change every lesson in every folder. Returns what could not be done.

    Args:
        owner_id: of the teacher.
        change: gets the folder and the entry; returns whether the entry stays in the journal.
        blot: applied to sources and names of files of entries that stay.
    """
    said: list[str] = []
    try:
        folders = known_folders(owner_id)
    except ExportFault as error:
        return together(later("Exported lessons may still show the student."), error.text)
    for folder in folders:
        if not folder.is_dir():
            said.append(
                later(
                    "The folder {folder} with exported lessons is not there. If it was moved, or is on a disk that "
                    "is not connected, delete the student's lessons in it yourself.",
                    folder=folder,
                )
            )
            continue
        try:
            with alone_in(folder) as alone, journal_of(folder) as journal:
                if alone:
                    delete_parts(folder)
                said += _in_folder(folder, journal, change, blot)
        except (OSError, ExportFault) as error:
            said.append(
                later(
                    "The lessons in {folder} may still show the student ({reason}). Delete them yourself.",
                    folder=folder,
                    reason=_reason(error),
                )
            )
        if blot(str(folder)) != str(folder):
            said.append(
                later(
                    "The folder {folder} with exported lessons bears the name of the student. Rename it yourself.",
                    folder=folder,
                )
            )
    for sentence in said:
        logger.warning("%s", sentence)
    return together(*said)


def _in_folder(
    folder: Path, journal: Journal, change: Callable[[Path, Exported], bool], blot: Callable[[str], str]
) -> list[str]:
    said = []
    for source, entry in list(journal.items()):
        try:
            if not change(folder, entry):
                del journal[source]
                continue
            clean = blot(entry.file)
            if clean != entry.file and not (folder / clean).exists():
                with suppress(FileNotFoundError):
                    (folder / entry.file).rename(folder / clean)
                entry.file = clean
        except (OSError, ExportFault) as error:
            said.append(
                later(
                    "The exported lesson {file} may still show the student ({reason}). Delete it yourself.",
                    file=folder / entry.file,
                    reason=_reason(error),
                )
            )
            continue
        entry.lost = blot(entry.lost)
        if (clean := blot(source)) != source:
            del journal[source]
            journal.setdefault(clean, entry)
    return said


def _reason(error: OSError | ExportFault) -> str:
    return reason_of(error) if isinstance(error, OSError) else altered(error.text, lambda text: text.rstrip("."))
