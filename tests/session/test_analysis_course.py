"""Profiles, check-ins, courses and comparisons of lessons."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fewshot.research.simulation.made_lessons import make_lesson
from fewshot.session.analysis.checkin import check_ins
from fewshot.session.analysis.profile import Profile, make_profile
from fewshot.session.analysis.trends import class_trend, compare, student_trend


def profile(number: int, students: int = 20, seconds: int = 1500, **settings: object) -> Profile:
    return make_profile(make_lesson(students, seconds, number=number, **settings))


@pytest.fixture(scope="module")
def term() -> list[Profile]:
    return [profile(number) for number in range(1, 8)]


def test_a_profile_counts() -> None:
    empty = make_profile(make_lesson(0, 0))
    assert empty.share.shape == (0, 10) and empty.watched == 0
    made = profile(1)
    assert made.seconds.shape == made.error.shape == (20, 10)
    assert made.share.sum(axis=1) == pytest.approx(1)
    assert (made.readable <= made.in_view).all() and (made.in_view <= made.watched).all()


def test_not_enough_lessons_yet(term: list[Profile]) -> None:
    for earlier in ([], term[:2]):
        checks = check_ins(term[-1], earlier)
        assert checks.found == [] and checks.compared == 0 and checks.too_few == term[-1].students


def test_usual_lessons_give_no_names(term: list[Profile]) -> None:
    checks = check_ins(term[-1], term[:-1])
    assert checks.compared == 20 and checks.class_shift and len(checks.found) <= 1


def test_who_is_unlike_their_usual_is_named_with_evidence(term: list[Profile]) -> None:
    today = profile(9, unlike={"Fatima": {"sad": 0.6}})
    lines = {line.student: line for line in check_ins(today, term).found if line.state == "sad"}
    assert list(lines) == ["Fatima"]
    line = lines["Fatima"]
    assert line.share > line.highest >= line.usual >= line.lowest and line.lessons == 7
    assert "more sad than usual" in line.text and "in 7 earlier lessons" in line.text
    assert "very certain" not in line.sure.replace("not very certain", "")


def test_what_all_do_is_nobodys_own(term: list[Profile]) -> None:
    everybody = {name: {"sad": 0.5} for name in term[0].students}
    checks = check_ins(profile(9, unlike=everybody), term)
    assert len([line for line in checks.found if line.state == "sad"]) <= 1


def test_names_stand_in_order_of_names(term: list[Profile]) -> None:
    unlike = {"Hana": {"sad": 0.5}, "Bela": {"angry": 0.8}, "Kofi": {"sad": 0.7}}
    names = [line.student for line in check_ins(profile(9, unlike=unlike), term).found]
    assert names == sorted(names) and {"Bela", "Hana", "Kofi"} <= set(names)


def test_lessons_of_another_network_are_left_out(term: list[Profile]) -> None:
    other = [replace(p, info=replace(p.info, network="another")) for p in term]
    checks = check_ins(profile(9), [*term[:2], *other])
    assert checks.compared == 0 and checks.left_out == 7


def test_a_course_is_by_date_and_leaves_holes(term: list[Profile]) -> None:
    course = student_trend([term[2], term[0], profile(9, students=3)], "Fatima")
    assert [lesson.id for lesson in course.lessons] == [1, 3]
    assert (course.low <= course.share).all() and (course.share <= course.high).all()
    assert student_trend(term, "nobody").lessons == []
    whole = class_trend([*term, profile(8, students=4)], minimum=5)
    assert np.isnan(whole.share[-1]).all() and np.isfinite(whole.share[:-1]).all()
    assert whole.basis.tolist() == [20] * 7 + [4]


def test_courses_know_states_that_came_later() -> None:
    old = profile(1, labels=("happy", "neutral"))
    course = class_trend([old, profile(2)])
    assert course.share[0, course.states.index("confused")] == 0 < course.share[1, course.states.index("confused")]
    assert course.states[-1] == "unsure"


def test_two_lessons_are_compared_over_who_was_in_both(term: list[Profile]) -> None:
    same = compare(term[0], term[1])
    assert same.students == 20 and ((same.low <= 0) & (same.high >= 0)).all()
    sad = profile(9, students=24, unlike={name: {"sad": 0.4} for name in term[0].students})
    changed = compare(term[0], sad)
    row = changed.states.index("sad")
    assert changed.students == 20 and changed.low[row] > 0.2
    assert np.isnan(compare(term[0], profile(9, students=4), minimum=5).change).all()
    assert not compare(term[0], replace(sad, info=replace(sad.info, network="another"))).same_network
