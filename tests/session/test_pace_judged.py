"""Why there is no hint on pace: "nothing unusual" is said only where something unusual could have been found."""

from __future__ import annotations

import pytest

from fewshot.research.simulation.made_lessons import make_lesson
from fewshot.session.analysis.pace import LEAST_STUDENTS, judged, why_not


@pytest.mark.parametrize(
    ("students", "aggregate", "second", "compared", "said"),
    [
        (30, True, 900.0, None, "only counts for the whole class"),
        (0, False, 900.0, None, "without a class"),
        (1, False, 900.0, None, "with 1 student."),
        (5, False, 10.0, None, "with 5 students."),  # waiting would not help
        (7, False, 900.0, 7, "with 7 students."),
        (8, False, 10.0, None, "after eight minutes"),
        (30, False, 900.0, 0, "0 students could be read long enough"),
        (30, False, 900.0, 7, "7 students could be read long enough"),
        (8, False, 900.0, 8, ""),
        (30, False, 900.0, None, ""),
    ],
)
def test_what_is_said_without_a_hint(
    students: int, aggregate: bool, second: float, compared: int | None, said: str
) -> None:
    words = why_not(students, aggregate, second, compared)
    assert (said in words) if said else words == ""
    assert "nothing unusual" not in words


@pytest.mark.parametrize("students", [0, 3, 12])
def test_how_many_students_can_be_compared(students: int) -> None:
    lesson = make_lesson(students, 900, 1, absent=False)
    assert judged(lesson.readings, 200, lesson.labels) is None
    assert judged(lesson.readings, 880, lesson.labels) == students
    assert judged(make_lesson(30, 900, counts_only=True).readings, 880, lesson.labels) == 0 < LEAST_STUDENTS
