from __future__ import annotations

from pathlib import Path

import pytest

from fewshot.errors import UsageError
from fewshot.research.datasets.counts import Shortage, count_table, emotions_of, enough, readable, without_copies
from fewshot.research.datasets.subjects import Picture
from tests.drawn_faces import draw_photo


def pictures(**counts: int) -> list[Picture]:
    """``asha_happy=2`` gives two happy pictures of asha."""
    found = []
    for key, count in counts.items():
        subject, emotion = key.split("_")
        found += [Picture("own", f"{subject}/{emotion}/{n}.jpg", subject, emotion) for n in range(count)]
    return found


def test_nothing() -> None:
    assert count_table([]) == []
    assert enough([], 1) == ({}, [])
    assert readable([], Path()) == ([], [])
    assert without_copies([], Path()) == ([], [])


def test_a_table_of_counts() -> None:
    shown = pictures(asha_confused=1, asha_neutral=2, bo_happy=3)
    assert emotions_of(shown) == ["happy", "neutral", "confused"]
    assert count_table(shown) == [
        {"subject": "own_asha", "happy": "", "neutral": "2", "confused": "1", "in all": "3"},
        {"subject": "own_bo", "happy": "3", "neutral": "", "confused": "", "in all": "3"},
        {"subject": "all 2", "happy": "3", "neutral": "2", "confused": "1", "in all": "6"},
    ]
    assert count_table([Picture("lfw", "a.jpg", "a", "")])[0]["(none said)"] == "1"


@pytest.mark.parametrize(
    ("n", "shots", "queries", "why"),
    [
        (0, 1, 1, "none, so they cannot be enrolled or asked about"),
        (0, 0, 1, "none, so they cannot be enrolled or asked about"),
        (0, 0, 0, None),
        (1, 1, 1, "1 to enroll leave 0 of 1 to ask about: add 1"),
        (1, 2, 1, "2 are needed to enroll and 1 to ask about: add 2"),
        (3, 2, 2, "2 to enroll leave 1 of 2 to ask about: add 1"),
        (2, 1, 1, None),
        (1, 0, 1, None),
        (2, 2, 0, None),
    ],
)
def test_what_is_short_is_said(n: int, shots: int, queries: int, why: str | None) -> None:
    kept, short = enough(pictures(bo_happy=9, bo_neutral=9, asha_happy=n, asha_neutral=9), shots, queries)
    assert len(kept["own_asha"].get("happy", [])) == (n if why is None else 0)
    assert len(kept["own_bo"]["happy"]) == len(kept["own_asha"]["neutral"]) == 9
    assert short == ([] if why is None else [Shortage("own_asha", "happy", n, why)])


def test_all_that_is_missing_is_one_row_and_a_state_of_ones_own_is_nobody_elses() -> None:
    shown = pictures(asha_confused=3, asha_happy=3, asha_sad=3, asha_neutral=3, bo_happy=3, cem_proud=1)
    shown.append(Picture("other", "x.jpg", "x", "fear"))
    _, short = enough(shown, 2)
    assert [(shortage.student, shortage.emotion, shortage.pictures) for shortage in short] == [
        ("own_bo", "sad, neutral", 0),
        ("own_cem", "proud", 1),
        ("own_cem", "happy, sad, neutral", 0),
        ("other_x", "fear", 1),
    ]
    assert short[1].row() == {
        "subject": "own_cem",
        "emotion": "proud",
        "pictures": "1",
        "why": "2 are needed to enroll and 1 to ask about: add 2",
    }


def test_broken_files_are_named_and_left_out(tmp_path: Path) -> None:
    shown = pictures(asha_happy=3)
    draw_photo(tmp_path / shown[0].path, {0: 100})
    (tmp_path / shown[1].path).write_bytes(b"no picture")
    good, problems = readable(shown, tmp_path)
    assert good == shown[:1]
    assert [problem.split()[0].rpartition("/")[2] for problem in problems] == ["1.jpg", "There"]
    assert "is not a picture" in problems[0]
    assert "2.jpg" in problems[1]


def test_copies_are_found_within_a_person(tmp_path: Path) -> None:
    shown = pictures(asha_happy=1, asha_sad=1, asha_neutral=1, bo_happy=1)
    for picture, content in zip(shown, (b"a", b"b", b"a", b"a"), strict=True):
        (tmp_path / picture.path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / picture.path).write_bytes(content)
    assert without_copies(shown, tmp_path) == ([shown[0], shown[1], shown[3]], [shown[2]])
    (tmp_path / shown[1].path).unlink()
    with pytest.raises(UsageError, match=r"No file .*asha/sad/0\.jpg, which is listed"):
        without_copies(shown, tmp_path)
