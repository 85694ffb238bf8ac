"""Everything a report says, calculated once; HTML and PDF only lay it out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from fewshot.session.analysis.checkin import CheckIns, check_ins
from fewshot.session.analysis.grid import Grid, make_grid
from fewshot.session.analysis.moments import Moments, find_moments
from fewshot.session.analysis.mood import Mood, class_mood, window_for
from fewshot.session.analysis.profile import Profile, make_profile
from fewshot.session.analysis.students import Visibility, visibility
from fewshot.session.analysis.trends import Trend, class_trend
from fewshot.session.analysis.words import MINIMUM
from fewshot.session.lesson import EARLIER_LESSONS, CheckInAnswer, Correction, Lesson, LessonInfo, Marker
from fewshot.session.report.check_list import CheckItem, Recent, check_list, recent_findings
from fewshot.session.stored_words import marker_word
from fewshot.translation import later, tr

LEFT_OUT = later("(left out: it contains a student's name)")


@dataclass(frozen=True, eq=False)
class Contents:
    """The contents of a report, without everything that the whole-class view leaves out. What it says in words (why
    there is nothing, or no moments) is in the language of the reader for whom it was gathered.

    Attributes:
        grid, visible, profile, checks, corrections: None or empty in the whole-class view. Students who could be
            compared with their own earlier lessons come first, those furthest from their usual at the top.
        course: the trend of the class over this and earlier lessons; None with fewer than two lessons.
        nothing: why there is nothing to show ("fewer than 5 people"); "" if there is something.
        past: the earlier lessons that the report looks back on, newest first; empty in the whole-class view.
        recent: what the lists of the lessons before held; see ``check_list``.
        items: the check-in list.
        numbers: name -> number of the student, for addresses.
    """

    info: LessonInfo
    aggregate: bool
    mood: Mood
    moments: Moments
    markers: list[Marker]
    grid: Grid | None
    visible: list[Visibility]
    profile: Profile | None
    checks: CheckIns | None
    corrections: list[Correction]
    course: Trend | None
    nothing: str = ""
    past: Sequence[Profile] = ()
    recent: Recent = ()
    items: Sequence[CheckItem] = ()
    numbers: Mapping[str, int] = field(default_factory=dict)


def gather(lesson: Lesson, earlier: Sequence[Lesson] = (), aggregate: bool = False) -> Contents:
    """Analyse a lesson for a report.

    Args:
        earlier: lessons of the same class; those that began before this one are used.
        aggregate: nothing about single students, and nothing at all with fewer than 5 people. This is always so for
            a lesson with only counts.
    """
    aggregate = aggregate or lesson.info.aggregate
    least = MINIMUM if aggregate else 1
    grid = make_grid(lesson)
    mood = class_mood(grid, *window_for(grid.seconds), minimum=least, cuts=[marker.second for marker in lesson.markers])
    moments = find_moments(grid)
    profile = make_profile(lesson, grid)
    loaded = [make_profile(old) for old in earlier if _is_before(old.info, lesson.info)]
    loaded.sort(key=lambda old: (old.info.started, old.info.id), reverse=True)
    loaded = [old for old in loaded if len(old.students)]
    past = loaded[:EARLIER_LESSONS]
    course = class_trend([*past, profile], minimum=least) if past and len(grid.students) else None
    if aggregate:
        few = mood.students.max(initial=0) < MINIMUM
        nothing = tr("Fewer than {number} people could be read.", number=MINIMUM) if few else ""
        mood = _without_small(mood)
        markers = in_words(without_names(lesson.markers, lesson.students))
        info = replace(lesson.info, title=without_name(lesson.info.title, lesson.students))
        if few:
            moments = Moments([], tr("fewer than {number} people could be read", number=MINIMUM))
        return Contents(info, True, mood, moments, markers, None, [], None, None, [], course, nothing)
    checks = check_ins(profile, past) if lesson.info.classroom and len(grid.students) else None
    nothing = "" if mood.students.any() else tr("No face could be read in this lesson.")
    markers, corrections = in_words(lesson.markers), [c for c in lesson.corrections if not c.undone]
    if checks is not None:
        grid = _in_order(grid, checks.order)
        profile = make_profile(lesson, grid)
    contents = Contents(
        lesson.info,
        False,
        mood,
        moments,
        markers,
        grid,
        visibility(grid),
        profile,
        checks,
        corrections,
        course,
        nothing,
        past,
        recent_findings(lesson.info, loaded) if checks is not None else (),
        numbers=lesson.numbers,
    )
    return with_answers(contents, [*lesson.answers, *(one for old in earlier for one in old.answers)])


def with_answers(contents: Contents, answers: Iterable[CheckInAnswer]) -> Contents:
    """The contents with these check-ins closed and all others open."""
    if contents.checks is None:
        return contents
    return replace(contents, items=check_list(contents.info, contents.checks, contents.recent, answers))


def _in_order(grid: Grid, students: Sequence[str]) -> Grid:
    """The grid with its rows in this order."""
    rows = [grid.students.index(name) for name in students]
    return replace(grid, students=list(students), shown=grid.shown[rows])


def in_words(markers: Iterable[Marker]) -> list[Marker]:
    """Markers as a reader sees them: those that the program names are stored in English."""
    return [replace(marker, text=marker_word(marker.text)) for marker in markers]


def without_names(markers: Sequence[Marker], students: Sequence[str]) -> list[Marker]:
    """Markers for the whole-class view: a text that contains a part of a student's name is left out."""
    return [replace(marker, text=without_name(marker.text, students)) for marker in markers]


def without_name(text: str, students: Sequence[str]) -> str:
    """The text, or a note instead if it contains a part of a student's name."""
    words = set(_words(text))
    return tr(LEFT_OUT) if any(words & set(_words(name)) for name in students) else text


def _words(text: str) -> list[str]:
    """Words of three or more letters; in other scripts also shorter ones, because names may be short there."""
    found = re.findall(r"\w+", text.casefold())
    return [word for word in found if len(word) >= 3 or not word.isascii()]


def _without_small(mood: Mood) -> Mood:
    """Hide counts of small groups too: "1 student was readable" points at one student."""
    small = mood.students < MINIMUM
    students, in_view = mood.students.copy(), mood.in_view.copy()
    students[small] = in_view[small] = 0
    return replace(mood, students=students, in_view=in_view)


def _is_before(old: LessonInfo, info: LessonInfo) -> bool:
    return old.classroom == info.classroom and old.id != info.id and old.started < info.started
