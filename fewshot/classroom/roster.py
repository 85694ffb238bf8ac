"""The roster of a class as plain data: its students, their consents and their enrolled photos."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from fewshot.classroom.consent import Consent
from fewshot.classroom.names import alike, canonical, check_name
from fewshot.errors import UsageError
from fewshot.translation import later


@dataclass(frozen=True, slots=True)
class Photo:
    """One enrolled photo. The picture itself is not stored.

    Attributes:
        emotion: its label; None for an unlabelled photo.
        enrolled: day of the enrollment.
        fingerprint: see ``photos.fingerprint``. A photo that is saved again has nearly the same fingerprint.
        size: shorter side of the face's box, pixels; None if unknown.
        sharpness: of the face, 1 if crisp; None if unknown.
    """

    emotion: str | None
    enrolled: date
    fingerprint: str
    size: float | None = None
    sharpness: float | None = None


@dataclass(slots=True)
class Student:
    """One student.

    Attributes:
        key: the student's name, as it appears in readings.
        consent: the latest consent, which is the valid one.
        photos: SHA-256 of the file -> enrolled photo.
    """

    key: str
    consent: Consent
    photos: dict[str, Photo] = field(default_factory=dict)

    def emotions(self) -> dict[str | None, int]:
        """Label -> number of photos; the key None counts the unlabelled ones."""
        counts: dict[str | None, int] = {}
        for photo in self.photos.values():
            counts[photo.emotion] = counts.get(photo.emotion, 0) + 1
        return counts


class Roster:
    """The students of one class at the time of the query (``store.ClassStore.roster``).

    Attributes:
        name: name of the class.
        students: key -> student.
        sample: whether it is a sample class, which has no real people and needs no consent.
    """

    def __init__(self, name: str, students: Mapping[str, Student] | None = None, sample: bool = False) -> None:
        self.name, self.sample = name, sample
        self.students = dict(students or {})

    def consenting(self, day: date | None = None) -> list[str]:
        """Students whose consent is valid on ``day`` (default: today)."""
        day = day or date.today()
        return sorted(key for key, student in self.students.items() if student.consent.holds(day))

    def owner_of(self, sha256: str) -> str | None:
        """The student for whom this photo is enrolled; None if it is not enrolled."""
        return next((key for key, student in self.students.items() if sha256 in student.photos), None)

    def key_for(self, name: str) -> str:
        """The key for a student to be enrolled under this name.

        Raises:
            UsageError: the name cannot be used, or differs from an enrolled one only in upper and lower case.
        """
        key = check_name(name, "student")
        if key in self.students:
            return key
        # An earlier version may have kept characters that cannot be seen.
        other = next((known for known in self.students if canonical(known) == key), None)
        if other is not None:
            return other
        other = next((known for known in self.students if alike(known) == alike(key)), key)
        if other != key:
            raise UsageError(
                later(
                    "{student} and {other}, who is in class {name}, differ only in upper and lower case. If this "
                    "is the same student, write {other}. If not, use another name, such as {student} 2.",
                    student=key,
                    other=other,
                    name=self.name,
                )
            )
        return key


def no_such_student(student: str, class_name: str, known: Mapping[str, object] | list[str]) -> UsageError:
    """The error for a student who is not in the class; it lists the enrolled students."""
    there = ", ".join(sorted(known)) or "none"
    return UsageError(
        later(
            "There is no student {student!r} in class {classroom!r}. Enrolled students: {there}.",
            student=student,
            classroom=class_name,
            there=there,
        )
    )
