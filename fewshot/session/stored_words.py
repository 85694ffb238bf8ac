"""What a reader sees for words that the program itself has stored: they are stored in English.

What a teacher has written stays as it is.
"""

from __future__ import annotations

from fewshot.session.analysis.glance import hint_word
from fewshot.translation import later, tr

QUICK = (later("Question"), later("Exercise"), later("Group work"))
"""Markers with a button of their own."""
UNNAMED = later("marked")
"""A marker without a text."""
CAMERA, WINDOW = later("this browser's camera"), later("the shared window")
SOURCES = (
    CAMERA,
    WINDOW,
    later("the moving sample picture"),
    later("the sample photographs"),
    later("virtual classroom of 49 people (CFEE photographs)"),
)
"""Sources that the program names, and not a person."""
SAMPLE_CLASS = later("Sample class")
SAMPLE_PICTURE = later("Sample picture")
PHOTOGRAPHS = later("Real photographs")
SAMPLE_TITLES = (
    later("Sample lesson: fractions"),
    later("Sample lesson: decimals"),
    later("Sample lesson: area of a circle"),
    later("Sample lesson: angles"),
)
SAMPLE_MARKERS = (
    later("Welcome"),
    later("Fractions: what they are"),
    later("Decimals"),
    later("Pi"),
    later("Homework gone through"),
    later("Angles in a triangle"),
    later("Exercise 1"),
    later("Exercise 2"),
    later("Solution"),
    later("Solution on the board"),
    later("Homework"),
)
"""Titles and markers of the recorded lessons: see ``research/simulation/sample_lessons.py``."""

_MARKERS = frozenset((*QUICK, UNNAMED, *SAMPLE_MARKERS))
_CLASSES = frozenset((SAMPLE_CLASS, SAMPLE_PICTURE, PHOTOGRAPHS))
_TITLES = frozenset(SAMPLE_TITLES)


def marker_word(text: str) -> str:
    """What a reader sees for a marker."""
    return tr(text) if text in _MARKERS else hint_word(text)


def class_word(name: str) -> str:
    """What a reader sees for the name of a class. For display only: the name itself is a key."""
    return tr(name) if name in _CLASSES else name


def source_word(name: str) -> str:
    """What a reader sees for the name of a source. A file's or a stream's name stays as it is."""
    return tr(name) if name in SOURCES else name


def title_word(title: str) -> str:
    """What a reader sees for the title of a lesson."""
    return tr(title) if title in _TITLES else title
