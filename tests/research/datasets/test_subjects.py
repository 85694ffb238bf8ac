from __future__ import annotations

from pathlib import Path

import pytest

from fewshot.errors import UsageError
from fewshot.research.datasets.subjects import Picture, by_student, read_subjects, students_with_most_emotions

TABLE = """dataset,path,subject,emotion,session
cfee,cfee/1.jpg,7,neutral,
cfee,cfee/2.jpg,7,happy,
cfee,cfee/3.jpg,7,compound:happily_surprised,
jaffe,jaffe/KA.png,KA,sad,1
"""


def table(folder: Path, text: str = TABLE) -> Path:
    path = folder / "subjects.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_only_the_seven_emotions_unless_asked(tmp_path: Path) -> None:
    pictures = read_subjects(table(tmp_path))
    assert [picture.path for picture in pictures] == ["cfee/1.jpg", "cfee/2.jpg", "jaffe/KA.png"]
    assert pictures[0] == Picture("cfee", "cfee/1.jpg", "7", "neutral", "")
    assert pictures[2].student == "jaffe_KA"
    assert len(read_subjects(table(tmp_path), emotions=())) == 4
    assert len(read_subjects(table(tmp_path), datasets=["jaffe"])) == 1


def test_grouped_by_student() -> None:
    one, two = Picture("d", "1", "a", "happy"), Picture("d", "2", "a", "happy")
    assert by_student([one, two]) == {"d_a": {"happy": [one, two]}}


def test_a_table_that_is_not_there_or_lacks_a_column(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No table"):
        read_subjects(tmp_path / "none.csv")
    with pytest.raises(UsageError, match="no column session"):
        read_subjects(table(tmp_path, "dataset,path,subject,emotion\n"))


def test_students_with_most_emotions() -> None:
    rows = [("a", "neutral"), ("a", "sad"), ("b", "neutral"), ("c", "happy"), ("c", "sad"), ("d", "neutral")]
    rows += [("d", "sad"), ("d", "fear")]
    pictures = [Picture("x", f"{number}.png", *row) for number, row in enumerate(rows)]
    assert students_with_most_emotions(pictures, 2) == ["x_d", "x_a"]
    with pytest.raises(UsageError, match="Only 2 people"):
        students_with_most_emotions(pictures, 3)


def test_the_datasets_that_the_benchmark_uses(shared: Path) -> None:
    pictures = read_subjects(shared / "data/subjects.csv")
    cfee = by_student(picture for picture in pictures if picture.dataset == "cfee")
    chosen = students_with_most_emotions([p for p in pictures if p.dataset == "cfee"], 49)
    assert all("neutral" in cfee[student] and len(cfee[student]) >= 4 for student in chosen)
    assert len({picture.student for picture in pictures if picture.dataset == "jaffe"}) == 10
