"""How often the report and the pace hint speak of something in lessons in which nothing happened, and how often they
find what was planted.

    python experiments/false_alarms.py [--lessons 200] [--out experiments/results/false_alarms.md]

Lessons are made up (``fewshot.research.simulation.made_lessons``): students with habits of their own, in bouts,
independently of each other. Real classes are not independent (somebody laughs, others follow): there, more is found,
and rightly.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from fewshot.research.simulation.made_lessons import Planted, make_lesson
from fewshot.session.analysis.checkin import check_ins
from fewshot.session.analysis.grid import make_grid
from fewshot.session.analysis.moments import find_moments
from fewshot.session.analysis.pace import pace_hint
from fewshot.session.analysis.profile import make_profile
from fewshot.session.analysis.words import percent, wilson
from fewshot.session.lesson import Lesson

CLASSES = ((49, 2700), (25, 2700), (12, 2700))
SHARE = 0.3
"""Of the students who are confused for three minutes where something is planted."""


def measure(students: int, seconds: int, lessons: int) -> list[str]:
    """A row of the table: shares of lessons with a moment, a hint, what was planted found; names per lesson."""
    moments = hints = found = hinted = 0
    for seed in range(lessons):
        quiet = make_lesson(students, seconds, seed)
        moments += bool(find_moments(make_grid(quiet), shuffles=200, seed=seed).found)
        hints += _hints(quiet, range(480, seconds, 15))
        start = 600 + 10 * (seed % 150)
        loud = make_lesson(students, seconds, seed + 10_000, [Planted(start, 180, "confused", SHARE)])
        told = find_moments(make_grid(loud), shuffles=200, seed=seed).found
        found += any(m.state == "confused" and m.start < start + 180 and m.end > start for m in told)
        hinted += _hints(loud, range(start + 60, start + 240, 15), "confused")
    return [f"{students} x {seconds // 60} min", *(_share(n, lessons) for n in (moments, hints, found, hinted))]


FRESH = 5000
"""Seeds from here on: those below 60 chose a limit of the check-in list, and would flatter it."""


def names(students: int, terms: int, before: int) -> str:
    """Check-in lists of usual lessons: how many have a name, and how many names."""
    count = lists = 0
    for term in range(terms):
        profiles = [make_profile(make_lesson(students, 2400, FRESH + term, number=n)) for n in range(1, before + 2)]
        named = {line.student for line in check_ins(profiles[-1], profiles[:-1]).found}
        count, lists = count + len(named), lists + bool(named)
    return f"{count} names on {lists} of {terms} lists for {students} students with {before} earlier lessons each"


def _hints(lesson: Lesson, times: range, state: str | None = None) -> bool:
    watch = None if state is None else [state]
    return any(pace_hint(lesson.readings, now, lesson.labels, watch=watch) is not None for now in times)


def _share(count: int, of: int) -> str:
    low, high = wilson(np.array([count / of]), np.array([float(of)]))
    return f"{100 * count / of:.1f} % ({100 * low[0]:.1f}-{100 * high[0]:.1f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lessons", type=int, default=200)
    parser.add_argument("--out", type=Path, default=Path("experiments/results/false_alarms.md"))
    arguments = parser.parse_args()
    head = ["class", "a moment, nothing planted", "a hint, nothing planted", "planted moment found", "hint on it"]
    rows = [measure(students, seconds, arguments.lessons) for students, seconds in CLASSES]
    lists = [names(25, max(10, 3 * arguments.lessons // 5), before) for before in (3, 8)]
    lines = [
        "# False alarms of the report",
        "",
        f"`python experiments/false_alarms.py --lessons {arguments.lessons}`: {arguments.lessons} made-up lessons a "
        f"cell (95 % in brackets). Moments are made for 5 % of the lessons, hints for 5 % of the hours. Planted: "
        f"{percent(SHARE)} of the students are confused for three minutes. Hints are asked for every 15 seconds.",
        "",
        "| " + " | ".join(head) + " |",
        "|---" * len(head) + "|",
        *("| " + " | ".join(row) + " |" for row in rows),
        "",
        "Check-in lists of lessons in which everybody is as usual: " + "; ".join(lists) + ".",
        "",
    ]
    arguments.out.write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
