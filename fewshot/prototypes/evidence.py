"""What a state of a student rests on: their own photos, those of the class, or other people in general."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from fewshot.prototypes.estimators import Level

GENERAL: Mapping[Level, str] = {
    "personal": "own photos, of this or of other states",
    "class": "photos of the class",
    "population": "general: other people",
}
"""Whose photos made a prototype, in words."""


class _Described(Protocol):
    """What is needed of ``fewshot.prototypes.index.Row``."""

    @property
    def emotion(self) -> str: ...

    @property
    def shots(self) -> float: ...

    @property
    def level(self) -> Level: ...


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one prototype of a student was made from.

    Attributes:
        photos: number of the student's own photos of this state; unlabelled photos count where they seem to belong.
        corrections: number of faces of this state that the teacher named in a lesson.
        level: whose photos count most: "personal", "class" or "population".
    """

    photos: int
    corrections: int
    level: Level

    @property
    def words(self) -> str:
        """In a few words, for a teacher.

        >>> Evidence(2, 1, "personal").words, Evidence(0, 0, "personal").words
        ('own photos: 2, and 1 correction', 'own photos, but of other states')
        >>> Evidence(1, 0, "class").words, Evidence(0, 0, "population").words
        ('photos of the class; 1 own photo weighs little', 'general: other people')
        """
        corrected = _counted(self.corrections, "correction")
        if self.level != "personal":
            own = " and ".join(part for part in (_counted(self.photos, "own photo"), corrected) if part)
            verb = "weigh" if self.photos + self.corrections > 1 else "weighs"
            return f"{GENERAL[self.level]}; {own} {verb} little" if own else GENERAL[self.level]
        if self.photos:
            return f"own photos: {self.photos}" + (f", and {corrected}" if corrected else "")
        return f"your {corrected}" if corrected else "own photos, but of other states"


def evidence_of(prototypes: Sequence[_Described], corrected: Mapping[str, int]) -> dict[str, Evidence]:
    """State -> what it rests on.

    Args:
        prototypes: the prototypes that a student's faces are compared with.
        corrected: state -> number of the student's corrected faces, which are part of ``shots``.
    """
    found = {}
    for one in prototypes:
        named = corrected.get(one.emotion, 0)
        found[one.emotion] = Evidence(max(0, round(one.shots) - named), named, one.level)
    return found


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'s' if number > 1 else ''}" if number else ""
