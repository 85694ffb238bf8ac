"""What will be done with the photos of an upload: the checks of the enrollment, before anything is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, Protocol

from fewshot.app.photo_table import WHOSE, Look, Named, PhotoTable, Row
from fewshot.classroom.consent import Consent
from fewshot.classroom.enrollment_report import EnrollmentReport, PhotoResult
from fewshot.classroom.names import emotion_of
from fewshot.classroom.photos import PhotoFile
from fewshot.classroom.roster import Roster
from fewshot.errors import UsageError
from fewshot.translation import later, tr
from fewshot.translation.words import emotion_word

NOT_LOOKED_AT = later("The photo is not looked at before there is consent.")
MISSING = later("missing")
Status = Literal["enroll", "change", "known", "refused", "left out"]


@dataclass(frozen=True, slots=True)
class PlannedPhoto:
    """One line of the table: what will be done with a photo, and why.

    Attributes:
        row: the photo.
        student, shows: as the table shows them.
        reads: see ``Look``.
        consent: where the consent is from, or "missing".
        status: "enroll", "change" (enrolled before, gets another label), "known" (enrolled before), "refused" or
            "left out".
        words: why it is refused, or what to check; "" for nothing.
        like: the other student, if the photo is refused because it seems to show that one.
    """

    row: Row
    student: str
    shows: str | None
    reads: str
    consent: str
    status: Status
    words: str = ""
    like: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the button will do.

    Attributes:
        photos: a line for each photo, in the order of the table.
        files: student -> photos, as they are enrolled.
        consents: student -> consent.
        twins: of the table.
    """

    photos: list[PlannedPhoto]
    files: dict[str, list[PhotoFile]] = field(default_factory=dict)
    consents: dict[str, Consent] = field(default_factory=dict)
    twins: tuple[str, ...] = ()

    def count(self, *statuses: Status) -> int:
        """Number of photos with one of these statuses."""
        return sum(photo.status in statuses for photo in self.photos)

    @property
    def students(self) -> list[str]:
        """Who gets photos or other labels."""
        return sorted({photo.student for photo in self.photos if photo.status in ("enroll", "change")})

    @property
    def lacking(self) -> list[str]:
        """Students without a valid consent."""
        return sorted({photo.student for photo in self.photos if photo.consent == MISSING and photo.student})

    @property
    def signature(self) -> tuple[object, ...]:
        """Equal for two plans that do the same."""
        return tuple((photo.row.id, photo.student, photo.shows, photo.status) for photo in self.photos)


_SOURCES = {
    "list": later("consent.csv: {giver}"),
    "given": later("written above: {giver}"),
    "recorded": later("on record: {giver}"),
    "sample": later("not needed"),
}


class Enrolls(Protocol):
    """The part of ``fewshot.Classroom`` that is needed here."""

    def enroll_photos(
        self,
        photos: Mapping[str, Sequence[PhotoFile]],
        consents: Mapping[str, Consent],
        *,
        looks_like: Sequence[str] = (),
        only_check: bool = False,
    ) -> EnrollmentReport: ...


def make_plan(table: PhotoTable, names: Mapping[str, Named], roster: Roster, room: Enrolls) -> Plan:
    """Run the checks of the enrollment itself, on what was found before; nothing is stored and no photo is opened.

    Args:
        table: the photos, with what was found in them.
        names: see ``names_of``.
        roster: of the class.
        room: the class.
    """
    files: dict[str, list[PhotoFile]] = {}
    consents: dict[str, Consent] = {}
    places: dict[str, list[Row]] = {}
    lines: dict[str, PlannedPhoto] = {}
    for row in table.rows:
        name = table.student(row)
        named, look = names.get(name), table.looks.get(row.id, Look(b""))
        shows, why = _label(table.shows(row))
        key = (named.key if named else "") or name
        said = _consent_words(named)
        line = PlannedPhoto(row, key, shows, look.reads, said, "refused", why)
        if table.is_out(row):
            line = replace(line, status="left out", words="", consent="")
        elif named is None or named.problem or row.problem:
            line = replace(line, words=tr(row.problem or (named.problem if named else WHOSE)))
        elif named.consent.consent is None:
            line = replace(line, words=f"{_sentence(named.consent.why)} {tr(NOT_LOOKED_AT)}")
        elif look.seen is not None and not why:
            consents[key] = named.consent.consent
            files.setdefault(key, []).append(PhotoFile(Path(row.id), shows, seen=look.seen))
            places.setdefault(key, []).append(row)
        lines[row.id] = line
    twins = tuple(sorted(table.twins & {*files, *roster.students}))
    report = room.enroll_photos(files, consents, looks_like=twins, only_check=True) if files else EnrollmentReport()
    for student in report.students:
        for row, photo in zip(places[student.student], student.photos, strict=True):
            lines[row.id] = _judged(lines[row.id], photo, roster, student.looks_like)
    return Plan([lines[row.id] for row in table.rows], files, consents, twins)


def _judged(line: PlannedPhoto, photo: PhotoResult, roster: Roster, like: str) -> PlannedPhoto:
    if photo.status == "accepted":
        words = ""
        if photo.looks:
            words = tr(
                "Looks {state}. Is “{label}” right?",
                state=emotion_word(photo.looks),
                label=emotion_word(str(line.shows)),
            )
        return replace(line, status="enroll", words=words)
    if photo.status == "already enrolled":
        known = roster.students[line.student].photos.get(photo.sha256) if line.student in roster.students else None
        if known is not None and line.shows is not None and known.emotion != line.shows:
            before = emotion_word(known.emotion) if known.emotion else tr("without a label")
            words = tr("Enrolled before ({before}). Becomes {after}.", before=before, after=emotion_word(line.shows))
            return replace(line, status="change", words=words)
        return replace(line, status="known", words=_sentence(photo.reason))
    if like and photo.reason.startswith(f"shows {like},"):
        words = (
            tr("Looks like {student}, who is enrolled.", student=like)
            if like in roster.students
            else tr("Looks like {student}, who is in another row.", student=like)
        )
        return replace(line, words=words, like=like)
    return replace(line, words=_sentence(photo.reason))


def _label(shows: str | None) -> tuple[str | None, str]:
    """The label as it is stored, and why it cannot be one."""
    try:
        return (emotion_of(shows) if shows else None), ""
    except UsageError as error:
        return shows, tr(error.text)


def _consent_words(named: Named | None) -> str:
    if named is None or not named.key:
        return ""
    if named.consent.consent is None:
        return MISSING
    return tr(_SOURCES[named.consent.source], giver=named.consent.consent.given_by)


def _sentence(text: str) -> str:
    plain = tr(text).strip()
    return tr("{sentence}.", sentence=f"{plain[:1].upper()}{plain[1:].rstrip('.।')}") if plain else ""
