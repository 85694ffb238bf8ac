"""The sentences of reports, the same in HTML, PDF and the app. The constants are keys of ``tr``."""

from __future__ import annotations

import numpy as np

from fewshot.session.analysis.checkin import LEAST_LESSONS, CheckIns
from fewshot.session.analysis.grid import UNSURE_STATE, Floats
from fewshot.session.analysis.moments import Moment, Moments
from fewshot.session.analysis.mood import Mood
from fewshot.session.analysis.words import day, local, moment, percent, reader_locale
from fewshot.session.charts.theme import stacking
from fewshot.session.lesson import LessonInfo
from fewshot.session.report.check_list import CheckItem
from fewshot.session.report.contents import Contents
from fewshot.session.report.lead import lead, summary_words
from fewshot.session.report.sentences import before, joined, pair, sentence, span, unbroken
from fewshot.session.stored_words import class_word, source_word, title_word
from fewshot.session.summary import clock
from fewshot.translation import later, tr, tr_n
from fewshot.translation.words import emotion_word

__all__ = ["before", "joined", "lead", "pair", "sentence", "span", "summary_words", "unbroken"]
"""From the modules beside this one; its own names come below."""

METHOD = later("How this report was made, and how sure it is")
ORDER = later(
    "Students who could be compared with their own earlier lessons come first, those furthest from their own usual at "
    "the top. This is no ranking: it is where to look first."
)
SHORT = 20
"""Seconds: in a shorter lesson the mood is one mean, and no change."""
STATES = {
    "running": later("still running"),
    "ended": later("ended"),
    "interrupted": later("interrupted: the program stopped before the lesson ended"),
}

TRANSLITERATED = later(
    "Some names are written in Latin letters here, because no font on this computer has their own letters. Install "
    "fonts (Debian, Ubuntu: fonts-noto-core, fonts-noto-cjk), or set the variable FEWSHOT_FONTS to a folder of fonts. "
    "The HTML report needs no fonts."
)
CORRECTIONS = later("A correction changes later readings. Earlier readings stay in this report as they were.")
VISIBILITY = later(
    "Seconds are counted, not estimated. “In view” means that the student's face was found and recognised in at least "
    "one frame of the second. “Readable” means that the expression could also be read. Faces that were not recognised "
    "count in neither."
)
CHECK_IN = later("Check in: students who differed from their own usual")
MOOD_FIGURE = later(
    "Share of the class in each state. Words or numbers above the chart are the markers, which are listed below it. "
    "Letters are moments."
)
MOOD_NUMBERS = later("Shares with 95 % intervals, every five minutes")
EVIDENCE_FIGURE = later("One chart per state. The band is the 95 % interval of its share.")
STRIPS = later(
    "One strip per student. Full height: the state of that colour. Thin band: unsure. Line: in view, but not readable. "
    "Empty: not in view. On the right: share of the lesson in which the student was readable."
)
STRIPS_TO_CLICK = later(
    "One strip per student. Full height: the state of that colour. Thin band: unsure. Line: in view, but not readable. "
    "Empty: not in view. Beside the name: share of the lesson in which the student was readable. Click a strip to see "
    "that student's lesson."
)
COURSE = later("Share of the readable time, mean over students, with 95 % intervals over students.")


def title(info: LessonInfo) -> str:
    """The title of the report."""
    return title_word(info.title) or tr("Lesson {number}", number=info.id)


def facts(contents: Contents) -> list[tuple[str, str]]:
    """The lesson as pairs of name and value."""
    info = contents.info
    sample = [(tr("Sample"), tr("recorded with made-up or published pictures, not in a real class"))]
    view = [(tr("View"), tr("whole class only: no names, and nothing for fewer than 5 people"))]
    return [
        (tr("Class"), class_word(info.classroom) or tr("none (no students were recognised)")),
        (tr("When"), _when(info)),
        (tr("Length"), f"{clock(info.seconds)} ({tr(STATES[info.state])})"),
        *(sample if info.sample else []),
        *(view if contents.aggregate else []),
    ]


def origin(contents: Contents) -> list[tuple[str, str]]:
    """Where the readings come from, as pairs of name and value."""
    return [
        (tr("Source"), source_word(contents.info.source) or tr("unknown")),
        (tr("Network"), contents.info.network or tr("unknown")),
    ]


def _when(info: LessonInfo) -> str:
    """When the lesson began, in the time zone of the reader as on the pages, which is named because files travel."""
    began = local(info.started)
    zone = f"{began:%z}"
    written = f"{began:%Y-%m-%d %H:%M}" if reader_locale() is None else moment(began)
    return f"{written} (UTC{zone[:3]}:{zone[3:5]})"


def mood_words(mood: Mood) -> str:
    """How the mood is calculated and how certain it is."""
    who = (
        tr("The shares refer to the people in view; each counts once.")
        if mood.crowd
        else tr(
            "The shares refer to the students who could be read for at least a quarter of the window; each counts once."
        )
    )
    hidden = tr_n(
        "If fewer than {number} person was counted, nothing is shown.",
        "If fewer than {number} people were counted, nothing is shown.",
        mood.minimum,
    )
    return joined(
        tr_n(
            "Each point is the mean over the {number} second around it, but not across a marker or a gap.",
            "Each point is the mean over the {number} seconds around it, but not across a marker or a gap.",
            round(mood.width),
        ),
        who,
        tr(
            "“Unsure” means that the face was read, but no state was certain enough. The bands in the chart of each "
            "state are 95 % intervals (Wilson) for a class of this size. They do not include the network's errors."
        ),
        hidden if mood.minimum > 1 else "",
        tr("The lesson is too short to show a change over time.") if 0 < mood.seconds < SHORT else "",
    )


