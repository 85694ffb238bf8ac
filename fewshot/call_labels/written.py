"""What a call writes beside a name (hosts, pronouns, devices), and the form of a name in which labels are compared."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from fewshot.classroom.names import alike, check_name
from fewshot.errors import UsageError

_ROLES = (
    "co-host", "cohost", "host", "guest", "you", "me", "external", "unverified", "organizer", "organiser", "presenter",
    "presenting", "presentation", "muted", "attendee", "panelist", "guest user",
    "gast", "ich", "du", "moderator", "extern", "organisator", "invité", "invitée", "moi", "vous", "hôte", "anfitrión",
    "invitado", "invitada", "yo", "tú",
)  # fmt: skip
"""Words in brackets behind a name. Any other word in brackets belongs to the name."""
_PRONOUN = re.compile(r"[a-zé]{1,5}(?:\s*[/·]\s*[a-zé]{1,5}){1,3}")
_BRACKETS = re.compile(r"[(\[]([^()\[\]]*)(?:[)\]]|$)")
_DEVICE = r"(?:ipad|iphone|macbook|imac|laptop|computer|pc|phone|tablet|galaxy|pixel|chromebook|zoom|android)"
_QUOTE = "['`\u2019\u00b4]?"
_OWNED = re.compile(rf"^(.{{2,}}?){_QUOTE}s{_QUOTE} {_DEVICE}(?: .*)?$")
_OF = re.compile(rf"^{_DEVICE}(?: \w+)? (?:von|de|of|di|del|da) (.{{2,}})$")
_CUT = re.compile(r"(?:…|\.{2,}|·{2,})\s*$")
_POSSESSIVE = re.compile("\\w['`\u2019\u00b4]s\\b")
_TWICE = re.compile(r"(\w)\1+")
_LOST_I = re.compile(r"^([^(\[]*)[)\]](?=\w)")
_LONGEST = 200
"""Letters of a label that are looked at; a tile has no room for more."""
_LETTERS_LEFT = 6
"""Letters that must be left of a name whose accented letters were not read."""
_KIN = frozenset(
    ["mum", "mom", "mummy", "mommy", "mother", "mama", "dad", "daddy", "father", "papa", "parent", "parents", "family",
     "familie", "mutter", "vater", "eltern", "madre", "padre", "padres", "mère", "père", "sister", "brother", "aunt",
     "uncle"]
)  # fmt: skip
"""With such a word a label names somebody else than the student whose name stands beside it."""
_WORDS = re.compile("[\\s,\\-\u2010\u2011\u2013\u2014_/+|·•]+")
_WITHOUT_MARKS = str.maketrans(
    {
        "ł": "l",
        "ø": "o",
        "đ": "d",
        "ß": "ss",
        "æ": "ae",
        "œ": "oe",
        "\u0131": "i",
        "þ": "th",
        "ð": "d",
        "ŋ": "n",
        "ħ": "h",
    }
)
_SAME_SHAPE = str.maketrans(
    {"i": "l", "1": "l", "|": "l", "!": "l", "0": "o", "5": "s", "8": "b", "y": "v", "f": "t", "q": "g"}
)


@dataclass(frozen=True, slots=True)
class Written:
    """A name as it is compared: the words of it, without case, accents and differences that small letters hide.

    Attributes:
        words: each without its dot.
        open: for each word, whether it may be the beginning of a longer one: an initial, "Alex.", or cut off.
        cut: the call cut the name off.
        first: which word is the given name, if a comma says so ("Patel, Asha").
    """

    words: tuple[str, ...]
    open: tuple[bool, ...]
    cut: bool = False
    first: int = 0

    @property
    def joined(self) -> str:
        """All letters in order, without spaces and each once: small letters hide where a word ends, and how many l."""
        return _TWICE.sub(r"\1", "".join(self.words[self.first :] + self.words[: self.first]))

    @property
    def letters(self) -> int:
        """How many letters there are."""
        return len(self.joined)


def shape(text: str) -> str:
    """The letters without case, accents, and differences that a reader of small letters may miss.

    >>> shape("Zoë Müller") == shape("Zoe Muller"), shape("Anna") == shape("Anne")
    (True, False)
    """
    # Turkish: I with a dot folds into two characters.
    plain = alike(text).translate(_WITHOUT_MARKS)
    bare = "".join(letter for letter in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(letter))
    alike_signs = bare.translate(_WITHOUT_MARKS).translate(_SAME_SHAPE)
    for written, read in (("rn", "m"), ("rm", "m"), ("vv", "w")):
        alike_signs = alike_signs.replace(written, read)
    return alike_signs


def lossy_forms(name: str) -> frozenset[str]:
    """The joined letters of a name as a reader may see them that knows not every accent: some letters are left out.

    >>> name_written("Blohlávek").joined in lossy_forms("Bělohlávek")
    True
    """
    plain = unicodedata.normalize("NFC", alike(name))
    accented = [place for place, letter in enumerate(plain) if shape(letter) != letter.translate(_SAME_SHAPE)]
    left = [plain[:place] + plain[place + 1 :] for place in accented]
    left.append("".join(letter for place, letter in enumerate(plain) if place not in accented))
    left.append(plain.replace("ł", "t"))  # its bar is read as that of a t
    forms = {name_written(text).joined for text in left}
    return frozenset(form for form in forms if len(form) >= _LETTERS_LEFT)


def label_written(text: str) -> Written:
    """What a label says, without what a call adds to a name; no word if it is of somebody beside the student."""
    plain = _LOST_I.sub(r"\1l", alike(text[:_LONGEST]))  # an I that was read as a bracket
    cut = bool(_CUT.search(plain))
    plain = _CUT.sub("", plain)
    plain = _BRACKETS.sub(_kept_brackets, plain)
    owned = _OWNED.match(plain.strip()) or _OF.match(plain.strip())
    if owned:
        plain, cut = owned[1], False
    if _POSSESSIVE.search(plain) or _KIN & set(_WORDS.split(plain.strip())):
        return Written((), ())
    return _written(plain, cut)


def name_written(name: str) -> Written:
    """A student's name in the same form. What stands in brackets in it belongs to the name."""
    return _written(alike(name), False)


