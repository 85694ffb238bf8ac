"""Photos of an upload before they are enrolled: whose they are, what they show, and what the networks find in them.

It is in the memory of one tab. Photos of a student without a valid consent get a thumbnail; no network looks at them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2

from fewshot.classroom.consent import Consent, ConsentList
from fewshot.classroom.enrollment import read_ahead
from fewshot.classroom.folder import FoundConsent, find_consent
from fewshot.classroom.photo_folder import list_photos, namesakes
from fewshot.classroom.photo_labels import photos_of
from fewshot.classroom.photo_perception import look_at
from fewshot.classroom.photos import PhotoFile, SeenPhoto, shrink
from fewshot.classroom.roster import Roster
from fewshot.errors import UsageError
from fewshot.perception import Perceives
from fewshot.translation import altered, later
from fewshot.types import Frame, Vectors

UNSURE = "unsure"
WHOSE = later("Whose photo is this? Write the name.")
THUMBNAIL = 112
"""Pixels of the longer side."""

Names = Callable[[Vectors], Sequence[str]]
"""Expression vectors, shape (n, d), to the n words that the network finds; ``UNSURE`` where it is."""


@dataclass(frozen=True, slots=True)
class Row:
    """One photo of an upload, as the names of its file and folders explain it.

    Attributes:
        id: place in the upload.
        student: guessed name; "" if nothing tells it.
        shows: guessed label; None for none.
        problem: why it cannot be opened; "" if it can.
    """

    id: str
    student: str
    shows: str | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """What a teacher changed in a row; None leaves what was guessed, and "" for ``shows`` is "I do not know"."""

    student: str | None = None
    shows: str | None = None
    out: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """One photo in memory.

    Attributes:
        thumbnail: a small JPEG; b"" if it is not a picture.
        seen: what the networks found; None as long as nobody has consented.
        reads: the expression that the network finds, ``UNSURE``, or "" without a face.
    """

    thumbnail: bytes = field(repr=False)
    seen: SeenPhoto | None = field(default=None, repr=False)
    reads: str = ""


@dataclass(slots=True)
class PhotoTable:
    """The photos of one upload, what is known about them, and what the teacher changed.

    Attributes:
        rows: the photos.
        listed: what ``consent.csv`` says; None without such a file.
        notes: what a teacher should know about the upload.
        looks: id of a row -> the photo in memory.
        changes: id of a row -> what the teacher changed.
        twins: students who look like somebody else and are another person.
    """

    rows: list[Row] = field(default_factory=list)
    listed: ConsentList | None = None
    notes: list[str] = field(default_factory=list)
    looks: dict[str, Look] = field(default_factory=dict)
    changes: dict[str, Change] = field(default_factory=dict)
    twins: frozenset[str] = frozenset()

    def student(self, row: Row) -> str:
        """The name of a row's student as the table shows it."""
        said = self.changes.get(row.id, Change()).student
        return row.student if said is None else said

    def shows(self, row: Row) -> str | None:
        """The label of a row as the table shows it; None for none."""
        said = self.changes.get(row.id, Change()).shows
        return row.shows if said is None else said or None

    def is_out(self, row: Row) -> bool:
        """Whether the teacher leaves the photo out."""
        return self.changes.get(row.id, Change()).out


def changes_of(sent: object, rows: Iterable[Row]) -> tuple[dict[str, Change], frozenset[str]]:
    """What a browser says was changed, and who is a twin. Whatever else it sends is dropped.

    >>> changes_of({"rows": {"1.jpg": {"student": "Asha", "out": True}, "x": 3}, "twins": ["Mia"]}, [Row("1.jpg", "")])
    ({'1.jpg': Change(student='Asha', shows=None, out=True)}, frozenset({'Mia'}))
    """
    said = sent if isinstance(sent, Mapping) else {}
    changed, twins = said.get("rows"), said.get("twins")
    changed = changed if isinstance(changed, Mapping) else {}
    found = {}
    for row in rows:
        cells = changed.get(row.id)
        if isinstance(cells, Mapping):
            texts = [cells.get(name) for name in ("student", "shows")]
            student, shows = (text[:300] if isinstance(text, str) else None for text in texts)
            found[row.id] = Change(student, shows, cells.get("out") is True)
    return found, frozenset(name for name in twins if isinstance(name, str)) if isinstance(twins, list) else frozenset()


