"""What a state rests on, in words: own photos, corrections, the class, people in general."""

from __future__ import annotations

import pytest

from fewshot.prototypes.estimators import Level, Prototype
from fewshot.prototypes.evidence import GENERAL, Evidence, evidence_of


def prototype(emotion: str, shots: float, level: Level) -> Prototype:
    return Prototype(emotion, None, shots, level)  # type: ignore[arg-type]


def test_nothing_rests_on_nothing() -> None:
    assert evidence_of([], {}) == {}


@pytest.mark.parametrize(
    ("shots", "corrected", "level", "words"),
    [
        (2.0, 0, "personal", "own photos: 2"),
        (3.0, 1, "personal", "own photos: 2, and 1 correction"),
        (2.0, 2, "personal", "your 2 corrections"),
        (0.0, 0, "personal", "own photos, but of other states"),
        (1.3, 0, "personal", "own photos: 1"),  # an unlabelled photo that may show it
        (0.0, 0, "class", "photos of the class"),
        (1.0, 0, "class", "photos of the class; 1 own photo weighs little"),
        (2.0, 1, "population", "general: other people; 1 own photo and 1 correction weigh little"),
        (0.0, 0, "population", "general: other people"),
        (0.0, 3, "class", "photos of the class; 3 corrections weigh little"),  # more than the prototype counts
    ],
)
def test_each_state_names_its_evidence(shots: float, corrected: int, level: Level, words: str) -> None:
    found = evidence_of([prototype("sad", shots, level), prototype("happy", 0, level)], {"sad": corrected})
    assert list(found) == ["sad", "happy"] and found["sad"].words == words


@pytest.mark.parametrize("level", list(GENERAL))
def test_every_level_has_words(level: Level) -> None:
    assert Evidence(0, 0, level).words
