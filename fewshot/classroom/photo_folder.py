"""A folder of photos as people have it: whose photos lie in it, and what cannot be used, with the reason."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from fewshot.classroom.consent import CONSENT_FILE
from fewshot.classroom.names import alike, check_name
from fewshot.classroom.photo_labels import looks_like_students, photos_of
from fewshot.classroom.photo_names import names_in_files
from fewshot.classroom.photos import PhotoFile
from fewshot.clutter import entries_of, leads_up
from fewshot.errors import UsageError, printable, reason_of
from fewshot.pictures import is_picture
from fewshot.translation import later, later_n

MOST_PHOTOS = 3000
"""A student's folder with more files is taken for a mistake, such as a link to a whole disk."""


@dataclass(slots=True)
class PhotoFolder:
    """What lies in a folder of photos.

    Attributes:
        students: student -> photos, sorted by name; also students whose folder is empty.
        problems: name as it is shown -> why this student cannot be enrolled.
        notes: what else a teacher should know about the folder.
        refused: name -> photos of those with a problem that another name would mend.
        groups: folders that seem to hold the folders of students.
        strays: pictures that belong to nobody, as far as their names tell.
    """

    students: dict[str, list[PhotoFile]] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    refused: dict[str, list[PhotoFile]] = field(default_factory=dict)
    groups: list[Path] = field(default_factory=list)
    strays: list[Path] = field(default_factory=list)


def list_photos(folder: Path, enrolled: Collection[str] = (), listed: Collection[str] = ()) -> PhotoFolder:
    """The photos in ``PHOTOS/<student>/<emotion>/*``, ``PHOTOS/<student>/*`` and ``PHOTOS/<student>_<emotion>.jpg``.

    One entry that cannot be used costs nobody else: it becomes a problem of this student, or a note.

    Args:
        folder: PHOTOS. What a system made (``fewshot.clutter``) is skipped.
        enrolled: names of the students in the class.
        listed: names in the list of consents. Both explain names of files such as ``anna.jpg``.

    Raises:
        UsageError: there is no such folder, or it cannot be read.
    """
    found = PhotoFolder()
    folders: dict[str, list[Path]] = {}
    pictures, others = [], []
    for entry in _entries(folder):
        if entry.is_dir():
            try:
                folders.setdefault(check_name(entry.name, "student"), []).append(entry)
            except UsageError as error:
                found.problems[printable(entry.name)] = error.text
                with suppress(OSError):
                    found.refused[printable(entry.name)] = list(islice(photos_of(entry), MOST_PHOTOS))
        elif not entry.is_file():
            found.notes.append(
                later("Skipped {name}: it is not a file or folder that can be opened.", name=printable(entry.name))
            )
        elif is_picture(entry):
            pictures.append(entry)
        elif entry.name.lower() != CONSENT_FILE:
            others.append(printable(entry.name))
    for key, places in folders.items():
        _add_student(found, folder, key, places)
    _add_named_files(found, folder, pictures, {*enrolled, *listed, *folders})
    _part_namesakes(found, enrolled)
    if others:
        shown = ", ".join(others[:3]) + (", …" if len(others) > 3 else "")
        found.notes.append(
            later("Skipped in {folder}, because they are not pictures: {files}.", folder=folder, files=shown)
        )
    return found


def _entries(folder: Path) -> list[Path]:
    if not folder.is_dir():
        exists = folder.exists()
        what = (
            later("{folder} is a file.", folder=folder) if exists else later("{folder} does not exist.", folder=folder)
        )
        raise UsageError(
            later(
                "{what} Expected a folder that contains one folder per student: {folder}/<student>/<emotion>/*.jpg.",
                what=what,
                folder=folder,
            )
        )
    try:
        return entries_of(folder)
    except OSError as error:
        raise UsageError(
            later(
                "{folder} cannot be read ({reason}). Check the permissions of the folder.",
                folder=folder,
                reason=reason_of(error),
            )
        ) from error


