"""CK+ (Lucey et al. 2010) as it is published: sequences from neutral to the peak, and a file for the emotion."""

from __future__ import annotations

import re
from pathlib import Path

from fewshot.errors import UsageError
from fewshot.research.datasets.subjects import Picture

IMAGES = "cohn-kanade-images"
EMOTION_FOLDERS = ("Emotion", "Emotion_labels/Emotion", "Emotion_labels", "emotion_labels")
"""Where the files of Emotion_labels.zip lie, depending on how it was unpacked."""
CODES = ("neutral", "angry", "contempt", "disgust", "fear", "happy", "sad", "surprise")
"""0..7 of the emotion files, as the distribution's ReadMe has them."""

_FRAME = re.compile(r"S\d{3}_\d{3}_\d{8}\.png", re.IGNORECASE)


def is_ckplus(folder: Path) -> bool:
    """Whether the unpacked ``cohn-kanade-images.zip`` lies in ``folder``."""
    return (folder / IMAGES).is_dir()


def read_ckplus(folder: Path) -> list[Picture]:
    """The first frame of every sequence as neutral, and the peak of those with an emotion file.

    Args:
        folder: holds ``cohn-kanade-images/S005/001/S005_001_00000011.png`` and
            ``Emotion/S005/001/S005_001_00000011_emotion.txt``.

    Returns:
        By subject and sequence; the session is the number of the sequence. 593 neutral pictures and 327 peaks if the
        set is complete: only these fit the description of an emotion.

    Raises:
        UsageError: no emotion files, or one that names no picture or no emotion.
    """
    labels = next((folder / name for name in EMOTION_FOLDERS if (folder / name).is_dir()), None)
    if labels is None:
        raise UsageError(f"{folder} has {IMAGES}, but no folder Emotion beside it. Unpack Emotion_labels.zip there.")
    found: list[Picture] = []
    for sequence in sorted((folder / IMAGES).glob("S*/*/")):
        frames = sorted(path.name for path in sequence.iterdir() if _FRAME.fullmatch(path.name))
        if not frames:
            continue
        subject, session = sequence.parent.name, sequence.name
        place = f"{IMAGES}/{subject}/{session}"
        found.append(Picture("ckplus", f"{place}/{frames[0]}", subject, "neutral", session))
        for file in sorted((labels / subject / session).glob("*_emotion.txt")):
            peak = file.name.replace("_emotion.txt", ".png")
            if peak not in frames:
                raise UsageError(f"{file} is about {peak}, which is not in {sequence}. Unpack {IMAGES}.zip again.")
            found.append(Picture("ckplus", f"{place}/{peak}", subject, _emotion(file), session))
    return found


def _emotion(file: Path) -> str:
    """What a file such as "   3.0000000e+00" means."""
    try:
        code = float(file.read_text(encoding="ascii"))
        return CODES[int(code)] if code in range(len(CODES)) else _no_emotion(file)
    except (ValueError, UnicodeDecodeError):
        return _no_emotion(file)


def _no_emotion(file: Path) -> str:
    raise UsageError(f"{file} holds no number of 0..{len(CODES) - 1}. Unpack Emotion_labels.zip again.")
