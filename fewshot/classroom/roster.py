"""The roster of a class: its students, whose consent they were enrolled with, and which photos were. Plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from fewshot.classroom.consent import Consent
from fewshot.errors import UsageError


@dataclass(frozen=True, slots=True)
class Photo:
    """One enrolled photo. The picture itself is not kept.

    Attributes:
        emotion: its label, or None for an unlabelled one.
        enrolled: the day.
        fingerprint: see ``photos.fingerprint``: the same photo saved anew has nearly the same.
        size: shorter side of the face's box, pixels; None if it was not kept.
        sharpness: of the face, 1 for a crisp one; None if it was not kept.
    """

    emotion: str | None
    enrolled: date
    fingerprint: str
    size: float | None = None
    sharpness: float | None = None


@dataclass(slots=True)
class Student:
    """One student; the key is the name that readings carry.

    Attributes:
        consent: the record that counts: the latest.
        photos: enrolled photos by the SHA-256 of their file.
    """

    key: str
    consent: Consent
    photos: dict[str, Photo] = field(default_factory=dict)

    def emotions(self) -> dict[str | None, int]:
        """Number of photos by label; None counts the unlabelled."""
        counts: dict[str | None, int] = {}
        for photo in self.photos.values():
            counts[photo.emotion] = counts.get(photo.emotion, 0) + 1
        return counts


class Roster:
    """The students of one class as they stood when they were looked up (``store.ClassStore.roster``).

    Attributes:
        name: of the class.
        students: by key.
        sample: it is the sample class, where nobody real is enrolled and consent is not asked for.
    """

    def __init__(self, name: str, students: Mapping[str, Student] | None = None, sample: bool = False) -> None:
        self.name, self.sample = name, sample
        self.students = dict(students or {})

    def consenting(self, day: date | None = None) -> list[str]:
        """Students whose consent holds on ``day`` (today)."""
        day = day or date.today()
        return sorted(key for key, student in self.students.items() if student.consent.holds(day))

    def owner_of(self, sha256: str) -> str | None:
        """Whose photo this is, if it is enrolled."""
        return next((key for key, student in self.students.items() if sha256 in student.photos), None)


def no_such_student(student: str, class_name: str, known: Mapping[str, object] | list[str]) -> UsageError:
    """The error for a student who is not in the class, with those who are."""
    there = ", ".join(sorted(known)) or "nobody"
    return UsageError(f"No student {student!r} in class {class_name!r}. Enrolled there: {there}.")
