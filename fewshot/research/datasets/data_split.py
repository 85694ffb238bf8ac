"""Who is used for what: which pictures train, which choose, which test. ``experiments/data_use.json`` says it.

A set of pictures is told by a sha256 over the sorted sha256 of its pictures: of the 48x48 pixels where they come from
FER2013, whose published forms have no common files or order, and of the files everywhere else.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from fewshot.errors import UsageError
from fewshot.research.datasets.fer2013 import Fer2013
from fewshot.research.datasets.hashes import pixel_hashes

Role = Literal["train", "train identity", "choose", "test", "unused"]
ROLES: tuple[str, ...] = get_args(Role)

_SHORT = 16
"""Hexadecimal digits by which a single picture is listed: enough to tell 35,887 apart."""


@dataclass(frozen=True, slots=True)
class PictureSet:
    """Pictures with one role.

    Attributes:
        name: key of the set.
        role: what they are used for.
        dataset, split: where they come from.
        pictures: how many.
        of: how many the split has before anything is left out.
        rule: which of the split's pictures, in words.
        sha256: over the sorted hashes of the pictures.
    """

    name: str
    role: Role
    dataset: str
    split: str
    pictures: int
    of: int
    rule: str
    sha256: str


@dataclass(frozen=True)
class DataUse:
    """The file.

    Attributes:
        sets: every set of pictures.
        excluded: FER2013's pictures that may be used for nothing, by "Training" and "PublicTest": the first digits of
            the sha256 of their pixels.
    """

    sets: tuple[PictureSet, ...]
    excluded: dict[str, frozenset[str]]

    def __getitem__(self, name: str) -> PictureSet:
        found = {picture_set.name: picture_set for picture_set in self.sets}
        if name not in found:
            raise UsageError(f"No set of pictures {name!r}. Use one of {', '.join(found)}.")
        return found[name]

    def excluded_rows(self, fer: Fer2013, hashes: list[str] | None = None) -> NDArray[np.bool_]:
        """FER2013's rows that may be used for nothing, in the order of ``fer``, shape (n,).

        Args:
            fer: in any form and order.
            hashes: ``pixel_hashes(fer.faces)`` if they are known.
        """
        words = [self.excluded.get(split, frozenset()) for split in ("Training", "PublicTest", "PrivateTest")]
        known = pixel_hashes(fer.faces) if hashes is None else hashes
        return np.array([name[:_SHORT] in words[use] for name, use in zip(known, fer.usage, strict=True)], bool)


def read_use(path: Path) -> DataUse:
    """Read ``experiments/data_use.json``.

    Raises:
        UsageError: there is no such file, or it is not one of these.
    """
    if not path.is_file():
        raise UsageError(f"No {path}. Write it with: python experiments/data_use.py")
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        sets = tuple(PictureSet(**entry) for entry in raw["sets"])
        excluded = {split: frozenset(words.split()) for split, words in raw["fer2013_excluded"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path} is no file of data use ({error}). Write it with experiments/data_use.py") from error
    wrong = [entry.name for entry in sets if entry.role not in ROLES]
    if wrong:
        raise UsageError(f"{path} gives {', '.join(wrong)} no role of {', '.join(ROLES)}.")
    return DataUse(sets, excluded)


def write_use(use: DataUse, path: Path) -> None:
    """Write what ``read_use`` reads; the same pictures give the same file."""
    excluded = {split: " ".join(sorted(words)) for split, words in sorted(use.excluded.items())}
    raw = {"version": 1, "sets": [asdict(entry) for entry in use.sets], "fer2013_excluded": excluded}
    path.write_text(json.dumps(raw, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def short_hashes(hashes: Iterable[str]) -> frozenset[str]:
    """As ``DataUse.excluded`` lists them."""
    return frozenset(name[:_SHORT] for name in hashes)
