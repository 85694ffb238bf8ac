"""The parts of a report that are about one lesson."""

from __future__ import annotations

from html import escape

import streamlit as st

from fewshot.app.palette import chip
from fewshot.app.shell import calm, chart_theme
from fewshot.session.charts.legend import band_words
from fewshot.session.charts.mood import evidence_chart, letter, mood_chart
from fewshot.session.charts.students import bands_chart
from fewshot.session.charts.theme import Chart, stacking, themed
from fewshot.session.report import Contents, words
from fewshot.session.summary import clock

WIDE = 1040
"""Pixels of a chart on the page; fits 1280 with its axis."""


def show(chart: Chart, key: str, says: str) -> None:
    """A chart in the page's theme, with what it says in words for those who cannot see it."""
    st.altair_chart(themed(chart, chart_theme()), theme=None, key=key, width="content")
    st.caption(says)


@calm
def mood(contents: Contents) -> None:
    """The class's mood, and how sure it is."""
    if contents.nothing:
        return
    st.html(f'<div class="fs-legend">{"".join(chip(state) for state in stacking(contents.mood.states))}</div>')
    chart = mood_chart(contents.mood, contents.markers, contents.moments.found, chart_theme(), WIDE, 260)
    show(chart, "mood report", words.mood_words(contents.mood))
    with st.expander("State by state, with how sure each share is"):
        one = evidence_chart(contents.mood, contents.moments.found, chart_theme(), WIDE)
        show(one, "evidence", "Intervals of 95 %, students counted as one each.")
    with st.expander("The mood in numbers"):
        head, rows = words.mood_table(contents.mood)
        st.table([dict(zip(head, row, strict=True)) for row in rows])
    if contents.markers:
        with st.expander("Markers"):
            st.table([{"Time": clock(marker.second), "Marker": marker.text} for marker in contents.markers])


@calm
def moments(contents: Contents) -> None:
    """Moments that stand out."""
    st.subheader("Moments that stand out")
    for number, moment in enumerate(contents.moments.found):
        also = f" At the same time {', '.join(moment.also)}." if moment.also else ""
        after = words.before(contents.markers, moment.start)
        st.html(
            f'<div class="fs-moment"><span class="letter">{letter(number)}</span><div>'
            f"<b>{words.span(moment.start, moment.end)}</b> {chip(moment.state)} "
            f'<span class="fs-muted">{escape(after)}</span><br>{escape(moment.text)}.{escape(also)}<br>'
            f'<span class="fs-muted">{escape(moment.sure[:1].upper() + moment.sure[1:])}.</span></div></div>'
        )
    st.caption(words.moment_words(contents.moments))


@calm
def students(contents: Contents) -> None:
    """A strip a student, and how long each was in view and readable."""
    grid = contents.grid
    if grid is None or not grid.students:
        st.info("Nobody enrolled was watched in this lesson.", icon=":material/info:")
        return
    st.html(f'<div class="fs-legend">{"".join(chip(state) for state in band_words(grid.states))}</div>')
    chart = bands_chart(grid, contents.visible, contents.markers, chart_theme(), WIDE)
    show(chart, "bands", "Thin: unsure. Line: in view, not readable. Empty: not in view. Right: share readable.")
    with st.expander("The students in numbers"):
        head, rows = words.student_table(contents)
        st.table([dict(zip(head, row, strict=True)) for row in rows])
    st.caption(words.VISIBILITY)
    if contents.corrections:
        st.subheader("What you corrected")
        st.table(
            [
                {
                    "Time": clock(one.second),
                    "Student": one.student,
                    "The reading said": one.said or "unsure",
                    "You said": one.actually,
                }
                for one in contents.corrections
            ]
        )


@calm
def check_in(contents: Contents) -> None:
    """Who was unlike their own usual, with the evidence."""
    st.subheader("Check in: unlike their own usual")
    if contents.checks is None:
        st.write("A lesson of a class is needed, with students who were read.")
        return
    for line in contents.checks.found:
        with st.container(border=True):
            left, right = st.columns([1, 4], vertical_alignment="center")
            left.markdown(f"**{line.student}**")
            right.markdown(f"{line.text}.  \n:gray[{line.sure[:1].upper() + line.sure[1:]}.]")
    st.caption(words.check_in_words(contents.checks))
