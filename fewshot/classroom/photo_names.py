"""Students and labels in the names of files: ``dana_neutral.jpg``, ``anna_1.jpg``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from fewshot.classroom.names import alike, basic_emotion, check_name, emotion_of
from fewshot.classroom.photos import PhotoFile
from fewshot.errors import UsageError

# Words that cameras, phones and programs put before a number. They are no names of people.
_NO_NAMES = {
    "img", "imag", "image", "images", "photo", "photos", "pic", "pics", "picture", "pictures", "foto", "fotos",
    "bild", "bilder", "dsc", "dscn", "dscf", "dcim", "pxl", "mvi", "gopr", "dji", "win", "wp", "scan", "scanned",
    "screenshot", "bildschirmfoto", "capture", "webcam", "camera", "cam", "file", "download", "unnamed",
    "untitled", "signal", "whatsapp", "snapchat", "telegram", "fb", "face", "faces", "portrait", "class",
    "klasse", "clase", "group", "gruppe", "student", "pupil", "frame", "page",
}  # fmt: skip
_NUMBER = re.compile(r"(?:[\s_.\-]*\(\d+\)|[\s_.\-]+\d+)+$")
_PARTS = re.compile(r"[\s_.\-]+")


def names_in_files(files: Iterable[Path], known: Iterable[str]) -> tuple[dict[str, list[PhotoFile]], list[Path]]:
    """Whose photos lie beside the students' folders, by the names of the files.

    Args:
        files: pictures.
        known: students that are known already; only after their names may any word be a state (``dana_confused.jpg``),
            and only their names need neither a number nor an emotion (``dana.jpg``).

    Returns:
        (student -> photos, files that name nobody).
    """
    photos: dict[str, list[PhotoFile]] = {}
    left = []
    known = list(known)
    for path in files:
        said = student_and_emotion(path.stem)
        if said is None:
            left.append(path)
            continue
        # "Anna" is called so in the list of consents, and the file is called "anna_1.jpg".
        key = next((name for name in known if alike(name) == alike(said[0])), said[0])
        photos.setdefault(key, []).append(PhotoFile(path, said[1]))
    strays = []
    for path in left:
        known_one = _by_known_name(path.stem, {*known, *photos})
        if known_one is None:
            strays.append(path)
        else:
            photos.setdefault(known_one[0], []).append(PhotoFile(path, known_one[1]))
    return photos, strays


def student_and_emotion(stem: str) -> tuple[str, str | None] | None:
    """The student and the emotion in the name of a file; None if it names nobody for certain.

    >>> student_and_emotion("dana_neutral"), student_and_emotion("anna 2"), student_and_emotion("IMG_0001")
    (('dana', 'neutral'), ('anna', None), None)
    """
    plain = _NUMBER.sub("", stem)
    words = _PARTS.split(plain)
    emotion = None
    if len(words) > 1 and (emotion := basic_emotion(words[-1])):
        plain = _without_separator(plain[: -len(words[-1])])
    elif len(words) > 1 and (emotion := basic_emotion(words[0])):
        plain = plain[len(words[0]) :].lstrip(" _-.")
    elif plain == stem:
        return None
    plain = _NUMBER.sub("", plain).strip(" _-")
    words = [word.lower() for word in _PARTS.split(plain)]
    if any(letter.isdigit() for letter in plain) or words[0] in _NO_NAMES or basic_emotion(plain):
        return None
    try:
        return check_name(plain, "student"), emotion
    except UsageError:
        return None


def _without_separator(name: str) -> str:
    """``cleo.`` of ``cleo.sad`` is cleo; the dot of ``Anna B._sad`` belongs to the name."""
    plain = name.rstrip(" _-")
    return plain.removesuffix(".") if plain == name else plain


def _by_known_name(stem: str, known: Iterable[str]) -> tuple[str, str | None] | None:
    """The known student whose name a file begins with, and the word behind the name."""
    for name in sorted(known, key=len, reverse=True):
        rest = stem[len(name) :]
        if alike(stem[: len(name)]) != alike(name) or (rest and not _PARTS.match(rest)):
            continue
        word = _NUMBER.sub("", rest).strip(" _.-")
        try:
            return name, emotion_of(word) if word and not any(letter.isdigit() for letter in word) else None
        except UsageError:
            return None
    return None
