"""The parts of a report that are about one lesson."""

from __future__ import annotations

from html import escape

import streamlit as st

from fewshot.app.palette import chip
from fewshot.app.shell import calm, chart_theme, isolated, plain
from fewshot.session.analysis.profile import Profile, make_profile
from fewshot.session.analysis.trends import compare, student_trend
from fewshot.session.analysis.words import MINIMUM, moment
from fewshot.session.charts.mood import evidence_chart, letter, mood_chart
from fewshot.session.charts.theme import Chart, stacking, themed
from fewshot.session.charts.trend_charts import comparison_chart, trend_chart
from fewshot.session.lesson import Lesson
from fewshot.session.lessons import LessonStore
from fewshot.session.report import Contents, words
from fewshot.session.stored_words import title_word
from fewshot.session.summary import clock
from fewshot.translation import tr, tr_n
from fewshot.translation.words import emotion_word

_TAKEN_BACK = "marker taken back"
"""In the session: lesson, second and text of the marker that was removed last."""
WIDE = 1040
"""Width of a chart in pixels; with its axis it fits a window of 1280 pixels."""


def show(chart: Chart, key: str, says: str, selection: str = "") -> str | None:
    """A chart in the page's theme, with a caption that also serves people who cannot see it.

    Args:
        chart: without a theme.
        key: of the element.
        says: what the chart shows.
        selection: of the chart, by student; "": it has none.

    Returns:
        The student on whom somebody has just clicked; None if nobody has.
    """
    drawn = themed(chart.properties(description=says), chart_theme())
    picked = None
    if selection:
        event = st.altair_chart(
            drawn, theme=None, key=key, width="content", on_select="rerun", selection_mode=selection
        )
        chosen = event.selection.get(selection, []) if "selection" in event else []
        picked = str(chosen[0]["student"]) if chosen and chosen[0].get("student") else None
    else:
        st.altair_chart(drawn, theme=None, key=key, width="content")
    st.caption(plain(says))
    return picked


def lead(contents: Contents) -> None:
    """The report in three sentences, or why there is nothing to report."""
    if contents.nothing:
        st.info(plain(contents.nothing), icon=":material/info:")
    else:
        lines = words.lead(contents, isolated)
        st.html("".join(f'<p class="fs-lead">{escape(words.unbroken(line))}</p>' for line in lines))


@calm
def the_class(store: LessonStore, lesson: Lesson, contents: Contents) -> None:
    """The page for a head teacher: one chart with the markers, the events, and folded away how they were found."""
    _mood(contents)
    _markers(store, lesson, contents)
    moments(contents)
    method(contents)


@calm
def _mood(contents: Contents) -> None:
    if contents.nothing:
        return
    legend = "".join(chip(state, emotion_word(state)) for state in stacking(contents.mood.states))
    st.html(f'<div class="fs-legend">{legend}</div>')
    chart = mood_chart(contents.mood, contents.markers, contents.moments.found, chart_theme(), WIDE, 260)
    show(chart, "mood report", tr(words.MOOD_FIGURE))


@calm
def _markers(store: LessonStore, lesson: Lesson, contents: Contents) -> None:
    """The markers, each of which can be taken back, and put back again."""
    number, second, text = st.session_state.get(_TAKEN_BACK, (None, 0.0, ""))
    mine = number == lesson.info.id
    if not contents.markers and not mine:
        return
    with st.expander(tr("Markers"), expanded=mine):
        for place, marker in enumerate(contents.markers, 1):
            left, right = st.columns([4, 1], vertical_alignment="center")
            left.html(f"<span>{place}) <b>{clock(marker.second)}</b> {escape(isolated(marker.text))}</span>")
            if right.button(tr("Remove"), key=f"unmark {marker.id}", icon=":material/close:", width="stretch"):
                store.unmark(lesson.info.id, marker.id)
                # The text as it is stored: in the whole-class view a name is left out of what is shown.
                stored = next(one for one in lesson.markers if one.id == marker.id)
                st.session_state[_TAKEN_BACK] = (lesson.info.id, stored.second, stored.text)
                st.rerun()
        back = tr("Undo: put the marker at {time} back", time=clock(second))
        if mine and st.button(back, icon=":material/undo:"):
            store.mark(lesson.info.id, second, text)
            del st.session_state[_TAKEN_BACK]
            st.rerun()


