"""The sentences of reports, the same in HTML, PDF and the app."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from fewshot.session.analysis.checkin import LEAST_LESSONS, CheckIns
from fewshot.session.analysis.grid import Floats
from fewshot.session.analysis.moments import Moments
from fewshot.session.analysis.mood import Mood
from fewshot.session.analysis.words import counted, day, local, minutes, percent
from fewshot.session.charts.theme import stacking
from fewshot.session.lesson import LessonInfo, Marker
from fewshot.session.report.check_list import CheckItem
from fewshot.session.report.contents import Contents
from fewshot.session.summary import clock

MOST_NAMES = 3
"""Names in the sentences on top; the list of all is below."""
METHOD = "How this report was made, and how sure it is"
ORDER = (
    "Students who could be compared with their own earlier lessons come first, those furthest from their own usual at "
    "the top. This is no ranking: it is where to look first."
)
_AT_ONCE = 10
"""Seconds, as long as a block of the search for moments: what began so soon after a marker began at it."""
SHORT = 20
"""Seconds: in a shorter lesson the mood is one mean, and no change."""
STATES = {
    "running": "still running",
    "ended": "ended",
    "interrupted": "interrupted: the program stopped before the lesson ended",
}

TRANSLITERATED = (
    "Some names are written in Latin letters here, because no font on this computer has their own letters. Install "
    "fonts (Debian, Ubuntu: fonts-noto-core, fonts-noto-cjk), or set the variable FEWSHOT_FONTS to a folder of fonts. "
    "The HTML report needs no fonts."
)
CORRECTIONS = "A correction changes later readings. Earlier readings stay in this report as they were."
VISIBILITY = (
    "Seconds are counted, not estimated. “In view” means that the student's face was found and recognised in at least "
    "one frame of the second. “Readable” means that the expression could also be read. Faces that were not recognised "
    "count in neither."
)
CHECK_IN = "Check in: students who differed from their own usual"
MOOD_FIGURE = "Share of the class in each state. Texts above the chart are markers, letters are moments."
MOOD_NUMBERS = "Shares with 95 % intervals, every five minutes"
EVIDENCE_FIGURE = "One chart per state. The band is the 95 % interval of its share."
_STRIPS = (
    "One strip per student. Full height: the state of that colour. Thin band: unsure. Line: in view, but not readable. "
    "Empty: not in view."
)
STRIPS = f"{_STRIPS} On the right: share of the lesson in which the student was readable."
STRIPS_TO_CLICK = (
    f"{_STRIPS} Beside the name: share of the lesson in which the student was readable. Click a strip to see that "
    "student's lesson."
)
COURSE = "Share of the readable time, mean over students, with 95 % intervals over students."


def title(info: LessonInfo) -> str:
    """The title of the report."""
    return info.title or f"Lesson {info.id}"


def facts(contents: Contents) -> list[tuple[str, str]]:
    """The lesson as pairs of name and value."""
    info = contents.info
    sample = [("Sample", "recorded with made-up or published pictures, not in a real class")] if info.sample else []
    view = [("View", "whole class only: no names, and nothing for fewer than 5 people")] if contents.aggregate else []
    return [
        ("Class", info.classroom or "none (no students were recognised)"),
        ("When", _when(info)),
        ("Length", f"{clock(info.seconds)} ({STATES[info.state]})"),
        *sample,
        *view,
    ]


def origin(contents: Contents) -> list[tuple[str, str]]:
    """Where the readings come from, as pairs of name and value."""
    return [("Source", contents.info.source or "unknown"), ("Network", contents.info.network or "unknown")]


def _when(info: LessonInfo) -> str:
    """When the lesson began, in the time zone of the reader as on the pages, which is named because files travel."""
    began = local(info.started)
    zone = f"{began:%z}"
    return f"{began:%Y-%m-%d %H:%M} (UTC{zone[:3]}:{zone[3:5]})"


def mood_words(mood: Mood) -> str:
    """How the mood is calculated and how certain it is."""
    who = "people in view" if mood.crowd else "students who could be read for at least a quarter of the window"
    short = " The lesson is too short to show a change over time." if 0 < mood.seconds < SHORT else ""
    hidden = f" If fewer than {mood.minimum} people were counted, nothing is shown." if mood.minimum > 1 else ""
    return (
        f"Each point is the mean over the {mood.width:.0f} seconds around it, but not across a marker or a gap. The "
        f"shares refer to the {who}; each counts once. “Unsure” means that the face was read, but no state was certain "
        "enough. The bands in the chart of each state are 95 % intervals (Wilson) for a class of this size. They do "
        f"not include the network's errors.{hidden}{short}"
    )


def moment_words(moments: Moments) -> str:
    """How moments are found and how certain they are."""
    if moments.reason:
        return f"fewshot did not search for moments: {moments.reason}."
    found = "" if moments.found else "No moment stands out. "
    return (
        f"{found}A moment is a time when students changed together more than chance explains. Each student is compared "
        f"with their own mean over the lesson. Chance is measured on {moments.shuffles} copies of the lesson, in which "
        "every student's time is shifted separately. Of 100 lessons without any common change, about "
        f"{100 * moments.false_alarms:.0f} would still show a moment. A moment does not show why the faces changed."
    )


def check_in_words(checks: CheckIns) -> str:
    """How the list is made and how certain it is."""
    if checks.compared == 0:
        left_out = (
            f" {counted(checks.left_out, 'earlier lesson')} cannot be used, because another network made the readings."
            if checks.left_out
            else ""
        )
        return f"Not enough lessons yet: a student needs at least {LEAST_LESSONS} earlier lessons.{left_out}"
    nobody = "" if checks.found else "No student differed from their own usual in this lesson. "
    common = " Changes that the whole class had in common were removed first." if checks.class_shift else ""
    few = f" Not enough lessons yet for {counted(len(checks.too_few), 'student')}." if checks.too_few else ""
    who = "One student" if checks.compared == 1 else f"Each of {checks.compared} students"
    return (
        f"{nobody}{who} was compared with their own earlier lessons.{common} About one in "
        "ten names on such lists is there by chance. A name here is a reason to ask how the student is, not a finding "
        f"about the student. The list is in the order of names.{few}"
    )


def item_words(item: CheckItem) -> list[str]:
    """The evidence for one entry of the check-in list: what was found, then how sure it is."""
    sure = list(dict.fromkeys(sentence(line.sure) for line in item.lines))
    found = " ".join(sentence(line.text) for line in item.lines)
    return [found.replace("in this lesson", "in that lesson") if item.carried else found, *sure]


def item_state(item: CheckItem) -> str:
    """Where one entry stands: since when it is open, or how it was closed. The teacher's note is not in it."""
    if item.answer is not None:
        return f"{item.answer.answer[:1].upper()}{item.answer.answer[1:]} ({day(item.answer.made)})"
    if item.carried:
        return f"Still open, from the lesson of {day(item.lesson.started)}"
    return f"Open, also from {day(item.also[-1].started)}" if item.also else "Open"


