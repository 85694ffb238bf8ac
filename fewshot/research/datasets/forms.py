"""Pictures of known people in whichever form they lie in a folder: published sets, a table, or a folder of your own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from fewshot.errors import UsageError
from fewshot.research.datasets.ckplus import is_ckplus, read_ckplus
from fewshot.research.datasets.lfw import read_lfw
from fewshot.research.datasets.named import named_like, read_ckplus_by_emotion, read_jaffe, read_yale
from fewshot.research.datasets.own_folder import is_own_folder, read_own_csv, read_own_folder
from fewshot.research.datasets.subjects import Picture, read_subjects

TABLE = "subjects.csv"


@dataclass(frozen=True, slots=True)
class Form:
    """One way in which pictures of people are kept.

    Attributes:
        looks: whether a path (a folder, or the file of a table) seems to be it.
        read: all of its pictures.
        expected: what it looks like, for messages.
    """

    looks: Callable[[Path], bool]
    read: Callable[[Path], list[Picture]]
    expected: str


def _read_table(folder: Path) -> list[Picture]:
    return read_subjects(folder / TABLE, emotions=())


FORMS: Mapping[str, Form] = MappingProxyType(
    {
        "csv": Form(lambda path: path.suffix.lower() == ".csv", read_own_csv, "a csv with path,subject,emotion"),
        "table": Form(lambda path: (path / TABLE).is_file(), _read_table, TABLE),
        "ckplus": Form(is_ckplus, read_ckplus, "cohn-kanade-images/S005/001/S005_001_00000011.png and Emotion/"),
        "ckplus48": Form(
            lambda path: named_like("ckplus", path), read_ckplus_by_emotion, "anger/S010_004_00000017.png (CK+)"
        ),
        "jaffe": Form(lambda path: named_like("jaffe", path), read_jaffe, "KA.AN1.39.tiff (JAFFE)"),
        "yale": Form(lambda path: named_like("yale", path), read_yale, "subject01.happy (Yale)"),
        "lfw": Form(lambda path: bool(read_lfw(path)), read_lfw, "Name/Name_0001.jpg (LFW)"),
        "own": Form(is_own_folder, read_own_folder, "<subject>/<emotion>/*.jpg"),
    }
)
"""In the order in which "auto" tries them: what is most special first."""


def load_pictures(folder: Path | str, form: str = "auto") -> list[Picture]:
    """All pictures of a set, with who is on them and what they show.

    Args:
        folder: of the set, or the path of a csv.
        form: one of ``FORMS``, or "auto" for the first of them that fits.

    Returns:
        In the order of their paths, or of the table. Paths are relative to ``folder`` (of a csv: to its folder).

    Raises:
        UsageError: no such folder or form, nothing in it fits, or a file in it is damaged.
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
    pictures = chosen.read(folder)
    if not pictures:
        raise UsageError(f"{folder} lists no picture. Expected {chosen.expected}.")
    return pictures
