"""Enrolls a folder of photos, with the consents that belong to it."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from fewshot.classroom.consent import CONSENT_FILE, SAMPLE_CONSENT, Consent, ConsentList, read_consent_list
from fewshot.classroom.enrollment import Enrollment
from fewshot.classroom.enrollment_report import EnrollmentReport, PhotoResult, StudentResult
from fewshot.classroom.names import alike, quoted
from fewshot.classroom.photo_folder import list_photos
from fewshot.classroom.photos import PhotoFile
from fewshot.classroom.roster import Roster
from fewshot.errors import UsageError
from fewshot.translation import later, together

Source = Literal["list", "given", "recorded", "sample", ""]

MOST_REASONS = 10
"""An error names at most this many students."""


@dataclass(slots=True)
class ClassFolder:
    """A folder of photos with the consents that are valid today.

    Attributes:
        photos: student -> photos.
        consents: student -> consent; students without a valid consent are missing.
        reasons: student -> why the consent is not valid; "" if it is.
        problems: name -> why this student cannot be enrolled.
        notes: what else a teacher should know about the folder.
    """

    photos: dict[str, list[PhotoFile]]
    consents: dict[str, Consent]
    reasons: dict[str, str]
    problems: dict[str, str]
    notes: list[str]

    def refused(self) -> list[StudentResult]:
        """A result for every student who cannot be enrolled."""
        return [StudentResult(name, problem=why) for name, why in self.problems.items()]


def read_folder(folder: Path, given: Consent | None, roster: Roster) -> ClassFolder:
    """The photos of a folder, and the consents that are valid today.

    A student's row in ``consent.csv`` is preferred to ``given``, and both are preferred to a recorded consent.

    Args:
        folder: PHOTOS.
        given: consent for all students in the folder (``--consent-by``).
        roster: of the class.

    Raises:
        UsageError: there is no such folder, consent.csv cannot be read, or no student has a valid consent.
    """
    file = consent_file(folder)
    names = [*roster.students, *(entry.name for entry in folder.iterdir())] if file else []
    listed = read_consent_list(file, names) if file else None
    found = list_photos(folder, roster.students, listed.names if listed else ())
    answers = {key: find_consent(key, listed, given, roster, found.students) for key in found.students}
    reasons = {key: answer.why for key, answer in answers.items()}
    consents = {key: answer.consent for key, answer in answers.items() if answer.consent is not None}
    if found.students and not consents:
        wrong = {key: why for key, why in reasons.items() if why}
        raise no_consent(roster.name, str(folder), {**wrong, **found.problems})
    absent = absent_names(listed, {*found.students, *found.problems}) if listed else []
    notes = [*(listed.faults if listed else ()), *absent, *found.notes]
    return ClassFolder(found.students, consents, reasons, found.problems, notes)


def consent_file(folder: Path) -> Path | None:
    """The list of consents in a folder, in upper or lower case; None if there is none."""
    if (folder / CONSENT_FILE).is_file():
        return folder / CONSENT_FILE
    if not folder.is_dir():
        return None
    named = (path for path in sorted(folder.iterdir()) if path.name.lower() == CONSENT_FILE)
    return next(filter(Path.is_file, named), None)


@dataclass(frozen=True, slots=True)
class FoundConsent:
    """The consent for one student who is to be enrolled.

    Attributes:
        consent: the one that is valid today; None if there is none.
        source: where it was found: the list of consents, given for all now, recorded in the class, or a sample class.
        why: why there is none, in words; "" if there is one.
    """

    consent: Consent | None
    source: Source
    why: str = ""


def find_consent(
    key: str, listed: ConsentList | None, given: Consent | None, roster: Roster, students: Collection[str]
) -> FoundConsent:
    """The consent that counts for a student: the row in the list, else the given one, else the recorded one.

    Args:
        key: the student.
        listed: what ``consent.csv`` says; None without such a file.
        given: consent for all students.
        roster: of the class.
        students: everybody who is to be enrolled, for hints about names that are spelled in two ways.
    """
    rows = listed or ConsentList()
    known = roster.students.get(key)
    choices: list[tuple[Consent | None, Source]] = [
        (rows.consents.get(key), "list"),
        (given, "given"),
        (known.consent if known else None, "recorded"),
        (SAMPLE_CONSENT if roster.sample else None, "sample"),
    ]
    consent, source = next((choice for choice in choices if choice[0] is not None), choices[-1])
    why = rows.problems.get(key) or _spelled_otherwise(key, rows, students)
    if consent is None:
        return FoundConsent(None, "", why or _no_row(key, listed, students))
    why = why or consent.why_not(date.today())
    return FoundConsent(None if why else consent, source, why)


def _spelled_otherwise(key: str, listed: ConsentList, students: Collection[str]) -> str:
    """The reason if the list names a student only in other upper and lower case; otherwise ""."""
    other = next((row for row in sorted(listed.names - set(students)) if alike(row) == alike(key)), None)
    if other is None or key in listed.names:
        return ""
    return later(
        "{list} names {other}, but the folder is called {student}. Give both the same name",
        list=CONSENT_FILE,
        other=other,
        student=key,
    )


def _no_row(key: str, listed: ConsentList | None, students: Collection[str]) -> str:
    if listed is None:
        return later("no consent on record for {student}", student=key)
    free = sorted(listed.names - set(students))
    near = difflib.get_close_matches(alike(key), [alike(row) for row in free], n=1, cutoff=0.6)
    named = next((row for row in free if near and alike(row) == near[0]), None)
    if named is None:
        return later("{list} has no row for {student}", list=CONSENT_FILE, student=key)
    return later(
        "{list} has no row for {student}. A similar name in it is {other}. If this is the same student, give both the "
        "same name",
        list=CONSENT_FILE,
        student=key,
        other=named,
    )


def absent_names(listed: ConsentList, students: Collection[str]) -> list[str]:
    """A sentence about the names in the list of consents of whom there are no photos; none if there is no such name."""
    absent = sorted(listed.names - set(students))
    if not absent:
        return []
    return [
        later(
            "{list} names {names}, but there is no folder with that name.", list=CONSENT_FILE, names=", ".join(absent)
        )
    ]


def valid_consent(roster: Roster, student: str, given: Consent | None) -> Consent:
    """The consent for one student: the one that is given now, else the recorded one.

    Raises:
        UsageError: there is none that is valid today.
    """
    recorded = roster.students[student].consent if student in roster.students else None
    consent = given or recorded or (SAMPLE_CONSENT if roster.sample else None)
    if consent is None or not consent.holds(date.today()):
        raise no_consent(roster.name, "PHOTOS", {student: consent.why_not(date.today())} if consent else None)
    return consent


def no_consent(class_name: str, photos: str, reasons: Mapping[str, str] | None = None) -> UsageError:
    """Without a valid record of consent nobody is enrolled; the command to type is the error's hint.

    Args:
        class_name: the class.
        photos: the folder, for the command.
        reasons: student -> what is wrong with the consent of this student.
    """
    said = [
        together(f"{key}: ", why, "" if why.endswith(".") else ".", between="")
        for key, why in (reasons or {}).items()
        if not why.startswith("no consent on")
    ]
    more = [later("{number} more.", number=len(said) - MOST_REASONS)] if len(said) > MOST_REASONS else []
    return UsageError(
        together(
            later("Nobody was enrolled, because no consent on record is valid today."),
            *said[:MOST_REASONS],
            *more,
            later("Ask for consent, and record who gave it."),
        ),
        hint=f"Type: fewshot enroll {quoted(class_name)} {quoted(photos)} --consent-by 'WHO GAVE IT' "
        f"[--consent-until YEAR-MONTH-DAY], or {'correct' if said else 'put'} {CONSENT_FILE} "
        f"{'in' if said else 'into'} the folder (student,given_by,date,purpose,until).",
    )


def enroll_all(
    enrollment: Enrollment,
    photos: Mapping[str, Sequence[PhotoFile]],
    consents: Mapping[str, Consent],
    on_student: Callable[[str], None] | None = None,
    reasons: Mapping[str, str] | None = None,
) -> EnrollmentReport:
    """Enroll one student after the other. Students without consent are reported; their photos are not opened."""
    report = EnrollmentReport()
    for key, files in photos.items():
        if on_student:
            on_student(key)
        if key in consents:
            report.students.append(enrollment.add(key, files, consents[key]))
        else:
            refused = [
                PhotoResult(f.path, f.emotion, "rejected", later("no consent that is valid today")) for f in files
            ]
            why = (reasons or {}).get(key) or later("no consent on record for {student}", student=key)
            report.students.append(StudentResult(key, refused, [why]))
    return report
