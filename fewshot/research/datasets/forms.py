"""Pictures of known people in whichever form they lie in a folder: published sets, a table, or a folder of your own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from fewshot.classroom.names import basic_emotion
from fewshot.errors import UsageError
from fewshot.research.datasets.ckplus import is_ckplus, read_ckplus
from fewshot.research.datasets.lfw import read_lfw
from fewshot.research.datasets.named import named_like, read_ckplus_by_emotion, read_jaffe, read_yale
from fewshot.research.datasets.own_folder import (
    Problem,
    is_own_by_emotion,
    is_own_folder,
    read_own_by_emotion,
    read_own_csv,
    read_own_folder,
    sorted_by_own_words,
)
from fewshot.research.datasets.subjects import Picture, read_subjects

TABLE = "subjects.csv"


@dataclass(frozen=True, slots=True)
class Form:
    """One way in which pictures of people are kept.

    Attributes:
        looks: whether a path (a folder, or the file of a table) seems to be it.
        read: all of its pictures.
        expected: what it looks like, for messages.
        tolerant: whether ``read`` takes a second argument, which is told what was left out.
    """

    looks: Callable[[Path], bool]
    read: Callable[..., list[Picture]]
    expected: str
    tolerant: bool = False


def _named_as_published(dataset: str, read: Callable[[Path], list[Picture]]) -> Callable[[Path], bool]:
    """By the names of files, unless folders say it themselves: people's own files may have such names too."""

    def looks(path: Path) -> bool:
        if not named_like(dataset, path):
            return False
        # Copies of published sets may lie in folders of emotions in a folder of the set: one folder, several people.
        people = {picture.subject for picture in read(path)}
        return not sorted_by_own_words(path, least=2 if len(people) > 1 else 1)

    return looks


def _seems_lfw(folder: Path) -> bool:
    pictures = read_lfw(folder)
    # "happy/happy_0001.jpg" is the name of an emotion, not of a person.
    return bool(pictures) and not any(basic_emotion(picture.subject) for picture in pictures)


def _read_table(folder: Path) -> list[Picture]:
    return read_subjects(folder / TABLE, emotions=())


FORMS: Mapping[str, Form] = MappingProxyType(
    {
        "csv": Form(
            lambda path: path.suffix.lower() == ".csv", read_own_csv, "a csv with path,emotion[,subject]", tolerant=True
        ),
        "table": Form(lambda path: (path / TABLE).is_file(), _read_table, TABLE),
        "ckplus": Form(is_ckplus, read_ckplus, "cohn-kanade-images/S005/001/S005_001_00000011.png and Emotion/"),
        "ckplus48": Form(
            _named_as_published("ckplus", read_ckplus_by_emotion),
            read_ckplus_by_emotion,
            "anger/S010_004_00000017.png (CK+)",
        ),
        "jaffe": Form(_named_as_published("jaffe", read_jaffe), read_jaffe, "KA.AN1.39.tiff (JAFFE)"),
        "yale": Form(_named_as_published("yale", read_yale), read_yale, "subject01.happy (Yale)"),
        "lfw": Form(_seems_lfw, read_lfw, "Name/Name_0001.jpg (LFW)"),
        "own": Form(is_own_folder, read_own_folder, "<subject>/<emotion>/*.jpg", tolerant=True),
        "emotions": Form(is_own_by_emotion, read_own_by_emotion, "<emotion>/*.jpg", tolerant=True),
    }
)
"""In the order in which "auto" tries them: what is most special first."""


def load_pictures(folder: Path | str, form: str = "auto", on_problem: Problem | None = None) -> list[Picture]:
    """All pictures of a set, with who is on them and what they show.

    Args:
        folder: of the set, or the path of a csv.
        form: one of ``FORMS``, or "auto" for the first of them that fits.
        on_problem: of your own pictures, told what cannot be used, such as a folder whose name can be no emotion. The
            rest is read.

    Returns:
        In the order of their paths, or of the table. Paths are relative to ``folder`` (of a csv: to its folder).

    Raises:
        UsageError: no such folder or form, nothing in it fits, or a file in it is damaged; without ``on_problem`` also
            if one name cannot be used.
    """
    folder = Path(folder)
    if not folder.exists():
        raise UsageError(f"No folder {folder}. Give a folder of pictures, or a csv that lists them.")
    if form != "auto" and form not in FORMS:
        raise UsageError(f"Unknown form of data {form!r}. Use auto or one of {', '.join(FORMS)}.")
    tried = FORMS if form == "auto" else {form: FORMS[form]}
    chosen = next((candidate for candidate in tried.values() if candidate.looks(folder)), None)
    if chosen is None:
        known = "; ".join(f"{name}: {candidate.expected}" for name, candidate in tried.items())
        raise UsageError(f"No known form of data in {folder}. Expected one of these ({known}).")
    problems: list[str] = []
    pictures = chosen.read(folder, problems.append) if chosen.tolerant and on_problem else chosen.read(folder)
    if not pictures and problems:
        raise UsageError(f"No picture in {folder} can be used. {problems[0]}")
    if on_problem is not None:
        for problem in problems:
            on_problem(problem)
    if not pictures:
        raise UsageError(f"{folder} lists no picture. Expected {chosen.expected}.")
    return pictures
