"""The parts of a report that are about one lesson."""

from __future__ import annotations

from html import escape

import streamlit as st

from fewshot.app.palette import chip
from fewshot.app.shell import calm, chart_theme, isolated, plain
from fewshot.session.analysis.profile import Profile, make_profile
from fewshot.session.analysis.trends import compare, student_trend
from fewshot.session.analysis.words import MINIMUM, counted, moment
from fewshot.session.charts.legend import band_words
from fewshot.session.charts.mood import evidence_chart, letter, mood_chart
from fewshot.session.charts.students import bands_chart
from fewshot.session.charts.theme import Chart, stacking, themed
from fewshot.session.charts.trend_charts import comparison_chart, trend_chart
from fewshot.session.lesson import Lesson
from fewshot.session.lessons import LessonStore
from fewshot.session.report import Contents, words
from fewshot.session.summary import clock

WIDE = 1040
"""Width of a chart in pixels; with its axis it fits a window of 1280 pixels."""


def show(chart: Chart, key: str, says: str) -> None:
    """A chart in the page's theme, with a caption that also serves people who cannot see it."""
    st.altair_chart(themed(chart.properties(description=says), chart_theme()), theme=None, key=key, width="content")
    st.caption(plain(says))


@calm
def mood(contents: Contents) -> None:
    """The class's mood, and how sure it is."""
    if contents.nothing:
        return
    st.html(f'<div class="fs-legend">{"".join(chip(state) for state in stacking(contents.mood.states))}</div>')
    chart = mood_chart(contents.mood, contents.markers, contents.moments.found, chart_theme(), WIDE, 260)
    show(chart, "mood report", words.MOOD_FIGURE)
    with st.expander("The mood in numbers"):
        head, rows = words.mood_table(contents.mood)
        st.table([dict(zip(map(plain, head), map(plain, row), strict=True)) for row in rows])
    if contents.markers:
        with st.expander("Markers"):
            st.table([{"Time": clock(marker.second), "Marker": plain(marker.text)} for marker in contents.markers])


@calm
def moments(contents: Contents) -> None:
    """Moments that stand out."""
    st.subheader("Moments that stand out")
    for number, found in enumerate(contents.moments.found):
        also = f" At the same time: {', '.join(found.others)}." if found.others else ""
        after = words.before(contents.markers, found.start)
        st.html(
            f'<div class="fs-moment"><span class="letter">{letter(number)}</span><div>'
            f"<b>{words.span(found.start, found.end)}</b> {chip(found.leads)} "
            f'<span class="fs-muted">{escape(after)}</span><br>{escape(found.text)}.{escape(also)}<br>'
            f'<span class="fs-muted">{escape(words.sentence(found.sure))}</span></div></div>'
        )
    if not contents.moments.found:
        st.write(plain(words.lead(contents)[0 if contents.nothing else 1]))


@calm
def method(contents: Contents) -> None:
    """How the numbers are made and how sure they are, folded away."""
    with st.expander(words.METHOD, icon=":material/science:"):
        st.write(plain(words.mood_words(contents.mood)))
        st.write(plain(words.moment_words(contents.moments)))
        if not contents.nothing:
            chart = evidence_chart(contents.mood, contents.moments.found, chart_theme(), WIDE)
            show(chart, "evidence", "The bands are 95 % intervals. Each student counts once.")
        for what, value in words.origin(contents):
            st.caption(f"{what}: {plain(value)}")


@calm
def students(contents: Contents) -> None:
    """One strip per student, and how long each was in view and readable."""
    grid = contents.grid
    if grid is None or not grid.students:
        st.info("No enrolled student was watched in this lesson.", icon=":material/info:")
        return
    st.html(f'<div class="fs-legend">{"".join(chip(state) for state in band_words(grid.states))}</div>')
    chart = bands_chart(grid, contents.visible, contents.markers, chart_theme(), WIDE)
    show(chart, "bands", words.STRIPS)
    with st.expander("The students in numbers"):
        head, rows = words.student_table(contents)
        st.table([dict(zip(map(plain, head), map(plain, row), strict=True)) for row in rows])
    st.caption(f"{words.ORDER} {words.VISIBILITY}" if contents.checks is not None else words.VISIBILITY)
    if contents.corrections:
        st.subheader("Your corrections")
        st.table(
            [
                {
                    "Time": clock(one.second),
                    "Student": plain(one.student),
                    "Predicted": plain(one.said or "unsure"),
                    "Corrected to": plain(one.actually),
                }
                for one in contents.corrections
            ]
        )


@calm
def check_in(contents: Contents) -> None:
    """Students who differed from their own usual, with the evidence."""
    st.subheader(words.CHECK_IN)
    if contents.checks is None:
        st.write("This list needs a lesson of a class, with students whose faces could be read.")
        return
    for line in contents.checks.found:
        with st.container(border=True):
            left, right = st.columns([1, 4], vertical_alignment="center")
            left.markdown(f"**{plain(isolated(line.student))}**")
            right.markdown(f"{plain(words.sentence(line.text))}  \n:gray[{plain(words.sentence(line.sure))}]")
    st.caption(words.check_in_words(contents.checks))


@calm
def over_time(store: LessonStore, lesson: Lesson, contents: Contents) -> None:
    """Everything over more than one lesson."""
    if contents.course is None:
        st.info("The view over weeks needs at least two lessons of this class.", icon=":material/timeline:")
        return
    st.subheader("The class")
    show(trend_chart(contents.course, chart_theme(), WIDE), "course", words.COURSE)
    profiles = [make_profile(old) for old in store.load_earlier(lesson.info)]
    if contents.profile is not None:
        _student(contents.profile, profiles)
    _compare(lesson, profiles, contents)


def _student(today: Profile, earlier: list[Profile]) -> None:
    st.subheader("One student")
    student = st.selectbox("Student", sorted(today.students, key=str.casefold))
    course = student_trend([*earlier, today], student)
    says = "Shares of the student's readable time. A single lesson says little."
    show(trend_chart(course, chart_theme(), WIDE), "student course", says)


def _compare(lesson: Lesson, profiles: list[Profile], contents: Contents) -> None:
    st.subheader("Two lessons")
    names = [f"{isolated(p.info.title or 'Lesson')}, {moment(p.info.started)}" for p in profiles]
    chosen = st.selectbox("Compare with", range(len(names)), format_func=names.__getitem__)
    today = contents.profile or make_profile(lesson)
    comparison = compare(profiles[chosen], today, MINIMUM if contents.aggregate else 1)
    same = (
        ""
        if comparison.same_network
        else " Different networks made the readings of the two lessons, so a change may come from the network."
    )
    both = f"{counted(comparison.students, 'student')} could be read in both lessons."
    says = f"{both} Hollow points: the earlier lesson.{same}"
    show(comparison_chart(comparison, chart_theme(), WIDE), "comparison", says)