def mood_table(mood: Mood, every: int = 300) -> tuple[list[str], list[list[str]]]:
    """The mood in numbers: one row per ``every`` seconds. Returns head and rows."""
    states = [s for s in stacking(mood.states) if len(mood.time) and np.nanmax(_column(mood, s), initial=0) >= 0.005]
    wanted = range(0, int(mood.time[-1]) + 1, every) if len(mood.time) else range(0)
    rows = []
    for window in dict.fromkeys(int(np.abs(mood.time - second).argmin()) for second in wanted):
        shares = [_with_span(mood, window, mood.states.index(state)) for state in states]
        rows.append([clock(mood.time[window]), *shares, f"{mood.students[window]:.0f}"])
    return ["Time", *states, "faces" if mood.crowd else "students"], rows


def student_table(contents: Contents) -> tuple[list[str], list[list[str]]]:
    """One row per student: time in view, time readable, and what was shown longest."""
    profile = contents.profile
    if profile is None:
        return [], []
    rows = []
    for number, line in enumerate(contents.visible):
        share = profile.share[number]
        order = [i for i in np.argsort(-np.nan_to_num(share), kind="stable") if share[i] >= 0.05]
        shown = ", ".join(f"{profile.states[i]} {percent(share[i])}" for i in order[:3])
        seen = f"{clock(line.in_view)} ({percent(line.in_view_share)})"
        read = f"{clock(line.readable)} ({percent(line.readable_share)})"
        rows.append([line.student, seen, read, shown or "-"])
    return ["Student", "In view", "Readable", "Shown most (share of readable time)"], rows


