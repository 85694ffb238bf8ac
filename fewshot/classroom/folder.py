"""Enrolls a folder of photos, with the consents that belong to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path

from fewshot.classroom.consent import CONSENT_FILE, SAMPLE_CONSENT, Consent, read_consent_file
from fewshot.classroom.enrollment import Enrollment
from fewshot.classroom.enrollment_report import EnrollmentReport, PhotoResult, StudentResult
from fewshot.classroom.names import quoted
from fewshot.classroom.photos import PhotoFile, list_photos
from fewshot.classroom.roster import Roster
from fewshot.errors import UsageError
from fewshot.pictures import is_picture


def read_folder(
    folder: Path, given: Consent | None, roster: Roster
) -> tuple[dict[str, list[PhotoFile]], dict[str, Consent]]:
    """The photos of a folder, and the consents that are valid today.

    A student's row in ``consent.csv`` is preferred to ``given``, and both are preferred to a recorded consent.

    Args:
        folder: PHOTOS.
        given: consent for all students in the folder (``--consent-by``).
        roster: of the class.

    Returns:
        (student -> photos, student -> consent). Students without a valid consent are missing from the second.

    Raises:
        UsageError: there is no such folder, consent.csv has an error, or no student has a valid consent.
    """
    photos = list_photos(folder)
    file = folder / CONSENT_FILE
    listed = read_consent_file(file) if file.is_file() else {}
    recorded = {key: student.consent for key, student in roster.students.items()}
    usual = SAMPLE_CONSENT if roster.sample else None
    found = {key: listed.get(key) or given or recorded.get(key) or usual for key in photos}
    consents = {key: consent for key, consent in found.items() if consent and consent.holds(date.today())}
    if photos and not consents:
        raise no_consent(roster.name, str(folder))
    return photos, consents


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


def stray_notes(folder: Path, photos: Mapping[str, object]) -> list[str]:
    """Notes about pictures and consents in a folder that belong to no student in it."""
    notes = []
    strays = [path for path in folder.iterdir() if path.is_file() and is_picture(path)]
    if strays:
        count = "1 picture" if len(strays) == 1 else f"{len(strays)} pictures"
        notes.append(
            f"Skipped {count} in {folder} without a student. Put every picture into the folder of a student: "
            f"{folder.name}/<student>/<emotion>/."
        )
    file = folder / CONSENT_FILE
    absent = sorted(set(read_consent_file(file)) - set(photos)) if file.is_file() else []
    if absent:
        notes.append(f"{CONSENT_FILE} names {', '.join(absent)}, but there is no folder with that name.")
    return notes
