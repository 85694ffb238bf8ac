"""What reports say in words, the same in HTML and PDF."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fewshot.session.analysis.checkin import LEAST_LESSONS, CheckIns
from fewshot.session.analysis.grid import Floats
from fewshot.session.analysis.moments import Moments
from fewshot.session.analysis.mood import Mood
from fewshot.session.analysis.words import minutes, percent
from fewshot.session.charts.theme import stacking
from fewshot.session.lesson import LessonInfo, Marker
from fewshot.session.report.contents import Contents
from fewshot.session.summary import clock

STATES = {
    "running": "still running",
    "ended": "ended",
    "interrupted": "interrupted: the program stopped before its end",
}

TRANSLITERATED = (
    "Some names stand here in Latin letters, because no font of this machine has theirs. Install fonts (Debian, "
    "Ubuntu: fonts-noto-core, fonts-noto-cjk) or name a folder of fonts in FEWSHOT_FONTS. The HTML report needs none."
)
CORRECTIONS = (
    "Corrections change how later readings are made. What was shown until then stays in this report as it was."
)
VISIBILITY = (
    "Seconds are counted, not estimated: in view means that the student's face was found and recognised in at least "
    "one frame of the second, readable that its expression could be read. A face taken for nobody's is in neither."
)


def title(info: LessonInfo) -> str:
    """What the report is called."""
    return info.title or f"Lesson {info.id}"


def facts(contents: Contents) -> list[tuple[str, str]]:
    """Where the report comes from: name and value."""
    info = contents.info
    sample = [("Sample", "recorded with made-up or published pictures; nobody of a real class")] if info.sample else []
    view = [("View", "aggregate only: no names, nothing under 5 people")] if contents.aggregate else []
    return [
        ("Class", info.classroom or "none: nobody was recognised"),
        ("When", f"{info.started:%Y-%m-%d %H:%M} UTC"),
        ("Length", f"{clock(info.seconds)} ({STATES[info.state]})"),
        ("Watched", info.source or "unknown"),
        ("Network", info.network or "unknown"),
        *sample,
        *view,
    ]


def mood_words(mood: Mood) -> str:
    """How the mood was made and how sure it is."""
    who = "people seen in each second" if mood.crowd else "students who could be read for a quarter of it"
    hidden = f" Nothing is shown where fewer than {mood.minimum} were counted." if mood.minimum > 1 else ""
    return (
        f"Each point is the mean over a window of {mood.width:.0f} seconds; shares are of the {who}, each counted "
        "once. “Unsure” means that the face was read and nothing was sure. Bands in the second figure are intervals of "
        f"95 % (Wilson) for a class of this size; what the network misreads comes on top.{hidden}"
    )


def moment_words(moments: Moments) -> str:
    """How moments were found and how sure they are."""
    if moments.reason:
        return f"Moments were not looked for: {moments.reason}."
    found = "" if moments.found else "No moment stands out. "
    return (
        f"{found}A moment is called so if students changed together more than they do by chance: each student against "
        f"their own mean of the lesson, with chance measured on {moments.shuffles} copies of the lesson in which every "
        f"student's time is shifted on its own. In a lesson without any common change, something is found in about "
        f"{100 * moments.false_alarms:.0f} of 100. It does not say why the faces changed."
    )


def check_in_words(checks: CheckIns) -> str:
    """How the list was made and how sure it is."""
    if checks.compared == 0:
        left_out = f" {checks.left_out} earlier lessons were read by another network." if checks.left_out else ""
        return f"Not enough lessons yet: at least {LEAST_LESSONS} earlier ones of a student are needed.{left_out}"
    nobody = "" if checks.found else "Nobody was unlike their own usual. "
    common = " What the whole class did in common was taken off first." if checks.class_shift else ""
    few = f" Not enough lessons yet for {len(checks.too_few)} students." if checks.too_few else ""
    return (
        f"{nobody}Each of {checks.compared} students was compared with their own earlier lessons.{common} About one "
        f"name in ten is expected here by chance. This is a reason to ask how somebody is, not a finding about them; "
        f"the list is in the order of names.{few}"
    )


def mood_table(mood: Mood, every: int = 300) -> tuple[list[str], list[list[str]]]:
    """The mood in numbers: a row every ``every`` seconds. Returns head and rows."""
    states = [s for s in stacking(mood.states) if len(mood.time) and np.nanmax(_column(mood, s), initial=0) >= 0.005]
    step = max(1, round(every / (mood.time[1] - mood.time[0]))) if len(mood.time) > 1 else 1
    rows = []
    for window in range(0, len(mood.time), step):
        shares = [_with_span(mood, window, mood.states.index(state)) for state in states]
        rows.append([clock(mood.time[window]), *shares, f"{mood.students[window]:.0f}"])
    return ["Time", *states, "faces" if mood.crowd else "students"], rows


def student_table(contents: Contents) -> tuple[list[str], list[list[str]]]:
    """A row a student: seen, readable, and what was shown longest."""
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
    return ["Student", "In view", "Readable", "Of the readable time"], rows


def summary_words(contents: Contents) -> str:
    """The lesson in one or two sentences, for the top and for screen readers."""
    mood = contents.mood
    if contents.nothing:
        return contents.nothing
    mean = np.nanmean(mood.share, axis=0)
    order = np.argsort(-mean, kind="stable")[:3]
    most = ", ".join(f"{mood.states[i]} {percent(mean[i])}" for i in order)
    found = len(contents.moments.found)
    stands = "no moment stands out" if not found else f"{found} moment{'s stand' if found > 1 else ' stands'} out"
    who = "people" if mood.crowd else "students"
    counted = f"between {_least(mood.students):.0f} and {mood.students.max():.0f} {who} counted at a time"
    return f"Over {minutes(contents.info.seconds)}, {counted}; most shown: {most}; {stands}."


def span(start: float, end: float) -> str:
    """1500, 1680 -> "25:00 to 28:00"."""
    return f"{clock(start)} to {clock(end)}"


def before(markers: Sequence[Marker], second: float) -> str:
    """The last marker before a moment, if it was at most five minutes before: "after “exercise 2”"."""
    near = [m for m in markers if 0 <= second - m.second <= 300]
    return f"{minutes(second - near[-1].second)} after “{near[-1].text}”" if near else ""


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