def _add_student(found: PhotoFolder, folder: Path, key: str, places: list[Path]) -> None:
    photos: list[PhotoFile] = []
    for place in places:
        if leads_up(place):
            found.problems[key] = later("This is a link to a folder that contains all the photos. Remove the link.")
            return
        try:
            inside = looks_like_students(place)
            photos += islice(photos_of(place), MOST_PHOTOS + 1)
        except OSError as error:
            found.problems[key] = later(
                "The folder cannot be read ({reason}). Check its permissions.", reason=reason_of(error)
            )
            return
        if inside:
            found.groups.append(place)
            found.problems[key] = later(
                "The folder seems to hold the folders of students ({students}), not the photos of one student. "
                "Choose the folder {place} instead of {folder}.",
                students=", ".join(inside),
                place=place,
                folder=folder,
            )
            return
    if len(photos) > MOST_PHOTOS:
        found.problems[key] = later(
            "The folder has more than {most} files. Is it the right one? A few photos are enough.", most=MOST_PHOTOS
        )
        return
    found.students[key] = photos
    if len(places) > 1:
        found.notes.append(
            later(
                "{number} folders are called {student}: their names look the same and differ only in how they are "
                "stored. They count as one student.",
                number=len(places),
                student=key,
            )
        )
    unlabelled = sorted({photo.skipped for photo in photos if photo.skipped})
    if unlabelled:
        found.notes.append(
            later(
                "{student}: {folders} cannot be the name of a state, because it is a date, a number or a usual "
                "name of a folder. The photos in it count as unlabelled.",
                student=key,
                folders=", ".join(map(printable, unlabelled)),
            )
        )


def _add_named_files(found: PhotoFolder, folder: Path, pictures: list[Path], known: Iterable[str]) -> None:
    """Pictures beside the students' folders: their names may say whose they are."""
    photos, strays = names_in_files(pictures, known)
    found.strays = strays
    for key, files in photos.items():
        if key not in found.problems:
            found.students.setdefault(key, []).extend(files)
    if photos:
        found.notes.append(
            later(
                "Names of files say whose the photos are: {students}. If that is wrong, remove the student, and put "
                "the photos into a folder per student.",
                students=", ".join(f"{key} ({len(files)})" for key, files in photos.items()),
            )
        )
    if strays:
        first = ", ".join(printable(path.name) for path in strays[:3]) + (", …" if len(strays) > 3 else "")
        found.notes.append(
            later_n(
                "Skipped {number} picture in {folder} without a student: {files}. Put every picture into the folder of "
                "a student: {top}/<student>/<emotion>/. Or name it like anna_neutral.jpg.",
                "Skipped {number} pictures in {folder} without a student: {files}. Put every picture into the folder "
                "of a student: {top}/<student>/<emotion>/. Or name it like anna_neutral.jpg.",
                len(strays),
                folder=folder,
                files=first,
                top=folder.name,
            )
        )


def _part_namesakes(found: PhotoFolder, enrolled: Collection[str]) -> None:
    """Take out the students who cannot be distinguished by their names."""
    for key, why in namesakes(found.students, enrolled).items():
        found.refused[key] = found.students.pop(key)
        found.problems[key] = why


def namesakes(students: Collection[str], enrolled: Collection[str]) -> dict[str, str]:
    """Names that differ only in upper and lower case may be one student or two: a teacher must say which.

    Args:
        students: who is to be enrolled.
        enrolled: the students of the class.

    Returns:
        Student -> why this name cannot be used.
    """
    problems, names = {}, [*students, *(name for name in enrolled if name not in students)]
    for key in students:
        others = [name for name in names if name != key and alike(name) == alike(key)]
        new = [other for other in others if other not in enrolled]
        if others and key not in enrolled:
            problems[key] = _which(key, others, enrolled)
        elif new:
            problems[key] = _which(key, new, ())
    return problems


def _which(key: str, others: list[str], enrolled: Collection[str]) -> str:
    first, *rest = [later("{student} (enrolled before)", student=name) if name in enrolled else name for name in others]
    named = first
    for other in rest:
        named = later("{student} and {other}", student=named, other=other)
    return later(
        "{student} and {others} differ only in upper and lower case, or in signs that cannot be seen. If this is one "
        "student, give the folders the same name. If not, give one of them another name, such as {student} 2.",
        student=key,
        others=named,
    )
