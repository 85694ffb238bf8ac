"""Enrolls a folder of photos, with the consents that belong to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from fewshot.classroom.consent import CONSENT_FILE, SAMPLE_CONSENT, Consent, read_consent_file
from fewshot.classroom.enrollment import Enrollment
from fewshot.classroom.enrollment_report import EnrollmentReport, PhotoResult, StudentResult
from fewshot.classroom.names import quoted
from fewshot.classroom.photo_folder import list_photos
from fewshot.classroom.photos import PhotoFile
from fewshot.classroom.roster import Roster
from fewshot.errors import UsageError


@dataclass(slots=True)
class ClassFolder:
    """A folder of photos with the consents that are valid today.

    Attributes:
        photos: student -> photos.
        consents: student -> consent; students without a valid consent are missing.
        problems: name -> why this student cannot be enrolled.
        notes: what else a teacher should know about the folder.
    """

    photos: dict[str, list[PhotoFile]]
    consents: dict[str, Consent]
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
    file = folder / CONSENT_FILE
    listed = read_consent_file(file) if file.is_file() else {}
    found = list_photos(folder, roster.students, listed)
    photos = found.students
    recorded = {key: student.consent for key, student in roster.students.items()}
    usual = SAMPLE_CONSENT if roster.sample else None
    chosen = {key: listed.get(key) or given or recorded.get(key) or usual for key in photos}
    consents = {key: consent for key, consent in chosen.items() if consent and consent.holds(date.today())}
    if photos and not consents:
        raise no_consent(roster.name, str(folder))
    absent = sorted(set(listed) - set(photos) - set(found.problems))
    if absent:
        found.notes.append(f"{CONSENT_FILE} names {', '.join(absent)}, but there is no folder with that name.")
    return ClassFolder(photos, consents, found.problems, found.notes)


def no_consent(class_name: str, photos: str) -> UsageError:
    """Without a valid record of consent nobody is enrolled; the command to type is the error's hint."""
    return UsageError(
        "Nobody was enrolled, because no consent on record is valid today. Ask for consent, and record who gave it.",
        hint=f"Type: fewshot enroll {quoted(class_name)} {quoted(photos)} --consent-by 'WHO GAVE IT' "
        f"[--consent-until YEAR-MONTH-DAY], or put {CONSENT_FILE} into the folder "
        f"(student,given_by,date,purpose,until).",
    )


def enroll_all(
    enrollment: Enrollment,
    photos: Mapping[str, Sequence[PhotoFile]],
    consents: Mapping[str, Consent],
    on_student: Callable[[str], None] | None = None,
) -> EnrollmentReport:
    """Enroll one student after the other. Students without consent are reported; their photos are not opened."""
    report = EnrollmentReport()
    for key, files in photos.items():
        if on_student:
            on_student(key)
        if key in consents:
            report.students.append(enrollment.add(key, files, consents[key]))
        else:
            refused = [PhotoResult(f.path, f.emotion, "rejected", "no consent that is valid today") for f in files]
            report.students.append(StudentResult(key, refused, [f"no consent on record for {key}"]))
    return report
