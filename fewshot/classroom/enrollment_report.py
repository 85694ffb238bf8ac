"""What an enrollment says: for every student and photo whether it was accepted, and if not, why."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Status = Literal["accepted", "already enrolled", "rejected"]

_ADJECTIVES = {"disgust": "disgusted", "fear": "afraid", "surprise": "surprised"}


@dataclass(frozen=True, slots=True)
class PhotoResult:
    """What became of one photo.

    Attributes:
        path, emotion: the file and what it was said to show.
        reason: why it was not accepted, in words.
        sha256: of the file, if it is enrolled.
        looks: the emotion that it looks like, if that is most likely another; it counts as what it was said to show.
    """

    path: Path
    emotion: str | None
    status: Status
    reason: str = ""
    sha256: str = ""
    looks: str = ""

    @property
    def doubt(self) -> str:
        """The question about its emotion, in words; empty without doubt."""
        if not self.looks:
            return ""
        return f"looks {_ADJECTIVES.get(self.looks, self.looks)}, and is enrolled as {self.emotion}. Is that right?"


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
        return [photo for photo in self.photos if photo.looks]

    @property
    def to_look_at(self) -> list[PhotoResult]:
        """What a teacher is shown: the doubtful ones, then the rejected ones."""
        return [*self.doubtful, *self.rejected]

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
