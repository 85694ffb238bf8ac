"""What a state of a student rests on: their own photos, those of the class, or other people in general."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from fewshot.prototypes.estimators import Level
from fewshot.translation import later, tr, tr_n

GENERAL: Mapping[Level, str] = {
    "personal": later("own photos, of this or of other states"),
    "class": later("photos of the class"),
    "population": later("general: other people"),
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
        if self.level != "personal":
            return self._of_others(tr(GENERAL[self.level]))
        if self.photos and self.corrections:
            return tr_n(
                "own photos: {photos}, and {number} correction", "own photos: {photos}, and {number} corrections",
                self.corrections, photos=self.photos,
            )  # fmt: skip
        if self.photos:
            return tr("own photos: {photos}", photos=self.photos)
        if self.corrections:
            return tr_n("your {number} correction", "your {number} corrections", self.corrections)
        return tr("own photos, but of other states")

    def _of_others(self, general: str) -> str:
        """With what there is of the student's own, which does not count most."""
        if self.photos and self.corrections:
            photos = tr_n("{number} own photo", "{number} own photos", self.photos)
            corrections = tr_n("{number} correction", "{number} corrections", self.corrections)
            return tr(
                "{general}; {photos} and {corrections} weigh little", general=general, photos=photos,
                corrections=corrections,
            )  # fmt: skip
        if self.photos:
            return tr_n(
                "{general}; {number} own photo weighs little", "{general}; {number} own photos weigh little",
                self.photos, general=general,
            )  # fmt: skip
        if self.corrections:
            return tr_n(
                "{general}; {number} correction weighs little", "{general}; {number} corrections weigh little",
                self.corrections, general=general,
            )  # fmt: skip
        return general


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
