"""Divides a set of pictures into training, validation and test, by subject where subjects are known."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from fewshot.errors import UsageError
from fewshot.research.datasets.subjects import Picture

HELD_OUT = 0.15
"""Share of the subjects (of the pictures where no subject is known) in validation, and the same in test."""


def divided(pictures: Sequence[Picture], seed: int = 0, by_subject: bool = True) -> list[Picture]:
    """The pictures with a part each: "train", "val" or "test". Parts that the set itself names stay.

    A subject is in one part only. Pictures without a subject are divided emotion by emotion. Two subjects make training
    and validation, and no test. A set that names a test but no validation gets its validation from the training part.

    Args:
        pictures: in any order; their order stays.
        seed: of the draw; the same seed gives the same parts.
        by_subject: False divides as if no subject were known.

    Raises:
        UsageError: there are fewer than two pictures, or all are of one subject.
    """
    if len(pictures) < 2:
        raise UsageError(
            f"There is {len(pictures)} picture, and training and validation need one each. Add pictures, of two or "
            "more emotions."
        )
    free = [picture for picture in pictures if not picture.part]
    given = {picture.part for picture in pictures} - {""}
    if not free:
        # Whoever names parts but no validation leaves it to be drawn from what may be trained on.
        if "val" in given:
            return list(pictures)
        free = [picture for picture in pictures if picture.part == "train"]
    subjects = {picture.subject for picture in free if picture.subject} if by_subject else set()
    if len(subjects) == 1 and all(picture.subject for picture in free):
        raise UsageError(
            f"All pictures for training and validation are of one subject ({subjects.pop()}). A result would say "
            "nothing about other people. Add subjects; or set data.by_subject=false to divide the pictures of this one."
        )
    groups = _by_known_subject(free) if subjects else {}
    parts = _drawn(groups, seed, test="test" not in given)
    loose = [picture for picture in free if not subjects or not picture.subject]
    for emotion in sorted({picture.emotion for picture in loose}):
        single = {picture.path: [picture] for picture in loose if picture.emotion == emotion}
        parts |= _drawn(single, seed, test="test" not in given)
    drawn = {id(picture) for picture in free}
    return [replace(picture, part=parts[_key(picture, bool(subjects))]) if id(picture) in drawn else picture
            for picture in pictures]  # fmt: skip


def classes_of(pictures: Iterable[Picture], least: int = 2) -> tuple[list[str], list[str]]:
    """The words that can be trained, and those with too few pictures in training, both by name.

    Args:
        pictures: divided.
        least: pictures of a class in training.
    """
    counts: Counter[str] = Counter()
    for picture in pictures:
        counts[picture.emotion] += picture.part == "train"
    able = sorted(word for word, count in counts.items() if count >= least)
    return able, sorted(word for word in counts if word not in able)


def _key(picture: Picture, by_subject: bool) -> str:
    return picture.student if by_subject and picture.subject else picture.path


def _by_known_subject(pictures: Iterable[Picture]) -> dict[str, list[Picture]]:
    groups: dict[str, list[Picture]] = defaultdict(list)
    for picture in pictures:
        if picture.subject:
            groups[picture.student].append(picture)
    return groups


def _drawn(groups: dict[str, list[Picture]], seed: int, test: bool) -> dict[str, str]:
    """Part of every group; a single one is for training."""
    names = sorted(groups)
    order = [names[place] for place in np.random.default_rng(seed).permutation(len(names))]
    held_out = max(1, round(HELD_OUT * len(names)))
    n_val = held_out if len(names) > 1 else 0
    n_test = held_out if test and len(names) > 2 else 0
    return {
        name: "val" if place < n_val else "test" if place < n_val + n_test else "train"
        for place, name in enumerate(order)
    }