@calm
def moments(contents: Contents) -> None:
    """Moments that stand out."""
    if contents.nothing:
        return  # it is said above
    st.subheader(tr("Moments that stand out"))
    for number, found in enumerate(contents.moments.found):
        after = words.before(contents.markers, found.start)
        told = words.unbroken(words.moment_sentences(found))
        st.html(
            f'<div class="fs-moment"><span class="letter">{letter(number)}</span><div>'
            f"<b>{words.span(found.start, found.end)}</b> {chip(found.leads, emotion_word(found.leads))} "
            f'<span class="fs-muted">{escape(after)}</span><br>{escape(told)}<br>'
            f'<span class="fs-muted">{escape(words.sentence(found.sure))}</span></div></div>'
        )
    if not contents.moments.found:
        st.write(plain(words.lead(contents)[1]))


@calm
def method(contents: Contents) -> None:
    """The numbers, how they are made, and how sure they are, folded away."""
    if not contents.nothing:
        with st.expander(tr("The mood in numbers")):
            head, rows = words.mood_table(contents.mood)
            st.caption(words.sentence(tr(words.MOOD_NUMBERS)))
            st.table([dict(zip(map(plain, head), map(plain, map(words.unbroken, row)), strict=True)) for row in rows])
    with st.expander(tr(words.METHOD), icon=":material/science:"):
        st.write(plain(words.mood_words(contents.mood)))
        st.write(plain(words.moment_words(contents.moments)))
        if not contents.nothing:
            chart = evidence_chart(contents.mood, contents.moments.found, chart_theme(), WIDE)
            show(chart, "evidence", tr("The bands are 95 % intervals. Each student counts once."))
        for what, value in words.origin(contents):
            st.caption(words.pair(what, plain(value)))


@calm
def over_time(store: LessonStore, lesson: Lesson, contents: Contents) -> None:
    """Everything over more than one lesson."""
    if contents.course is None:
        st.info(tr("The view over weeks needs at least two lessons of this class."), icon=":material/timeline:")
        return
    st.subheader(tr("The class"))
    show(trend_chart(contents.course, chart_theme(), WIDE), "course", tr(words.COURSE))
    # The whole-class view keeps nothing of single students, so the comparison reads the lessons again.
    profiles = list(contents.past) or [make_profile(old) for old in store.load_earlier(lesson.info)]
    if contents.profile is not None:
        _student(contents.profile, profiles)
    _compare(lesson, profiles, contents)


def _student(today: Profile, earlier: list[Profile]) -> None:
    st.subheader(tr("One student"))
    student = st.selectbox(tr("Student"), sorted(today.students, key=str.casefold))
    course = student_trend([*earlier, today], student)
    says = tr("Shares of the student's readable time. A single lesson says little.")
    show(trend_chart(course, chart_theme(), WIDE), "student course", says)


def _compare(lesson: Lesson, profiles: list[Profile], contents: Contents) -> None:
    st.subheader(tr("Two lessons"))
    names = [f"{isolated(title_word(p.info.title) or tr('Lesson'))}, {moment(p.info.started)}" for p in profiles]
    chosen = st.selectbox(tr("Compare with"), range(len(names)), format_func=names.__getitem__)
    today = contents.profile or make_profile(lesson)
    comparison = compare(profiles[chosen], today, MINIMUM if contents.aggregate else 1)
    says = words.joined(
        tr_n(
            "{number} student could be read in both lessons.",
            "{number} students could be read in both lessons.",
            comparison.students,
        ),
        tr("Hollow points: the earlier lesson."),
        ""
        if comparison.same_network
        else tr("Different networks made the readings of the two lessons, so a change may come from the network."),
    )
    show(comparison_chart(comparison, chart_theme(), WIDE), "comparison", says)
