"""Names that become folders and keys: names of classes, of students and of emotions."""

from __future__ import annotations

import re
import unicodedata

from fewshot.errors import UsageError
from fewshot.types import EMOTIONS

LONGEST_NAME = 64

_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
# Windows reserves these device names, with any extension.
_DEVICES = {"con", "prn", "aux", "nul"} | {f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10)}

_SYNONYMS = {
    "angry": ("anger", "mad", "furious"),
    "disgust": ("disgusted",),
    "fear": ("fearful", "afraid", "scared", "frightened"),
    "happy": ("happiness", "joy", "joyful", "smile", "smiling"),
    "sad": ("sadness", "unhappy"),
    "surprise": ("surprised",),
    "neutral": ("normal",),
}
_EMOTION_OF = {word: emotion for emotion in EMOTIONS for word in (emotion, *_SYNONYMS[emotion])}
_RESERVED = frozenset({"unsure", "unknown"})


def check_name(name: str, what: str) -> str:
    """Check that a name can be a folder on Linux, macOS and Windows. Letters of any script are allowed.

    Args:
        name: as a person typed it.
        what: "class", "student" or "state", for the message.

    Returns:
        The name in Unicode's composed form (macOS gives the decomposed form).

    Raises:
        UsageError: the name is empty, too long, hidden, reserved, or could lead to another folder.
    """
    plain = unicodedata.normalize("NFC", name).strip()
    if not plain or len(plain.encode()) > 4 * LONGEST_NAME or len(plain) > LONGEST_NAME:
        raise _unfit(name, what, f"It must have 1 to {LONGEST_NAME} characters.")
    if _FORBIDDEN.search(plain):
        raise _unfit(name, what, 'It must not contain / \\ : * ? " < > | or control characters.')
    if plain.startswith(".") or plain.endswith("."):
        raise _unfit(name, what, "It must not begin or end with a dot.")
    if plain.startswith("-"):
        raise _unfit(name, what, "It must not begin with a minus sign, which marks an option on the command line.")
    if plain.split(".")[0].strip().casefold() in _DEVICES:
        raise _unfit(name, what, "Windows reserves it.")
    return plain


def _unfit(name: str, what: str, why: str) -> UsageError:
    return UsageError(f"{name!r} cannot be the name of a {what}. {why} Use another name.")


def folded(name: str) -> str:
    """The form of a name in which two spellings of one class are equal: "Physics" and "physics"."""
    return unicodedata.normalize("NFC", name).strip().casefold()


def emotion_of(word: str) -> str:
    """The emotion that a folder's name means: one of the seven in any common spelling, else a student's own state.

    >>> emotion_of("Happiness"), emotion_of("Confused")
    ('happy', 'confused')

    Raises:
        UsageError: the word cannot be used as a label.
    """
    plain = check_name(" ".join(word.replace("_", " ").split()), "state").lower()
    if plain in _RESERVED:
        raise UsageError(f"{word!r} cannot be the name of a state, because readings use it for uncertain faces.")
    return _EMOTION_OF.get(plain, plain)


def quoted(text: str) -> str:
    """A name as it must be typed on a command line: in quotation marks if it contains a space."""
    return f'"{text}"' if " " in text else text
