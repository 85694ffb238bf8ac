"""How many pictures of whom show what, and what of that can be used: little data is reported, not crashed on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fewshot.errors import FewshotError
from fewshot.pictures import read_picture
from fewshot.research.datasets.hashes import file_hashes
from fewshot.research.datasets.subjects import Picture, by_student
from fewshot.types import EMOTIONS


@dataclass(frozen=True, slots=True)
class Shortage:
    """Of a person there are too few pictures for what is asked.

    Attributes:
        student: key of the person.
        emotion: the state; several with commas between them where there is no picture at all.
        pictures: so many there are.
        why: what cannot be done with them, and what to add.
    """

    student: str
    emotion: str
    pictures: int
    why: str

    def row(self) -> dict[str, str]:
        """For ``fewshot.research.evaluation.tables``."""
        return {"subject": self.student, "emotion": self.emotion, "pictures": str(self.pictures), "why": self.why}


def emotions_of(pictures: Sequence[Picture]) -> list[str]:
    """Every word that occurs: the seven emotions in their order, then all others by name."""
    words = {picture.emotion for picture in pictures}
    return [emotion for emotion in EMOTIONS if emotion in words] + sorted(words - set(EMOTIONS))


def count_table(pictures: Sequence[Picture]) -> list[dict[str, str]]:
    """One row a person, one column an emotion, and a last row with the sums; "" where there is none."""
    emotions, rows = emotions_of(pictures), []
    for student, shown in by_student(pictures).items():
        counts = {emotion: len(shown.get(emotion, ())) for emotion in emotions}
        rows.append(_counted(student, counts))
    if rows:
        sums = {emotion: sum(picture.emotion == emotion for picture in pictures) for emotion in emotions}
        rows.append(_counted(f"all {len(rows)}", sums))
    return rows


def enough(
    pictures: Sequence[Picture], shots: int, queries: int = 1
) -> tuple[dict[str, dict[str, list[Picture]]], list[Shortage]]:
    """What can be enrolled with ``shots`` pictures and asked about with ``queries`` more, and what cannot.

    Args:
        pictures: in any order.
        shots: pictures an emotion to enroll, 0 or more.
        queries: other pictures of the same person and emotion to ask about.

    Returns:
        (student -> emotion -> pictures, where there are enough; persons in the order of ``pictures``, for each the
        emotions with too few, then those of the seven that others of the same set show and they do not). A state of
        one's own that others do not have is no shortage.
    """
    kept: dict[str, dict[str, list[Picture]]] = {}
    short: list[Shortage] = []
    basic: dict[str, set[str]] = {}
    for picture in pictures:
        basic.setdefault(picture.dataset, set()).add(picture.emotion)
    for student, shown in by_student(pictures).items():
        for emotion, all_ in shown.items():
            if len(all_) >= shots + queries:
                kept.setdefault(student, {})[emotion] = all_
            else:
                short.append(Shortage(student, emotion, len(all_), _why(len(all_), shots, queries)))
        expected = basic[next(iter(shown.values()))[0].dataset]
        missing = [emotion for emotion in EMOTIONS if emotion in expected and emotion not in shown]
        if missing and shots + queries:
            short.append(Shortage(student, ", ".join(missing), 0, "none, so they cannot be enrolled or asked about"))
    return kept, short


def _why(n: int, shots: int, queries: int) -> str:
    add = f"add {shots + queries - n}"
    if n < shots:
        return f"{shots} are needed to enroll and {queries} to ask about: {add}"
    return f"{shots} to enroll leave {n - shots} of {queries} to ask about: {add}"


def readable(pictures: Sequence[Picture], root: Path) -> tuple[list[Picture], list[str]]:
    """Pictures whose files can be read, and what is wrong with the others, in words.

    Args:
        pictures: their paths are relative to ``root``.
        root: folder of the set.
    """
    good, problems = [], []
    for picture in pictures:
        try:
            read_picture(root / picture.path)
            good.append(picture)
        except FewshotError as error:
            problems.append(str(error))
    return good, problems


def without_copies(pictures: Sequence[Picture], root: Path) -> tuple[list[Picture], list[Picture]]:
    """Pictures, and those among them that are copies: the very bytes of an earlier picture of the same person.

    Published sets have them (nine in Yale's, one under two labels in CFEE): a copy of what is enrolled is no question.

    Args:
        pictures: their paths are relative to ``root``.
        root: folder of the set.
    """
    seen: set[tuple[str, str]] = set()
    kept: list[Picture] = []
    copies: list[Picture] = []
    for picture, content in zip(pictures, file_hashes(root / picture.path for picture in pictures), strict=True):
        (copies if (picture.student, content) in seen else kept).append(picture)
        seen.add((picture.student, content))
    return kept, copies


def _counted(name: str, counts: dict[str, int]) -> dict[str, str]:
    cells = {emotion or "(none said)": str(n or "") for emotion, n in counts.items()}
    return {"subject": name, **cells, "in all": str(sum(counts.values()))}
