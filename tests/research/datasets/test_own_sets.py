"""Sets of one's own as people have them: without subjects, in parts, with names like those of published sets."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from fewshot.errors import UsageError
from fewshot.research.datasets.forms import load_pictures
from fewshot.research.datasets.subjects import Picture


def drawn(folder: Path, *names: str) -> Path:
    for number, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        ok, data = cv2.imencode(path.suffix, np.full((8, 8, 3), number + 1, np.uint8))
        assert ok
        path.write_bytes(data.tobytes())
    return folder


def told(folder: Path) -> list[tuple[str, str, str]]:
    return [(picture.subject, picture.emotion, picture.part) for picture in load_pictures(folder)]


def test_folders_of_emotions_without_subjects(tmp_path: Path) -> None:
    drawn(tmp_path, "Happiness/1.png", "confused/a.png", "sad/deeper/b.png")
    assert load_pictures(tmp_path) == [
        Picture("own", "Happiness/1.png", "", "happy"),
        Picture("own", "confused/a.png", "", "confused"),
        Picture("own", "sad/deeper/b.png", "", "sad"),
    ]


def test_a_set_that_is_divided_already(tmp_path: Path) -> None:
    drawn(tmp_path / "a", "train/asha/happy/1.png", "test/bo/sad/1.png", "Validation/cem/angry/1.png")
    assert told(tmp_path / "a") == [("cem", "angry", "val"), ("bo", "sad", "test"), ("asha", "happy", "train")]
    drawn(tmp_path / "b", "train/happy/1.png", "test/sad/1.png")
    assert told(tmp_path / "b") == [("", "sad", "test"), ("", "happy", "train")]
    # A student called Dev is not a part.
    drawn(tmp_path / "c", "Dev/happy/1.png", "asha/sad/1.png")
    assert told(tmp_path / "c") == [("Dev", "happy", ""), ("asha", "sad", "")]


@pytest.mark.parametrize(
    "names",
    [
        ["asha/happy/KA.HA1.1.jpg", "bo/sad/KA.SA1.2.jpg"],
        ["asha/happy/KA.HA1.1.jpg", "asha/sad/KA.SA1.2.jpg"],
        ["asha/happy/AB.HA1.1.jpg", "bo/sad/CD.SA1.2.jpg"],
        ["train/asha/happy/KA.HA1.1.jpg", "train/bo/sad/KA.SA1.2.jpg", "test/cem/sad/KM.SA1.2.jpg"],
        ["asha/happy/subject01.wink.png", "bo/sad/subject02.sad.png"],
        ["asha/happy/S010_004_00000017.png", "bo/sad/S010_005_00000017.png"],
    ],
)
def test_own_folders_with_names_like_published_ones(tmp_path: Path, names: list[str]) -> None:
    pictures = load_pictures(drawn(tmp_path, *names))
    assert {picture.dataset for picture in pictures} == {"own"}
    assert {picture.subject for picture in pictures} <= {"asha", "bo", "cem"} and len(pictures) == len(names)


def test_folders_of_emotions_with_names_like_published_ones(tmp_path: Path) -> None:
    pictures = load_pictures(drawn(tmp_path / "a", "happy/happy_0001.jpg", "confused/confused_0001.jpg"))
    assert [picture.emotion for picture in pictures] == ["confused", "happy"]
    pictures = load_pictures(drawn(tmp_path / "b", "happy/AB.HA1.1.jpg", "sad/AB.SA1.1.jpg"))
    assert {picture.dataset for picture in pictures} == {"own"}


def test_published_sets_are_still_known(tmp_path: Path) -> None:
    drawn(tmp_path / "a", "jaffe/happy/KA.HA1.29.png", "jaffe/sad/KL.SA1.2.png")
    drawn(tmp_path / "b", "anger/S010_004_00000017.png", "happy/S011_004_00000017.png")
    drawn(tmp_path / "c", "Ann_Smith/Ann_Smith_0001.jpg")
    datasets = [load_pictures(tmp_path / name)[0].dataset for name in "abc"]
    assert datasets == ["jaffe", "ckplus", "lfw"]


def test_one_name_that_cannot_be_used_costs_only_itself(tmp_path: Path) -> None:
    drawn(tmp_path, "asha/happy/1.png", "asha/unsure/2.png", "-bo/sad/3.png", "cem/sad/4.png")
    with pytest.raises(UsageError, match="cannot be the name"):
        load_pictures(tmp_path)
    problems: list[str] = []
    assert [p.path for p in load_pictures(tmp_path, on_problem=problems.append)] == [
        "asha/happy/1.png",
        "cem/sad/4.png",
    ]
    assert len(problems) == 2 and "'-bo'" in problems[0] and "'unsure'" in problems[1]


def test_a_set_in_which_no_name_can_be_used(tmp_path: Path) -> None:
    drawn(tmp_path, "-bo/sad/3.png", "-cem/sad/4.png")
    with pytest.raises(UsageError, match=r"No picture in .* can be used.*'-bo'"):
        load_pictures(tmp_path, on_problem=lambda problem: None)


def test_a_csv_without_subjects_and_with_parts(tmp_path: Path) -> None:
    table = tmp_path / "mine.csv"
    table.write_text("path,emotion,split\na.jpg,Joy,training\nb.jpg,proud,\nc.jpg,sad,Test\n", encoding="utf-8")
    assert load_pictures(table) == [
        Picture("own", "a.jpg", "", "happy", part="train"),
        Picture("own", "b.jpg", "", "proud"),
        Picture("own", "c.jpg", "", "sad", part="test"),
    ]


def test_lines_of_a_csv_that_cannot_be_used(tmp_path: Path) -> None:
    table = tmp_path / "mine.csv"
    lines = ["a.jpg,asha,happy,train", "b.jpg,,sad,", "c.jpg,bo,unsure,", "d.jpg,bo,sad,holdout", "e.jpg,bo,sad,"]
    table.write_text("\n".join(["path,subject,emotion,split", *lines]), encoding="utf-8")
    problems: list[str] = []
    assert [picture.path for picture in load_pictures(table, on_problem=problems.append)] == ["a.jpg", "e.jpg"]
    assert [problem.partition(" of ")[0] for problem in problems] == [f"Left out: Line {n}" for n in (3, 4, 5)]
    with pytest.raises(UsageError, match="Line 3"):
        load_pictures(table)
    table.write_text("path,subject\na.jpg,asha\n", encoding="utf-8")
    with pytest.raises(UsageError, match="no column emotion"):
        load_pictures(table, on_problem=problems.append)
