"""The sentence on top of Live: what it says of a lesson, when it keeps silent and says why, and whom it names."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fewshot.research.simulation.made_lessons import FLAT, LABELS, Planted, make_lesson
from fewshot.session.analysis.findings import Findings, look
from fewshot.session.analysis.flat import Flat, flat_hint
from fewshot.session.analysis.glance import HOLD, MARK, Attention, Glance
from fewshot.session.analysis.pace import Hint
from fewshot.session.analysis.unlike import Unlike
from fewshot.session.lesson import UNSURE, Lesson

NAMES = ("Ana", "Ben", "Cleo", "Dana", "Emil", "Finn", "Gita", "Hugo", "Ines", "Jonas")


def hard(second: int = 600, chance: float = 0.001) -> Hint:
    return Hint("sad", second - 180, second, 0.29, 0.06, 49, chance)


def flat(second: int = 600, chance: float = 0.001) -> Flat:
    return Flat(second - 180, second, 0.5, 0.2, 0.2, 0.1, 20, chance)


def unlike(name: str, second: int = 600) -> Unlike:
    return Unlike(name, "sad", 0.8, 0.1, second - 180, 0.01)


def found(second: int = 600, **what: object) -> Findings:
    return Findings(second, NAMES, 49, **what)  # type: ignore[arg-type]


def glance_of(lesson: Lesson, now: int, **settings: object) -> Glance:
    attention = Attention()
    attention.take(look(lesson.readings, now, lesson.labels, lesson.students, **settings))  # type: ignore[arg-type]
    return attention.glance(len(lesson.students), False, now)


def test_too_fast_is_one_sentence_with_the_teachers_marker_and_the_numbers_of_the_panel() -> None:
    attention = Attention()
    attention.take(found(hint=hard()))
    shown = attention.glance(49, False, 600, [(100.0, "Welcome"), (440.0, "Exercise 2"), (600.0, f"{MARK}x")])
    assert shown.sentence == "Since Exercise 2 (7:20) 14 of 49 look sad, 3 usually: harder than it seemed?"
    assert attention.glance(49, False, 600).sentence.startswith("In the last 3 minutes 14 of 49 look sad")
    assert (
        shown.event is not None and "29 % of 49" in shown.event.text and any("How sure" in line for line in shown.why)
    )


def test_too_slow_is_the_other_direction_and_the_surer_one_speaks() -> None:
    attention = Attention()
    attention.take(found(flat=flat(), hint=hard(chance=0.04)))
    shown = attention.glance(49, False, 600)
    assert shown.sentence.startswith("In the last 3 minutes 10 of 20 are still or turned away, 4 usually: too slow")
    attention.take(found(605, flat=flat(605, 0.04), hint=hard(605, 0.0001)))
    assert isinstance(attention.glance(49, False, 605).event, Flat)  # it does not change its mind every few seconds


def test_an_event_is_marked_once_held_and_then_over() -> None:
    attention = Attention()
    marks = [attention.take(found(second, hint=hard(second))) for second in range(600, 640, 5)]
    assert marks == [f"{MARK}14 of 49 look sad, fewer than 5 usually", *[None] * 7]
    assert attention.take(found(640)) is None and attention.glance(49, False, 640).event is not None
    assert attention.take(found(645, hint=hard(645))) is None  # a gap of seconds is the same event
    attention.take(found(646 + HOLD))
    assert attention.glance(49, False, 646 + HOLD).sentence == "Nothing unusual in the last 3 minutes."
    assert attention.take(found(900, hint=hard(900))) is not None  # a new one


def test_the_same_minutes_are_marked_once_also_if_nobody_looked_at_some_of_them() -> None:
    attention = Attention()
    assert attention.take(found(hint=hard())) is not None
    assert attention.take(found(660, hint=hard(660))) is None  # "+1 min", or no page was open for a minute
    shown = attention.glance(49, False, 660, [(430.0, "Exercise 2")])
    assert shown.sentence.startswith("Since Exercise 2 (7:10) 14 of 49 look sad")  # it began then
    attention.take(found(665, reason="Pace: cannot be judged now, because most readings are unsure."))
    assert attention.take(found(700, hint=hard(700))) is None
    attention.take(found(701 + HOLD))
    assert attention.take(found(800, hint=hard(800), flat=flat(800, 0.04))) is None  # over, and found again
    assert attention.take(found(990, flat=flat(990))) is not None  # another kind
    attention.take(found(991 + HOLD))
    assert attention.take(found(1100, hint=hard(1100))) is not None  # of other minutes than the one before
    attention.take(found(20))
    assert attention.take(found(500, hint=hard(500))) is not None  # the clock began again


def test_a_lesson_that_is_resumed_or_starts_again_has_no_old_event() -> None:
    attention = Attention()
    attention.take(found(hint=hard(), unlike=(unlike("Ben"),)))
    for second in (2400, 20):  # an hour later, or a clock that begins again
        attention.take(found(second))
        shown = attention.glance(49, False, 2400)
        assert shown.event is None and shown.asks == "" and shown.attention == ()


def test_at_most_three_names_in_the_order_of_the_class() -> None:
    attention = Attention()
    attention.take(found(unlike=(unlike("Jonas"),)))
    attention.take(found(605, unlike=tuple(unlike(name, 605) for name in ("Ben", "Cleo", "Dana", "Jonas"))))
    shown = attention.glance(10, False, 605)
    assert shown.asks == "Perhaps ask: Ben, Cleo, Jonas and 1 more (unlike their own usual since 7:00)"
    assert shown.attention == ("Ben", "Cleo", "Dana", "Jonas")
    assert [line.split(":")[0] for line in shown.why[1:]] == ["Ben", "Cleo", "Dana", "Jonas"]


def test_who_may_no_longer_be_named_is_gone_at_once_everywhere() -> None:
    attention = Attention()
    attention.take(found(unlike=(unlike("Ben"), unlike("Jonas"))))
    shown = attention.glance(10, False, 600, named=lambda name: name != "Ben")
    assert "Ben" not in f"{shown}" and "Jonas" in shown.asks
    assert attention.glance(10, False, 600, named=lambda _name: False).asks == ""


def test_the_whole_class_only_has_no_names_and_nothing_below_five() -> None:
    attention = Attention()
    attention.take(found(hint=hard(), unlike=(unlike("Ben"),)))
    shown = attention.glance(49, False, 600, [(430.0, "Ben explains")], whole=True)
    assert "Ben" not in f"{shown}" and shown.asks == "" and shown.attention == ()
    assert shown.sentence.startswith("In the last 3 minutes 14 of 49 look sad, fewer than 5 usually")
    attention = Attention()
    attention.take(found(hint=replace(hard(), students=12)))
    assert "fewer than 5 of 12 look sad" in attention.glance(12, False, 600, whole=True).sentence


@pytest.mark.parametrize(
    ("students", "aggregate", "said"),
    [(0, False, "without a class"), (1, False, "with 1 student"), (5, False, "5 students"), (30, True, "only counts")],
)
def test_what_cannot_be_judged_is_said_and_never_called_usual(students: int, aggregate: bool, said: str) -> None:
    shown = Attention().glance(students, aggregate, 900)
    assert said in shown.sentence and not shown.judged and "unusual" not in shown.sentence.replace("own usual", "")


@pytest.mark.parametrize("students", [1, 5])
def test_in_a_small_class_a_student_is_named_although_the_pace_is_not_judged(students: int) -> None:
    who = make_lesson(students, 10, absent=False).students[0]
    lesson = make_lesson(students, 900, 4, [Planted(600, 240, "fear", 0, who)], absent=False)
    shown = glance_of(lesson, 830, watch=["fear"])
    assert "cannot be judged" in shown.sentence and shown.attention == (who,) and f"{who}: fear" in "".join(shown.why)


def test_everybody_unsure_is_said() -> None:
    lesson = make_lesson(20, 900, 4, absent=False)
    rows = lesson.readings
    emotion = np.where((rows.second >= 650) & (rows.emotion >= 0), UNSURE, rows.emotion).astype(np.int32)
    shown = glance_of(replace(lesson, readings=replace(rows, emotion=emotion)), 850)
    assert "unsure" in shown.sentence and not shown.judged and shown.event is None and shown.asks == ""


@pytest.mark.parametrize("seed", range(3))
def test_both_directions_are_found_in_a_lesson_and_nothing_in_a_calm_one(seed: int) -> None:
    calm = make_lesson(25, 900, seed)
    loud = make_lesson(25, 900, seed, [Planted(600, 240, "confused", 0.7)])
    slow = make_lesson(25, 900, seed, [Planted(600, 240, FLAT, 0.7)])
    assert glance_of(calm, 830).event is None
    assert "look confused" in glance_of(loud, 830).sentence and "still or turned away" in glance_of(slow, 830).sentence


def test_neutral_faces_alone_or_turned_heads_alone_are_not_too_slow() -> None:
    lesson = make_lesson(25, 900, 1, [Planted(600, 240, "neutral", 0.9)])
    assert flat_hint(lesson.readings, 830, LABELS) is None
    away = make_lesson(25, 900, 1)
    keep = (away.readings.second < 650) | (away.readings.second % 3 > 0) | (away.readings.student % 2 > 0)
    part = {name: getattr(away.readings, name)[keep] for name in away.readings.__dataclass_fields__}
    assert flat_hint(type(away.readings)(**part), 830, LABELS) is None


def test_only_states_that_can_be_relied_on_are_used_and_the_rest_is_said() -> None:
    loud = make_lesson(25, 900, 2, [Planted(600, 240, "confused", 0.7)])
    shown = glance_of(loud, 830, watch=["angry"])
    assert shown.event is None and any("only angry" in line for line in shown.why)
    slow = make_lesson(25, 900, 2, [Planted(600, 240, FLAT, 0.7)])
    shown = glance_of(slow, 830, watch=["angry"], neutral=False)
    assert shown.event is None and any("Too slow cannot be judged" in line for line in shown.why)
    shown = glance_of(slow, 830, watch=[], neutral=False)
    assert "no expression can be relied on" in shown.sentence and not shown.judged


def test_an_empty_lesson_says_nothing_wrong() -> None:
    for lesson in (make_lesson(0, 0), make_lesson(30, 900, counts_only=True)):
        assert not glance_of(lesson, 900).judged