def plain_name(text: str) -> str:
    """A label without what a call adds to a name, as it would be typed; "" if that cannot be anybody's name."""
    bare = " ".join(_BRACKETS.sub(_kept_brackets, text).split()).strip(" .…·|-")
    letters = sum(letter.isalpha() for letter in bare)
    if letters < 2 or letters < 0.7 * len(bare.replace(" ", "")) or _CUT.search(text) or _OWNED.match(alike(bare)):
        return ""
    try:
        return check_name(bare, "student")
    except UsageError:
        return ""


def _kept_brackets(found: re.Match[str]) -> str:
    """The words of a bracket, or nothing if they are a role or pronouns; one that is cut off may be one of them."""
    inside = " ".join(found[1].split())
    parts = [part.strip() for part in re.split(r"[,;]", inside.casefold())]
    whole = found[0][-1] in ")]"
    known = all(
        part in _ROLES or _PRONOUN.fullmatch(part) or (not whole and any(role.startswith(part) for role in _ROLES))
        for part in parts
    )
    return " " if known else f" {inside} "


def _written(plain: str, cut: bool) -> Written:
    given = 0
    if plain.count(",") == 1:
        behind, before = plain.split(",")
        if len(_words(behind)) and len(_words(before)):
            given = len(_words(behind))
    found = _words(plain)
    words = tuple(word for word, _ in found)
    opened = [dotted or len(word) == 1 for word, dotted in found]
    if cut and opened:
        opened[-1] = True
    return Written(words, tuple(opened), cut and bool(words), given)


def _words(plain: str) -> list[tuple[str, bool]]:
    """The words that have a letter or a digit, and whether a dot stands behind them."""
    found = []
    for part in _WORDS.split(plain):
        for piece in re.split(r"(?<=\w\.)(?=\w)", part):  # "A.P." are two initials
            word = "".join(letter for letter in shape(piece) if letter.isalnum())
            if word:
                found.append((word, piece.endswith(".")))
    return found
