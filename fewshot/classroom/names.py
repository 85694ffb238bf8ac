"""Names that become folders and keys: names of classes, of students and of emotions."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from fewshot.errors import UsageError, has_stray_bytes, printable
from fewshot.safe_text import JOINERS, ORDERS, joins
from fewshot.translation import later, together
from fewshot.types import EMOTIONS

LONGEST_NAME = 64
_UNFIT = {
    "class": later("{name!r} cannot be the name of a class."),
    "student": later("{name!r} cannot be the name of a student."),
    "state": later("{name!r} cannot be the name of a state."),
    "teacher": later("{name!r} cannot be the name of a teacher."),
}

# Letters, marks and signs without a picture, which are not in category Cf.
_FILLERS = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufffc"
_VARIANTS = re.compile("[\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_UNSEEN = re.compile(f"[{_FILLERS}{_VARIANTS.pattern[1:-1]}]")
"""What ``str.isprintable`` takes for a sign that can be seen, and cannot be seen."""
_C1 = re.compile("[\x80-\x9f]")

_OF_THE_SHELL = re.compile(r"""[$`!&;|<>()\[\]{}*?#~^"\\\n]""")
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
_ELSEWHERE = {
    "angry": ("wütend", "wut", "zornig", "verärgert", "colère", "fâché", "fâchée", "enfado", "enojo", "enfadado",
              "enfadada", "enojado", "enojada", "गुस्सा", "क्रोध"),
    "disgust": ("angewidert", "ekel", "dégoût", "dégoûté", "dégoûtée", "asco", "घृणा"),
    "fear": ("ängstlich", "angst", "furcht", "peur", "miedo", "asustado", "asustada", "डर", "भय"),
    "happy": ("fröhlich", "glücklich", "freude", "lächelnd", "joie", "joyeux", "joyeuse", "heureux", "heureuse",
              "sourire", "alegría", "alegre", "feliz", "contento", "contenta", "sonrisa", "खुश", "ख़ुश", "खुशी", "ख़ुशी"),
    "sad": ("traurig", "trauer", "triste", "tristesse", "tristeza", "उदास", "दुखी"),
    "surprise": ("überrascht", "überraschung", "surpris", "sorpresa", "sorprendido", "sorprendida", "आश्चर्य", "हैरान"),
    "neutral": ("neutre", "neutro", "neutra", "तटस्थ", "सामान्य"),
}  # fmt: skip
"""The same in the other languages of the app: a teacher's folder "fröhlich" is no state of its own."""
_EMOTION_OF = {
    unicodedata.normalize("NFC", word): emotion
    for emotion in EMOTIONS
    for word in (emotion, *_SYNONYMS[emotion], *_ELSEWHERE[emotion])
}
_RESERVED = frozenset({"unsure", "unknown"})


def check_name(name: str, what: str) -> str:
    """Check that a name can be a folder on Linux, macOS and Windows. Letters of any script are allowed.

    Args:
        name: as a person typed it.
        what: "class", "student" or "state", for the message.

    Returns:
        The name in Unicode's composed form (macOS gives the decomposed form), without characters that cannot be seen,
        and with one space between words. A student's name may end with a dot ("Anna B.").

    Raises:
        UsageError: the name is empty, too long, hidden, reserved, or could lead to another folder.
    """
    if has_stray_bytes(name):
        raise _unfit(printable(name), what, later("It is not written in UTF-8."))
    if _C1.search(name):
        raise _unfit(printable(name), what, later("It must not contain control characters."))
    if ORDERS.search(name):
        raise _unfit(printable(name), what, later("It contains signs that turn the direction of writing around."))
    plain = unicodedata.normalize("NFC", name).strip()
    if not plain or len(plain.encode()) > 4 * LONGEST_NAME or len(plain) > LONGEST_NAME:
        raise _unfit(name, what, later("It must have 1 to {most} characters.", most=LONGEST_NAME))
    forbidden = _FORBIDDEN.search(plain)
    plain = canonical(plain)
    if not any(unicodedata.category(letter)[0] in "LNPS" for letter in plain):
        raise _unfit(name, what, later("It has no letter that can be seen."))
    if forbidden:
        raise _unfit(name, what, later('It must not contain / \\ : * ? " < > | or control characters.'))
    if plain.startswith(".") or (plain.endswith(".") and what != "student"):
        raise _unfit(name, what, later("It must not begin or end with a dot."))
    if plain.startswith("-"):
        raise _unfit(
            name, what, later("It must not begin with a minus sign, which marks an option on the command line.")
        )
    if plain.split(".")[0].strip().casefold() in _DEVICES:
        raise _unfit(name, what, later("Windows reserves it."))
    return plain


def is_invisible(letter: str) -> bool:
    """Whether a character has no picture of its own: a mark of direction, a joiner, a filler, a choice of a form."""
    return unicodedata.category(letter) == "Cf" or _UNSEEN.match(letter) is not None


def _without_invisible(text: str) -> str:
    """The text without marks of direction, joiners and the like. Persian and Indian scripts need their joiners, and
    some Chinese and Japanese names a choice between forms of a sign."""
    if not _UNSEEN.search(text) and "".join(text.split()).isprintable():
        return text  # nearly every text; a list of a megabyte would take half a minute letter by letter
    kept: list[str] = []
    for place, letter in enumerate(text):
        if letter in JOINERS:
            if joins(text, place):
                kept.append(letter)
        elif _VARIANTS.match(letter):
            if kept and kept[-1] > "\u2e80" and unicodedata.category(kept[-1]) == "Lo":
                kept.append(letter)
        elif unicodedata.category(letter) != "Cf" and letter not in _FILLERS:
            kept.append(letter)
    return "".join(kept)


def alike(name: str) -> str:
    """The form in which two names are equal that differ only in case, width or characters that cannot be seen.

    >>> alike("ANNA") == alike("anna")
    True
    """
    seen = _VARIANTS.sub("", _without_invisible(unicodedata.normalize("NFKC", name)))
    plain = "".join(letter for letter in seen if letter not in JOINERS)
    return unicodedata.normalize("NFKC", " ".join(plain.split()).casefold())


def canonical(name: str) -> str:
    """The one spelling of a name that is stored: NFC, without characters that cannot be seen, one space between words.

    >>> canonical("Jo\u200b") == canonical("Jo")
    True
    """
    text = unicodedata.normalize("NFC", name)
    return unicodedata.normalize("NFC", " ".join(_without_invisible(text).split()))


def look_alikes(names: Iterable[str]) -> list[tuple[str, ...]]:
    """Groups of different names that nobody can distinguish on a screen: their ``canonical`` forms are equal."""
    groups: dict[str, list[str]] = {}
    for name in sorted(set(names)):
        groups.setdefault(canonical(name), []).append(name)
    return [tuple(group) for group in groups.values() if len(group) > 1]


def same_on_screen(names: Iterable[str], what: str) -> list[str]:
    """Sentences about ``look_alikes`` that an earlier version stored; nothing is merged by itself.

    Args:
        names: of the students of a class, or of all classes.
        what: "students" or "classes".
    """
    return [
        later(_SAME_ON_SCREEN[what], number=len(group), names=", ".join(map(ascii, group)))
        for group in look_alikes(names)
    ]


_SAME_ON_SCREEN = {
    "students": later(
        "{number} students have a name that looks the same on a screen: {names}. They were stored by an earlier "
        "version and are kept apart. If they are one, remove or rename all but one."
    ),
    "classes": later(
        "{number} classes have a name that looks the same on a screen: {names}. They were stored by an earlier version "
        "and are kept apart. If they are one, remove or rename all but one."
    ),
}


def _unfit(name: str, what: str, why: str) -> UsageError:
    message = _UNFIT.get(what, "{name!r} cannot be the name of a " + what + ".")
    return UsageError(together(later(message, name=name), why, later("Use another name.")))


def folded(name: str) -> str:
    """The form of a name in which two spellings of one class are equal: "Physics" and "physics"."""
    return unicodedata.normalize("NFC", canonical(name).casefold())


def emotion_of(word: str) -> str:
    """The emotion that a folder's name means: one of the seven in any common spelling, else a student's own state.

    >>> emotion_of("Happiness"), emotion_of("Confused")
    ('happy', 'confused')

    Raises:
        UsageError: the word cannot be used as a label.
    """
    plain = check_name(" ".join(word.replace("_", " ").split()).rstrip(". "), "state").lower()
    if plain in _RESERVED:
        raise UsageError(
            later("{word!r} cannot be the name of a state, because readings use it for uncertain faces.", word=word)
        )
    return basic_emotion(plain) or plain


def basic_emotion(word: str) -> str | None:
    """The one of the seven emotions that a word means, also with a number ("Happy 2", "01_neutral"); else None."""
    # Vowel signs of Indian scripts are marks, not letters.
    composed = unicodedata.normalize("NFC", word)
    letters = "".join(c if c.isalpha() or unicodedata.category(c)[0] == "M" else " " for c in composed)
    return _EMOTION_OF.get(" ".join(letters.split()).lower())


def quoted(text: str) -> str:
    """A name as it must be typed on a command line: in quotation marks if a shell would take it for something else.

    >>> quoted("Anna"), quoted("Anna B."), quoted("$(reboot)"), quoted("O'Hara")
    ('Anna', '"Anna B."', "'$(reboot)'", '"O\\'Hara"')
    """
    if not _OF_THE_SHELL.search(text):
        return f'"{text}"' if " " in text or "'" in text else text
    return "'" + text.replace("'", "'\"'\"'") + "'"
