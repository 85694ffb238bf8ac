"""The roster of a class: its students, whose consent they were enrolled with, and which photos were."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from fewshot.classroom.consent import Consent
from fewshot.classroom.names import check_name, existing_folder, quoted
from fewshot.errors import StoreError, UsageError
from fewshot.models import home

ROSTER_FILE = "roster.json"
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Photo:
    """One enrolled photo. The picture itself is not kept.

    Attributes:
        emotion: its label, or None for an unlabelled one.
        enrolled: the day.
        fingerprint: see ``photos.fingerprint``: the same photo saved anew has nearly the same.
    """

    emotion: str | None
    enrolled: date
    fingerprint: str


@dataclass(slots=True)
class Student:
    """One student; the key is the name of the folder the photos came from.

    Attributes:
        consent: the record the student was last enrolled with.
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
    """The students of one class, as ``roster.json`` in the folder of the class."""

    def __init__(self, folder: Path, students: Mapping[str, Student] | None = None) -> None:
        self.folder = folder
        self.students = dict(students or {})

    @property
    def name(self) -> str:
        return self.folder.name

    @classmethod
    def load(cls, folder: Path) -> Roster:
        """Read the roster of ``folder``; an empty one if the class does not exist.

        Raises:
            StoreError: the file is damaged. It is left as it is.
        """
        path = folder / ROSTER_FILE
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            if record["version"] != _VERSION:
                raise StoreError(f"{path} was written by another version of fewshot. Use that one, or enroll again.")
            students = {key: _student_from_json(key, entry) for key, entry in record["students"].items()}
        except FileNotFoundError:
            return cls(folder)
        except OSError as error:
            raise StoreError(f"The roster {path} cannot be read ({error.strerror or error}).") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise StoreError(
                f"The roster {path} is damaged. It was left as it is; restore it from a copy, or delete the folder "
                f"{folder} and enroll the class again."
            ) from error
        return cls(folder, students)

    def save(self) -> None:
        """Write atomically: whatever happens meanwhile, the file is the old one or the new one.

        Raises:
            StoreError: it could not be written (full disk, no permission).
        """
        record = {
            "version": _VERSION,
            "class": self.name,
            "students": {key: _student_to_json(self.students[key]) for key in sorted(self.students)},
        }
        temporary = self.folder / f".{ROSTER_FILE}.{os.getpid()}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with temporary.open("w", encoding="utf-8") as file:
                json.dump(record, file, ensure_ascii=False, indent=1)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self.folder / ROSTER_FILE)
        except OSError as error:
            raise StoreError(
                f"The roster {self.folder / ROSTER_FILE} could not be written ({error.strerror or error}). What was "
                f"there before is untouched. Free some space or set FEWSHOT_HOME to a folder you may write to."
            ) from error
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)

    def consenting(self, day: date | None = None) -> list[str]:
        """Students whose consent holds on ``day`` (today)."""
        day = day or date.today()
        return sorted(key for key, student in self.students.items() if student.consent.holds(day))

    def owner_of(self, sha256: str) -> str | None:
        """Whose photo this is, if it is enrolled."""
        return next((key for key, student in self.students.items() if sha256 in student.photos), None)

    def remove(self, key: str) -> None:
        """Raises UsageError if there is no such student."""
        if key not in self.students:
            known = ", ".join(sorted(self.students)) or "nobody"
            raise UsageError(f"No student {key!r} in class {self.name!r}. Enrolled there: {known}.")
        del self.students[key]


def classes_folder() -> Path:
    return home() / "classes"


def class_names() -> list[str]:
    """The classes that exist on this machine."""
    folder = classes_folder()
    if not folder.is_dir():
        return []
    return sorted(entry.name for entry in folder.iterdir() if (entry / ROSTER_FILE).is_file())


def class_folder(name: str) -> Path:
    """Where class ``name`` lives or would live.

    Raises:
        UsageError: the name is not fit for a folder.
    """
    return existing_folder(classes_folder(), check_name(name, "class"))


def no_such_class(name: str) -> UsageError:
    """The error for a class that does not exist, with the names of those that do."""
    known = ", ".join(class_names())
    there = f"Classes here: {known}." if known else "There is no class here yet."
    return UsageError(
        f"There is no class {name!r}. {there} To make it: fewshot enroll {quoted(name)} PHOTOS --consent-by WHO"
    )


def delete_class(folder: Path) -> None:
    """Remove an emptied class with all its files."""
    shutil.rmtree(folder, ignore_errors=True)


def _student_to_json(student: Student) -> dict[str, Any]:
    photos = {
        sha256: {"emotion": photo.emotion, "enrolled": photo.enrolled.isoformat(), "fingerprint": photo.fingerprint}
        for sha256, photo in student.photos.items()
    }
    return {"consent": student.consent.as_json(), "photos": photos}


def _student_from_json(key: str, entry: Mapping[str, Any]) -> Student:
    photos = {
        sha256: Photo(photo["emotion"], date.fromisoformat(photo["enrolled"]), photo["fingerprint"])
        for sha256, photo in entry["photos"].items()
    }
    return Student(key, Consent.from_json(entry["consent"]), photos)