def rows_of_class(folder: Path, enrolled: Iterable[str], listed: Iterable[str] = ()) -> list[Row]:
    """The photos in ``<student>/[<emotion>/]file`` and ``<student>_<emotion>.jpg``, also those of unclear names.

    Args:
        folder: as ``save_class`` lays it out.
        enrolled: students of the class.
        listed: names in the list of consents.
    """
    enrolled, listed = list(enrolled), list(listed)
    rows = _rows_in(folder, folder, enrolled, listed)
    return sorted(rows, key=lambda row: (not row.student, row.student.casefold(), row.id))


def _rows_in(folder: Path, top: Path, enrolled: list[str], listed: list[str]) -> list[Row]:
    found = list_photos(folder, enrolled, listed)
    rows = [
        Row(photo.path.relative_to(top).as_posix(), student, photo.emotion, photo.problem)
        for student, photos in [*found.students.items(), *found.refused.items()]
        for photo in photos
    ]
    rows += [Row(path.relative_to(top).as_posix(), "") for path in found.strays]
    for group in found.groups:
        rows += _rows_in(group, top, enrolled, listed)
    return rows


def rows_of_student(folder: Path, student: str, shows: str | None) -> list[Row]:
    """The photos of one student; folders give labels unless ``shows`` is given."""
    return [
        Row(photo.path.relative_to(folder).as_posix(), student, shows or photo.emotion, photo.problem)
        for photo in photos_of(folder)
    ]


@dataclass(frozen=True, slots=True)
class Named:
    """What a name in the table means: the student's key, or the reason why it cannot be used; and the consent."""

    key: str
    problem: str
    consent: FoundConsent


def names_of(table: PhotoTable, roster: Roster, given: Consent | None) -> dict[str, Named]:
    """Every name in the table. ``given``: consent for all students who have no row in the list."""
    keys: dict[str, str] = {}
    problems: dict[str, str] = {}
    for name in {table.student(row) for row in table.rows if not table.is_out(row)}:
        try:
            keys[name] = roster.key_for(name) if name.strip() else ""
        except UsageError as error:
            keys[name], problems[name] = "", error.text
        if not name.strip():
            problems[name] = WHOSE
    students = {key for key in keys.values() if key}
    clashes = namesakes(students, roster.students)
    return {
        name: Named(
            key,
            problems.get(name) or clashes.get(key, ""),
            find_consent(key, table.listed, given, roster, students) if key else FoundConsent(None, ""),
        )
        for name, key in keys.items()
    }


def to_look_at(table: PhotoTable, names: Mapping[str, Named]) -> list[Row]:
    """The photos that need to be opened: without a thumbnail, or with a new consent."""
    return [
        row
        for row in table.rows
        if row.id not in table.looks or (table.looks[row.id].seen is None and _may_be_seen(table, row, names))
    ]


def look_at_photos(
    table: PhotoTable,
    rows: Sequence[Row],
    folder: Path,
    names: Mapping[str, Named],
    eyes: Callable[[], tuple[Perceives, Names]],
    on_photo: Callable[[Row], None],
) -> None:
    """Open photos once: a thumbnail of each, and the faces of those whose student has a consent.

    Args:
        table: gets what was found, photo by photo, so that a stopped run loses nothing.
        rows: of the table.
        folder: where the photos lie now.
        names: see ``names_of``.
        eyes: opens the networks; not called if nobody has consented.
        on_photo: called before each photo.
    """
    files = [PhotoFile(folder / row.id, problem=row.problem) for row in rows]
    for row, loaded in zip(rows, read_ahead(files), strict=True):
        on_photo(row)
        known = table.looks.get(row.id)
        small = known.thumbnail if known else _thumbnail(loaded.frame)
        if not _may_be_seen(table, row, names):
            table.looks[row.id] = Look(small)
            continue
        perceives, read = eyes()
        seen = _without_folder(look_at(loaded, perceives), folder)
        reads = read(seen.expression[None])[0] if seen.expression is not None else ""
        table.looks[row.id] = Look(small, seen, reads)


def _may_be_seen(table: PhotoTable, row: Row, names: Mapping[str, Named]) -> bool:
    named = names.get(table.student(row))
    return named is not None and not table.is_out(row) and named.consent.consent is not None


def _thumbnail(frame: Frame | None) -> bytes:
    if frame is None:
        return b""
    ok, encoded = cv2.imencode(".jpg", shrink(frame, THUMBNAIL), [cv2.IMWRITE_JPEG_QUALITY, 78])
    return encoded.tobytes() if ok else b""


def _without_folder(seen: SeenPhoto, folder: Path) -> SeenPhoto:
    """Its problem without the temporary folder, which a teacher does not know."""
    return replace(seen, problem=altered(seen.problem, lambda text: text.replace(f"{folder}/", "")))
