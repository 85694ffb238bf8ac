"""The words for what a face shows, in the reader's language."""

from __future__ import annotations

from fewshot.translation import Later, later, tr

UNREVIEWED = later("This translation has not been reviewed yet.")
"""Below every page that is not in English."""

_WORDS = frozenset(
    (
        later("angry"),
        later("disgust"),
        later("fear"),
        later("happy"),
        later("sad"),
        later("surprise"),
        later("neutral"),
        later("concentrating"),
        later("confused"),
        later("unsure"),
        later("not readable"),
        later("not in view"),
        later("not watched"),
    )
)
"""What the program itself names: the seven expressions, the two states that it offers, and what is said if no state is
named."""


def emotion_word(name: str) -> str:
    """The word that a reader sees for a state. Another state, in a teacher's own words, stays as it is written.

    For display only: what is stored and compared is the English name.

    >>> emotion_word("happy"), emotion_word("daydreaming")
    ('happy', 'daydreaming')
    """
    return tr(name) if name in _WORDS else name


def emotion_later(name: str) -> str:
    """As ``emotion_word``, for a text that ``later`` makes: the word is looked up where that is shown."""
    return Later(name) if name in _WORDS else name