def moment_words(moments: Moments) -> str:
    """How moments are found and how certain they are."""
    if moments.reason:
        return tr("fewshot did not search for moments: {reason}.", reason=moments.reason)
    return joined(
        "" if moments.found else tr("No moment stands out."),
        tr_n(
            "A moment is a time when students changed together more than chance explains. Each student is compared "
            "with their own mean over the lesson. Chance is measured on {number} copy of the lesson, in which every "
            "student's time is shifted separately.",
            "A moment is a time when students changed together more than chance explains. Each student is compared "
            "with their own mean over the lesson. Chance is measured on {number} copies of the lesson, in which every "
            "student's time is shifted separately.",
            moments.shuffles,
        ),
        tr(
            "Of 100 lessons without any common change, about {lessons} would still show a moment. A moment does not "
            "show why the faces changed.",
            lessons=f"{100 * moments.false_alarms:.0f}",
        ),
    )


def check_in_words(checks: CheckIns) -> str:
    """How the list is made and how certain it is."""
    if checks.compared == 0:
        left_out = tr_n(
            "{number} earlier lesson cannot be used, because another network made the readings.",
            "{number} earlier lessons cannot be used, because another network made the readings.",
            checks.left_out,
        )
        least = tr("Not enough lessons yet: a student needs at least {lessons} earlier lessons.", lessons=LEAST_LESSONS)
        return joined(least, left_out if checks.left_out else "")
    few = tr_n(
        "Not enough lessons yet for {number} student.",
        "Not enough lessons yet for {number} students.",
        len(checks.too_few),
    )
    return joined(
        "" if checks.found else tr("No student differed from their own usual in this lesson."),
        tr_n(
            "One student was compared with their own earlier lessons.",
            "Each of {number} students was compared with their own earlier lessons.",
            checks.compared,
        ),
        tr("Changes that the whole class had in common were removed first.") if checks.class_shift else "",
        tr(
            "About one in ten names on such lists is there by chance. A name here is a reason to ask how the student "
            "is, not a finding about the student. The list is in the order of names."
        ),
        few if checks.too_few else "",
    )


def item_words(item: CheckItem) -> list[str]:
    """The evidence for one entry of the check-in list: what was found, then how sure it is."""
    sure = list(dict.fromkeys(sentence(line.sure) for line in item.lines))
    found = joined(*(sentence(line.carried_text if item.carried else line.text) for line in item.lines))
    return [found, *sure]


def item_state(item: CheckItem) -> str:
    """Where one entry stands: since when it is open, or how it was closed. The teacher's note is not in it."""
    if item.answer is not None:
        made = day(item.answer.made)
        if item.answer.answer == "asked, fine":
            return tr("Asked, fine ({date})", date=made)
        return tr("Not needed ({date})", date=made)
    if item.carried:
        return tr("Still open, from the lesson of {date}", date=day(item.lesson.started))
    return tr("Open, also from {date}", date=day(item.also[-1].started)) if item.also else tr("Open")


def mood_table(mood: Mood, every: int = 300) -> tuple[list[str], list[list[str]]]:
    """The mood in numbers: one row per ``every`` seconds. Returns head and rows."""
    states = [s for s in stacking(mood.states) if len(mood.time) and np.nanmax(_column(mood, s), initial=0) >= 0.005]
    wanted = range(0, int(mood.time[-1]) + 1, every) if len(mood.time) else range(0)
    rows = []
    for window in dict.fromkeys(int(np.abs(mood.time - second).argmin()) for second in wanted):
        shares = [_with_span(mood, window, mood.states.index(state)) for state in states]
        rows.append([clock(mood.time[window]), *shares, f"{mood.students[window]:.0f}"])
    return [tr("Time"), *map(emotion_word, states), tr("faces") if mood.crowd else tr("students")], rows


def student_table(contents: Contents) -> tuple[list[str], list[list[str]]]:
    """One row per student: time in view, time readable, and what was shown longest."""
    profile = contents.profile
    if profile is None:
        return [], []
    rows = []
    for number, line in enumerate(contents.visible):
        share = profile.share[number]
        order = [i for i in np.argsort(-np.nan_to_num(share), kind="stable") if share[i] >= 0.05]
        shown = ", ".join(f"{emotion_word(profile.states[i])} {percent(share[i])}" for i in order[:3])
        seen = f"{clock(line.in_view)} ({percent(line.in_view_share)})"
        read = f"{clock(line.readable)} ({percent(line.readable_share)})"
        rows.append([line.student, seen, read, shown or "-"])
    return [tr("Student"), tr("In view"), tr("Readable"), tr("Shown most (share of readable time)")], rows


def correction_table(contents: Contents) -> tuple[list[str], list[list[str]]]:
    """One row per correction of the teacher. Returns head and rows."""
    rows = [
        [clock(one.second), one.student, emotion_word(one.said or UNSURE_STATE), emotion_word(one.actually)]
        for one in contents.corrections
    ]
    return [tr("Time"), tr("Student"), tr("Predicted"), tr("Corrected to")], rows


def moment_sentences(moment: Moment) -> str:
    """What stands out at a moment, and what changed at the same time."""
    also = tr("At the same time: {changes}.", changes=", ".join(moment.others)) if moment.others else ""
    return joined(sentence(moment.text), also)


def _column(mood: Mood, state: str) -> Floats:
    return np.nan_to_num(mood.share[:, mood.states.index(state)])


def _with_span(mood: Mood, window: int, column: int) -> str:
    share = mood.share[window, column]
    if np.isnan(share):
        return "-"
    return f"{percent(share)} ({100 * mood.low[window, column]:.0f}-{100 * mood.high[window, column]:.0f})"
