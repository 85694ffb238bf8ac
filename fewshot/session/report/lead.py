"""The sentences on top of a report: what was seen, what stood out most, and whom to ask."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fewshot.session.analysis.checkin import LEAST_LESSONS
from fewshot.session.analysis.grid import Floats
from fewshot.session.analysis.words import minutes, percent
from fewshot.session.report.contents import Contents
from fewshot.session.report.sentences import before, joined
from fewshot.session.summary import clock
from fewshot.translation import tr, tr_n
from fewshot.translation.words import emotion_word

MOST_NAMES = 3
"""Names in the sentences on top; the list of all is below."""


def lead(contents: Contents, shown: Callable[[str], str] = str) -> list[str]:
    """The lesson in three sentences: what was seen, what stood out most, and whom to ask. No name in the whole-class
    view; one sentence if there is nothing to show.

    Args:
        shown: how a name is written.
    """
    if contents.nothing:
        return [contents.nothing]
    return [_seen(contents), _stood_out(contents), _whom_to_ask(contents, shown)]


def _seen(contents: Contents) -> str:
    mood = contents.mood
    mean = np.nanmean(mood.share, axis=0)
    order = [i for i in np.argsort(-mean, kind="stable")[:3] if mean[i] >= 0.005]
    most = ", ".join(f"{emotion_word(mood.states[i])} ({percent(mean[i])})" for i in order)
    return tr("{how_many}; shown most: {states}.", how_many=_how_many(contents), states=most)


def _stood_out(contents: Contents) -> str:
    moments = contents.moments
    if moments.reason:
        return tr("Moments that stand out were not searched for: {reason}.", reason=moments.reason)
    if not moments.found:
        return tr("No moment stood out.")
    most = min(moments.found, key=lambda m: (m.chance, -abs(m.share - m.usual) * (m.end - m.start)))
    values = {"time": clock(most.start), "after": before(contents.markers, most.start), "what": most.clause}
    if len(moments.found) > 1:
        if values["after"]:
            return tr("What stood out most began at {time}, {after}, with {what}.", **values)
        return tr("What stood out most began at {time} with {what}.", **values)
    if values["after"]:
        return tr("What stood out began at {time}, {after}, with {what}.", **values)
    return tr("What stood out began at {time} with {what}.", **values)


def _whom_to_ask(contents: Contents, shown: Callable[[str], str]) -> str:
    checks = contents.checks
    if contents.aggregate:
        return tr("This view says nothing about single students.")
    if checks is None:
        return tr("No students were recognised, so nobody was compared with earlier lessons.")
    names = [item.student for item in contents.items if item.answer is None]
    if not names:
        return _nobody_to_ask(len(contents.items), checks.compared)
    first = ", ".join(map(shown, names[:MOST_NAMES]))
    if len(names) > MOST_NAMES:
        left = len(names) - MOST_NAMES
        first = tr_n("{names} and {number} more", "{names} and {number} more", left, names=first)
    if any(item.carried for item in contents.items if item.answer is None):
        return tr(
            "Perhaps ask how they are: {names}, unlike their own usual, in this lesson or one before.", names=first
        )
    return tr("Perhaps ask how they are: {names}, unlike their own usual.", names=first)


def _nobody_to_ask(closed: int, compared: int) -> str:
    if closed:
        return tr_n("{number} check-in on the list: closed.", "{number} check-ins on the list: closed.", closed)
    if compared:
        return tr_n(
            "None of {number} student differed from their own usual.",
            "None of {number} students differed from their own usual.",
            compared,
        )
    return tr(
        "Nobody could be compared with their own usual: that needs {lessons} earlier lessons.", lessons=LEAST_LESSONS
    )


def summary_words(contents: Contents) -> str:
    """The lesson in a few sentences, for the top of the report and for screen readers."""
    mood = contents.mood
    if contents.nothing:
        return contents.nothing
    mean = np.nanmean(mood.share, axis=0)
    order = np.argsort(-mean, kind="stable")[:3]
    most = ", ".join(f"{emotion_word(mood.states[i])} {percent(mean[i])}" for i in order)
    found = len(contents.moments.found)
    return joined(
        tr("{how_many}. Most shown: {states}.", how_many=_how_many(contents), states=most),
        tr_n("{number} moment stands out.", "{number} moments stand out.", found)
        if found
        else tr("No moment stands out."),
    )


def _how_many(contents: Contents) -> str:
    """How long the lesson was, and how many people were counted: a sentence without its full stop."""
    mood, length = contents.mood, minutes(contents.info.seconds)
    least, most = round(_least(mood.students)), round(mood.students.max())
    if least == most and mood.crowd:
        return tr_n(
            "In {length}, {number} person was counted at a time",
            "In {length}, {number} people were counted at a time",
            most,
            length=length,
        )
    if least == most:
        return tr_n(
            "In {length}, {number} student was counted at a time",
            "In {length}, {number} students were counted at a time",
            most,
            length=length,
        )
    if mood.crowd:
        return tr_n(
            "In {length}, {least} to {number} people were counted at a time",
            "In {length}, {least} to {number} people were counted at a time",
            most,
            length=length,
            least=least,
        )
    return tr_n(
        "In {length}, {least} to {number} students were counted at a time",
        "In {length}, {least} to {number} students were counted at a time",
        most,
        length=length,
        least=least,
    )


def _least(students: Floats) -> float:
    counted = students[students > 0]
    return float(counted.min()) if len(counted) else 0.0
