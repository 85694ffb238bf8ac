"""Sets of faces whose file names say who it is and what is shown: JAFFE, the Yale faces, CK+ by emotion."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from fewshot.classroom.names import emotion_of
from fewshot.clutter import files_below
from fewshot.pictures import is_picture
from fewshot.research.datasets.counts import without_copies
from fewshot.research.datasets.subjects import Picture

# Its ten subjects: files of other people may be named in this way too.
_JAFFE = re.compile(r"(KA|KL|KM|KR|MK|NA|NM|TM|UY|YM)\.(AN|DI|FE|HA|NE|SA|SU)(\d)\.\d+", re.IGNORECASE)
_JAFFE_EMOTIONS = {
    "AN": "angry",
    "DI": "disgust",
    "FE": "fear",
    "HA": "happy",
    "NE": "neutral",
    "SA": "sad",
    "SU": "surprise",
}
_YALE = re.compile(r"(subject\d\d)\.([a-z]+)", re.IGNORECASE)
# Everything else that the Yale faces show is no emotion: "other:wink".
_YALE_EMOTIONS = {
    "normal": "neutral",
    "glasses": "neutral",
    "noglasses": "neutral",
    "happy": "happy",
    "sad": "sad",
    "surprised": "surprise",
}
_CKPLUS = re.compile(r"(S\d{3})_(\d{3})_(\d{8})")


def read_jaffe(folder: Path) -> list[Picture]:
    """JAFFE (Lyons et al. 1998): ``KA.AN1.39.tiff`` is subject KA, angry, take 1, picture 39 of all."""
    found = []
    for path in _pictures(folder):
        if match := _JAFFE.match(path.name):
            emotion = _JAFFE_EMOTIONS[match[2].upper()]
            found.append(Picture("jaffe", _below(path, folder), match[1].upper(), emotion, match[3]))
    return found


def read_yale(folder: Path) -> list[Picture]:
    """Yale faces (Belhumeur et al. 1997): ``subject01.wink``, with or without a suffix for the kind of picture.

    The session is the word of the name. In the published archive ``subject04.sad`` is a copy of ``subject04.normal``,
    as its README says, and eight more pictures have copies: of one person's pictures with the same bytes the first by
    name is taken.
    """
    found = []
    for path in files_below(folder):
        match = _YALE.match(path.name)
        if match and path.suffix.lower() not in {".txt", ".zip"}:
            word = match[2].lower()
            emotion = _YALE_EMOTIONS.get(word, f"other:{word}")
            found.append(Picture("yale", _below(path, folder), match[1].lower(), emotion, word))
    return without_copies(found, folder)[0]


def read_ckplus_by_emotion(folder: Path) -> list[Picture]:
    """CK+ as copies on Kaggle have it ("CK+48"): ``anger/S010_004_00000017.png``, subject, sequence, frame.

    They hold the last three frames of every sequence, nearly the same picture: the last one, the peak, is taken.
    """
    last: dict[tuple[str, str, str], Picture] = {}
    for path in _pictures(folder):
        if match := _CKPLUS.match(path.name):
            emotion = emotion_of(path.parent.name)
            picture = Picture("ckplus", _below(path, folder), match[1], emotion, match[2])
            last[match[1], match[2], emotion] = picture  # in the order of frames
    return list(last.values())


def named_like(pattern: str, folder: Path) -> bool:
    """Whether any file under ``folder`` is named like those of "jaffe", "yale" or "ckplus"."""
    names = {"jaffe": _JAFFE, "yale": _YALE, "ckplus": _CKPLUS}[pattern]
    return any(names.match(path.name) for path in files_below(folder))


def _pictures(folder: Path) -> Iterator[Path]:
    return filter(is_picture, files_below(folder))


def _below(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()