def lead(contents: Contents, shown: Callable[[str], str] = str) -> list[str]:
    """The lesson in three sentences: what was seen, what stood out most, and whom to ask. No name in the whole-class
    view; one sentence if there is nothing to show.

    Args:
        shown: how a name is written.
    """
    if contents.nothing:
        return [sentence(contents.nothing.rstrip("."))]
    return [_seen(contents), _stood_out(contents), _whom_to_ask(contents, shown)]


def _seen(contents: Contents) -> str:
    mood = contents.mood
    mean = np.nanmean(mood.share, axis=0)
    order = [i for i in np.argsort(-mean, kind="stable")[:3] if mean[i] >= 0.005]
    most = ", ".join(f"{mood.states[i]} ({percent(mean[i])})" for i in order)
    return f"In {minutes(contents.info.seconds)}, {_how_many(mood)}; shown most: {most}."


def _stood_out(contents: Contents) -> str:
    moments = contents.moments
    if moments.reason:
        return f"Moments that stand out were not searched for: {moments.reason}."
    if not moments.found:
        return "No moment stood out."
    most = min(moments.found, key=lambda m: (m.chance, -abs(m.share - m.usual) * (m.end - m.start)))
    after = before(contents.markers, most.start)
    when = f"{clock(most.start)}, {after}," if after else clock(most.start)
    first = "What stood out most began" if len(moments.found) > 1 else "What stood out began"
    return f"{first} at {when} with {most.text[:1].lower()}{most.text[1:]}."


def _whom_to_ask(contents: Contents, shown: Callable[[str], str]) -> str:
    checks = contents.checks
    if contents.aggregate:
        return "This view says nothing about single students."
    if checks is None:
        return "No students were recognised, so nobody was compared with earlier lessons."
    if not checks.compared and not contents.items:
        return f"Nobody could be compared with their own usual: that needs {LEAST_LESSONS} earlier lessons."
    names = [item.student for item in contents.items if item.answer is None]
    if not names and contents.items:
        return f"{counted(len(contents.items), 'check-in')} on the list: closed."
    if not names:
        return f"None of {counted(checks.compared, 'student')} differed from their own usual."
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    carried = any(item.carried for item in contents.items if item.answer is None)
    when = ", in this lesson or one before" if carried else ""
    return f"Perhaps ask how they are: {', '.join(map(shown, names[:MOST_NAMES]))}{more}, unlike their own usual{when}."


def summary_words(contents: Contents) -> str:
    """The lesson in a few sentences, for the top of the report and for screen readers."""
    mood = contents.mood
    if contents.nothing:
        return contents.nothing
    mean = np.nanmean(mood.share, axis=0)
    order = np.argsort(-mean, kind="stable")[:3]
    most = ", ".join(f"{mood.states[i]} {percent(mean[i])}" for i in order)
    found = len(contents.moments.found)
    stands = "No moment stands out" if not found else f"{found} moment{'s stand' if found > 1 else ' stands'} out"
    return f"In {minutes(contents.info.seconds)}, {_how_many(mood)}. Most shown: {most}. {stands}."


def _how_many(mood: Mood) -> str:
    least, most = round(_least(mood.students)), round(mood.students.max())
    one, more = ("person", "people") if mood.crowd else ("student", "students")
    if least == most:
        return f"{counted(most, one, more)} {'was' if most == 1 else 'were'} counted at a time"
    return f"{least} to {most} {more} were counted at a time"


def sentence(text: str) -> str:
    """The text with a capital first letter and a full stop."""
    return f"{text[:1].upper()}{text[1:]}."


def span(start: float, end: float) -> str:
    """1500, 1680 -> "25:00 to 28:00"."""
    return f"{clock(start)} to {clock(end)}"


def before(markers: Sequence[Marker], second: float) -> str:
    """The last marker before a moment, if it was at most five minutes before: "3 minutes after “exercise 2”"."""
    near = [m for m in markers if 0 <= second - m.second <= 300]
    if not near:
        return ""
    later = second - near[-1].second
    return f"{f'{minutes(later)} after' if later >= _AT_ONCE else 'at'} “{near[-1].text}”"


def _least(students: Floats) -> float:
    counted = students[students > 0]
    return float(counted.min()) if len(counted) else 0.0


def _column(mood: Mood, state: str) -> Floats:
    return np.nan_to_num(mood.share[:, mood.states.index(state)])


def _with_span(mood: Mood, window: int, column: int) -> str:
    share = mood.share[window, column]
    if np.isnan(share):
        return "-"
    return f"{percent(share)} ({100 * mood.low[window, column]:.0f}-{100 * mood.high[window, column]:.0f})"
