"""Pictures of known people: one CSV table ``dataset,path,subject,emotion,session`` for all such datasets."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from fewshot.errors import UsageError
from fewshot.types import EMOTIONS

COLUMNS = ("dataset", "path", "subject", "emotion", "session")


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of one person.

    Attributes:
        dataset: short name of the dataset ("cfee").
        path: the file, relative to the folder of the table.
        subject: the person, unique within the dataset.
        emotion: one of the seven, or any other word of the dataset ("contempt", "compound:happily_surprised"); empty
            where it says none (LFW).
        session: which take, as the table has it.
        part: "train", "val" or "test" where the set itself says so, else "".
    """

    dataset: str
    path: str
    subject: str
    emotion: str
    session: str = ""
    part: str = ""

    @property
    def student(self) -> str:
        """Key of the person across datasets, fit for a folder name."""
        return f"{self.dataset}_{self.subject}"


def read_subjects(table: Path, datasets: Iterable[str] = (), emotions: Iterable[str] = EMOTIONS) -> list[Picture]:
    """Rows of ``subjects.csv`` in the order of the file.

    Args:
        table: the CSV file.
        datasets: keep only these; empty keeps all.
        emotions: keep only these; empty keeps all.

    Raises:
        UsageError: there is no such file, or it lacks a column.
    """
    if not table.is_file():
        raise UsageError(f"No table of pictures at {table}. It is a CSV file with the columns {','.join(COLUMNS)}.")
    with table.open(newline="", encoding="utf-8") as lines:
        reader = csv.DictReader(lines)
        missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
        if missing:
            raise UsageError(f"{table} has no column {', '.join(missing)}. It needs {','.join(COLUMNS)}.")
        pictures = [Picture(*(row[column] for column in COLUMNS)) for row in reader]
    wanted_sets, wanted_emotions = set(datasets), set(emotions)
    return [
        picture
        for picture in pictures
        if (not wanted_sets or picture.dataset in wanted_sets)
        and (not wanted_emotions or picture.emotion in wanted_emotions)
    ]


def by_student(pictures: Iterable[Picture]) -> dict[str, dict[str, list[Picture]]]:
    """student -> emotion -> pictures, every level in the order of the table."""
    grouped: dict[str, dict[str, list[Picture]]] = defaultdict(lambda: defaultdict(list))
    for picture in pictures:
        grouped[picture.student][picture.emotion].append(picture)
    return {student: dict(emotions) for student, emotions in grouped.items()}


def students_with_most_emotions(pictures: Iterable[Picture], count: int, required: str = "neutral") -> list[str]:
    """The ``count`` students that show most different emotions, among those with the required one.

    Ties keep the order of the table, so the choice is the same on every machine.

    Raises:
        UsageError: there are fewer such students.
    """
    grouped = by_student(pictures)
    able = [student for student, emotions in grouped.items() if required in emotions and len(emotions) > 1]
    if len(able) < count:
        raise UsageError(
            f"Only {len(able)} people have a {required} picture and another one, {count} were asked for. "
            "Use fewer tiles or another dataset."
        )
    return sorted(able, key=lambda student: -len(grouped[student]))[:count]
