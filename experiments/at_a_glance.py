"""How often the sentence on top of Live speaks without cause, how often it finds what was planted, and after how long.

    python experiments/at_a_glance.py [--lessons 40] [--out experiments/results/at_a_glance.md]

Lessons are made up (``fewshot.research.simulation.made_lessons``). In one set nothing is planted; in the others a share
of the class is confused, or still and turned away, for four minutes, or one student is confused. The limits were
chosen on seeds below ``FRESH``; the table uses others.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fewshot.research.simulation.made_lessons import FLAT, Planted, make_lesson
from fewshot.session.analysis.findings import Findings, look
from fewshot.session.analysis.flat import Flat
from fewshot.session.analysis.glance import Attention, Glance
from fewshot.session.analysis.words import percent, wilson
from fewshot.session.lesson import Lesson

CLASSES = (5, 12, 25, 49)
FRESH = 5000
START, LENGTH, QUIET = 600, 240, 1800
"""Seconds: when something begins, how long it lasts, and the length of a lesson in which nothing happens."""
EVERY = 15
"""Seconds between two looks; the app looks every five."""
JUDGED_FROM = 480


@dataclass(frozen=True, slots=True)
class Seen:
    """What the sentence said at one second of a lesson."""

    second: int
    glance: Glance


def follow(lesson: Lesson, seconds: range) -> list[Seen]:
    """The sentence as a teacher would have seen it, with everybody's names."""
    attention, seen = Attention(), []
    for now in seconds:
        found: Findings = look(lesson.readings, now, lesson.labels, lesson.students)
        attention.take(found)
        seen.append(Seen(now, attention.glance(len(lesson.students), False, now)))
    return seen


def quiet(students: int, lessons: int) -> list[str]:
    """False events and false names per hour of lesson in which nothing happens."""
    events = names = hours = 0.0
    for seed in range(FRESH, FRESH + lessons):
        seen = follow(make_lesson(students, QUIET, seed), range(JUDGED_FROM, QUIET, EVERY))
        hours += (QUIET - JUDGED_FROM) / 3600
        events += _begins([one.glance.event is not None for one in seen])
        everybody = {name for one in seen for name in one.glance.attention}
        names += sum(_begins([name in one.glance.attention for one in seen]) for name in everybody)
    return [f"{events / hours:.2f}", f"{names / hours:.2f}"]


def planted(students: int, lessons: int, state: str, share: float, one: bool = False) -> str:
    """How many planted events were found while they lasted, and the median delay of those."""
    delays = []
    for seed in range(FRESH, FRESH + lessons):
        who = make_lesson(students, 10, 1).students[seed % students] if one else ""
        event = Planted(START, LENGTH, state, share, who)
        lesson = make_lesson(students, START + LENGTH + 60, seed + 10_000, [event])
        for now in follow(lesson, range(START, START + LENGTH + 30, EVERY)):
            if (who in now.glance.attention) if one else _is(now.glance, state):
                delays.append(now.second - START)
                break
    found = len(delays) / lessons
    low, high = wilson(np.array([found]), np.array([float(lessons)]))
    after = f", after {np.median(delays):.0f} s" if delays else ""
    return f"{percent(found)} ({100 * low[0]:.0f}-{100 * high[0]:.0f}){after}"


def _is(glance: Glance, state: str) -> bool:
    event = glance.event
    return isinstance(event, Flat) if state == FLAT else event is not None and getattr(event, "state", "") == state


def _begins(shown: list[bool]) -> int:
    return sum(now and not before for before, now in zip([False, *shown], shown, strict=False))


def row(students: int, lessons: int) -> list[str]:
    """One row of the table."""
    hard = [planted(students, lessons, "confused", share) for share in (0.3, 0.5)]
    slow = [planted(students, lessons, FLAT, share) for share in (0.3, 0.5)]
    return [str(students), *quiet(students, lessons), *hard, *slow, planted(students, lessons, "confused", 0, one=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lessons", type=int, default=40)
    parser.add_argument("--classes", type=int, nargs="+", default=CLASSES)
    parser.add_argument("--out", type=Path, default=Path("experiments/results/at_a_glance.md"))
    arguments = parser.parse_args()
    head = [
        "students", "false events per hour", "false names per hour", "too fast, 30 %", "too fast, 50 %",
        "too slow, 30 %", "too slow, 50 %", "one student",
    ]  # fmt: skip
    lines = [
        "# The sentence on top of Live",
        "",
        f"`python experiments/at_a_glance.py --lessons {arguments.lessons}`: {arguments.lessons} made-up lessons per "
        f"cell. Planted for {LENGTH // 60} minutes: a share of the class is confused (too fast), or still and turned "
        "away (too slow), or one student is confused. A cell says how many were found while they lasted (95 % in "
        "brackets), and the median delay. Below eight students the pace is not judged, and the page says so. Made-up "
        "students are independent of each other and their readings are never wrong, so real classes will have more "
        "false events.",
        "",
        "| " + " | ".join(head) + " |",
        "|---" * len(head) + "|",
    ]
    for students in arguments.classes:
        lines.append("| " + " | ".join(row(students, arguments.lessons)) + " |")
        print(lines[-1], flush=True)
    arguments.out.write_text("\n".join([*lines, ""]), encoding="utf-8")


if __name__ == "__main__":
    main()
