"""What an enrollment says: for every student and photo whether it was accepted, and if not, why."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Status = Literal["accepted", "already enrolled", "rejected"]


@dataclass(frozen=True, slots=True)
class PhotoResult:
    """What became of one photo.

    Attributes:
        path, emotion: the file and what it was said to show.
        reason: why it was not accepted, in words.
        doubt: why its emotion may be another, in words; it is accepted as what it was said to show.
    """

    path: Path
    emotion: str | None
    status: Status
    reason: str = ""
    doubt: str = ""


@dataclass(slots=True)
class StudentResult:
    """What became of one student.

    Attributes:
        student: the key.
        photos: one result a photo.
        notes: what the teacher should know, in words.
        stands: whether the student is in the class now.
    """

    student: str
    photos: list[PhotoResult] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    stands: bool = False

    def count(self, status: Status) -> int:
        return sum(photo.status == status for photo in self.photos)

    @property
    def doubtful(self) -> list[PhotoResult]:
        return [photo for photo in self.photos if photo.doubt]

    @property
    def rejected(self) -> list[PhotoResult]:
        return [photo for photo in self.photos if photo.status == "rejected"]


@dataclass(slots=True)
class EnrollmentReport:
    """What became of a folder of photos, student by student; ``notes`` are about the folder itself."""

    students: list[StudentResult] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def standing(self) -> list[str]:
        """The students of this folder who are in the class now."""
        return [result.student for result in self.students if result.stands]
