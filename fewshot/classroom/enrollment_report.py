"""The report of an enrollment: for every student and photo, whether it was accepted, and if not, why."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Status = Literal["accepted", "already enrolled", "rejected"]

_ADJECTIVES = {"disgust": "disgusted", "fear": "afraid", "surprise": "surprised"}


@dataclass(frozen=True, slots=True)
class PhotoResult:
    """The result of one photo.

    Attributes:
        path, emotion: the file and its label.
        reason: why the photo was not accepted, in words; "" if it was.
        sha256: of the file, if it is enrolled.
        looks: the emotion that the photo most likely shows, if that differs from its label; "" otherwise. The photo
            still counts for its label.
    """

    path: Path
    emotion: str | None
    status: Status
    reason: str = ""
    sha256: str = ""
    looks: str = ""

    @property
    def doubt(self) -> str:
        """The question about a doubtful label, in English words; "" if there is no doubt."""
        if not self.looks:
            return ""
        return f"looks {_ADJECTIVES.get(self.looks, self.looks)}, but is enrolled as {self.emotion}. Is that right?"


@dataclass(slots=True)
class StudentResult:
    """The result of one student.

    Attributes:
        student: key of the student.
        photos: one result per photo.
        notes: what the teacher should know, in words.
        stands: whether the student is enrolled in the class now.
        looks_like: the enrolled student for whom the photos were taken, so that this one was refused; "" otherwise.
        problem: why none of the student's photos was opened, in words; "" if they were.
    """

    student: str
    photos: list[PhotoResult] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    stands: bool = False
    problem: str = ""
    looks_like: str = ""

    def count(self, status: Status) -> int:
        """Number of photos with this status."""
        return sum(photo.status == status for photo in self.photos)

    @property
    def doubtful(self) -> list[PhotoResult]:
        """Photos that most likely show another emotion than their label."""
        return [photo for photo in self.photos if photo.looks]

    @property
    def to_look_at(self) -> list[PhotoResult]:
        """The photos that a teacher should check: first the doubtful ones, then the rejected ones."""
        return [*self.doubtful, *self.rejected]

    @property
    def rejected(self) -> list[PhotoResult]:
        """Photos that were not accepted."""
        return [photo for photo in self.photos if photo.status == "rejected"]


@dataclass(slots=True)
class EnrollmentReport:
    """The results of a folder of photos, one per student; ``notes`` are about the folder itself."""

    students: list[StudentResult] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def standing(self) -> list[str]:
        """The students of this folder who are enrolled in the class now."""
        return [result.student for result in self.students if result.stands]
