"""The labels of the photos in one student's folder, from the names of the folders in which they lie."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from fewshot.classroom.consent import CONSENT_FILE
from fewshot.classroom.names import alike, basic_emotion, emotion_of
from fewshot.classroom.photo_names import student_and_emotion
from fewshot.classroom.photos import PhotoFile
from fewshot.clutter import entries_of, leads_up
from fewshot.errors import UsageError, printable
from fewshot.translation import later

PLAIN_WORDS = {
    "dcim", "camera", "photo", "photos", "picture", "pictures", "pics", "image", "images", "img", "bilder",
    "bild", "foto", "fotos", "fotografien", "photographies", "imagenes", "imágenes", "immagini", "raw", "jpg",
    "jpeg", "png", "heic", "edited", "export", "exports", "originals", "downloads", "screenshots", "school",
    "misc", "various", "other", "others", "sonstiges", "new", "old", "temp", "tmp", "new folder", "neuer ordner",
    "untitled folder", "whatsapp images", "camera roll", "nouveau dossier",
}  # fmt: skip
"""Names of folders that say nothing about a face."""

_MOST_FOLDERS = 10_000


def photos_of(student: Path) -> Iterator[PhotoFile]:
    """The photos in the folder of one student, sorted by name.

    The folder nearest to a photo that is called like one of the seven emotions gives its label, on any level. Otherwise
    the topmost folder that can be a state gives it: not a date, a number or a usual name of a folder, and not a folder
    that itself contains folders called like emotions. Without such folders the file may be called like an emotion
    (``happy_2.jpg``, ``asha_happy.jpg`` in the folder asha).

    Raises:
        OSError: a folder cannot be read.
    """
    groups = _with_emotions_inside(student)
    for path in _files_of(student, linked=False):
        if path.name.lower() == CONSENT_FILE:
            continue
        places = [place for place in path.parents if place != student and place.is_relative_to(student)]
        photo = _labelled(path, places, groups)
        if photo.emotion is None and not photo.problem and (emotion := _in_name(path, student.name)):
            photo = PhotoFile(path, emotion)
        yield photo


def looks_like_students(folder: Path) -> list[str]:
    """Names of the students whose folders lie in a folder that should hold the photos of one; usually empty.

    Two folders that contain folders of emotions are two students. In a folder with a date or number as its name one is
    enough, and so are folders that cannot be emotions.

    Raises:
        OSError: a folder cannot be read.
    """
    inside = [entry for entry in entries_of(folder) if entry.is_dir() and not entry.is_symlink()]
    named = [entry for entry in inside if not _says_nothing(entry.name) and not basic_emotion(entry.name)]
    students = [entry for entry in named if any(basic_emotion(name) for name in _folders_in(entry))]
    dated = not any(letter.isalpha() for letter in folder.name)
    if dated and named == inside and not students and not any(entry.is_file() for entry in entries_of(folder)):
        students = named if len(named) > 1 else []
    return [printable(entry.name) for entry in students] if len(students) > 1 or (dated and students) else []


def _in_name(path: Path, student: str) -> str | None:
    """The emotion in the name of a photo; a student may be called like one (``joy_1.jpg`` of Joy)."""
    said = student_and_emotion(path.stem)
    if said is not None:
        return said[1] if alike(said[0]) == alike(student) else None
    emotion = basic_emotion(path.stem)
    return None if emotion and emotion == basic_emotion(student) else emotion


def _labelled(path: Path, places: list[Path], groups: set[Path]) -> PhotoFile:
    """A photo with its label. ``places``: the folders around it below the student's, the nearest one first."""
    problem = "" if path.is_file() else _why_no_file(path)
    basic = next((emotion for place in places if (emotion := basic_emotion(place.name))), None)
    if basic or problem:
        return PhotoFile(path, basic, problem)
    states = [place for place in reversed(places) if place not in groups and not _says_nothing(place.name)]
    if not states:
        silent = [place.name for place in places if place not in groups]
        return PhotoFile(path, skipped=silent[-1] if silent else "")
    try:
        return PhotoFile(path, emotion_of(states[0].name))
    except UsageError as error:
        return PhotoFile(path, None, error.text)


def _says_nothing(name: str) -> bool:
    plain = " ".join(name.replace("_", " ").split()).lower()
    return plain in PLAIN_WORDS or any(letter.isdigit() for letter in name)


def _with_emotions_inside(student: Path) -> set[Path]:
    """The folders that contain, on any level, a folder called like one of the seven emotions."""
    found: set[Path] = set()
    for folder in islice(_folders_below(student), _MOST_FOLDERS):
        if basic_emotion(folder.name):
            found.update(parent for parent in folder.parents if parent != student and parent.is_relative_to(student))
    return found


def _folders_below(folder: Path) -> Iterator[Path]:
    for entry in entries_of(folder):
        if entry.is_dir() and not entry.is_symlink():
            yield entry
            yield from _folders_below(entry)


def _folders_in(folder: Path) -> list[str]:
    return [entry.name for entry in entries_of(folder) if entry.is_dir()]


def _files_of(folder: Path, linked: bool) -> Iterator[Path]:
    """Everything in a folder that is not a folder. A link to a folder is followed once, and never upwards."""
    for entry in entries_of(folder):
        link = entry.is_symlink()
        if not entry.is_dir() or (link and (linked or leads_up(entry))):
            yield entry
        else:
            yield from _files_of(entry, linked or link)


def _why_no_file(path: Path) -> str:
    if path.is_symlink():
        return later("a link that leads nowhere, or to a folder above it. Remove the link")
    return later("not a file but a pipe or a device. Remove it")
