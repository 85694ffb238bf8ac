"""The students of a lesson: a strip for each, and one student's lesson after a click on it."""

from __future__ import annotations

from dataclasses import replace
from html import escape

import streamlit as st

from fewshot.app import address
from fewshot.app.palette import chip
from fewshot.app.shell import calm, chart_theme, isolated, plain, say_later
from fewshot.app.views.class_student import undo_correction
from fewshot.app.views.report_parts import WIDE, show
from fewshot.classroom.store import ClassStore
from fewshot.session.analysis.grid import UNSURE_STATE, Grid
from fewshot.session.analysis.trends import student_trend
from fewshot.session.charts.legend import band_words
from fewshot.session.charts.students import PICKED, bands_chart
from fewshot.session.charts.theme import themed
from fewshot.session.charts.trend_charts import trend_chart
from fewshot.session.lesson import Correction
from fewshot.session.lessons import LessonStore
from fewshot.session.report import Contents, words
from fewshot.session.summary import clock
from fewshot.translation import later, tr
from fewshot.translation.words import emotion_word

_STUDENT = "student"
"""A parameter of the address: the number of the student, never the name."""
_ALL = later("All students")
_ROW = 44
"""Pixels of the strip of a single student."""


def show_one(number: int | None) -> None:
    """Open the tab Students with one student's lesson, or with None all of them."""
    st.query_params["part"] = "students"
    address.write(_STUDENT, None if number is None else str(number))
    st.rerun()


@calm
def students(store: LessonStore, contents: Contents) -> None:
    """One strip per student, sorted by the difference from their own usual; or the one whom the address names."""
    grid = contents.grid
    if grid is None or not grid.students:
        st.info(tr("No enrolled student was watched in this lesson."), icon=":material/info:")
        return
    name = _named(contents, grid)
    _choose(contents, grid, name)
    legend = "".join(chip(state, emotion_word(state)) for state in band_words(grid.states))
    st.html(f'<div class="fs-legend">{legend}</div>')
    if name is None:
        _everybody(contents, grid)
    else:
        _one(contents, grid, name)
    _corrections(store, contents, name)


def _named(contents: Contents, grid: Grid) -> str | None:
    text = st.query_params.get(_STUDENT)
    if text is None:
        return None
    number = address.number_in(text)
    name = next((one for one in grid.students if contents.numbers.get(one) == number), None)
    if name is None:
        st.warning(tr("The student of this address is not in this lesson, or not any more."), icon=":material/info:")
    return name


def _choose(contents: Contents, grid: Grid, name: str | None) -> None:
    """The same as a click on a strip, for the keyboard and for long lists."""
    choices = [_ALL, *grid.students]
    chosen = st.selectbox(
        tr("Whose lesson"),
        range(len(choices)),
        index=0 if name is None else choices.index(name, 1),
        format_func=lambda place: isolated(choices[place]) if place else tr(_ALL),
        width=320,
    )
    if chosen is not None and (choices[chosen] if chosen else None) != name:
        show_one(contents.numbers.get(choices[chosen]) if chosen else None)


def _everybody(contents: Contents, grid: Grid) -> None:
    chart = bands_chart(grid, contents.visible, contents.markers, chart_theme(), WIDE, pick=True)
    picked = show(chart, "bands", tr(words.STRIPS_TO_CLICK), PICKED)
    if picked and (number := contents.numbers.get(picked)) is not None:
        show_one(number)
    with st.expander(tr("The students in numbers")):
        head, rows = words.student_table(contents)
        st.table([dict(zip(map(plain, head), map(plain, map(words.unbroken, row)), strict=True)) for row in rows])
    order = tr(words.ORDER) if contents.checks is not None else ""
    st.caption(words.joined(order, tr(words.VISIBILITY)))


def _one(contents: Contents, grid: Grid, name: str) -> None:
    st.subheader(plain(isolated(name)))
    row = grid.students.index(name)
    alone = replace(grid, students=[name], shown=grid.shown[[row]])
    chart = bands_chart(
        alone, [contents.visible[row]], contents.markers, chart_theme(), WIDE, _ROW, names=False, pick=True
    )
    st.altair_chart(themed(chart, chart_theme()), theme=None, key="one strip", width="content")
    _, rows = words.student_table(contents)
    _, seen, read, shown = rows[row]
    told = tr(
        "In view {seen}, readable {read}. Shown most, as a share of the readable time: {shown}.",
        seen=seen,
        read=read,
        shown=shown,
    )
    st.write(plain(words.unbroken(told)))
    if contents.markers:
        marks = "; ".join(f"{clock(one.second)} {isolated(one.text)}" for one in contents.markers)
        st.caption(plain(tr("Markers: {markers}.", markers=marks)))
    for item in contents.items:
        if item.student == name:
            lines = [words.sentence(words.item_state(item)), *words.item_words(item)]
            st.html(f'<p class="fs-hint">{"<br>".join(escape(words.unbroken(line)) for line in lines)}</p>')
    st.caption(tr(words.VISIBILITY))
    if contents.profile is not None and contents.past:
        st.subheader(tr("Over weeks"))
        course = student_trend([*contents.past, contents.profile], name)
        says = tr("Shares of the student's readable time. A single lesson says little.")
        show(trend_chart(course, chart_theme(), WIDE), "student over weeks", says)


@calm
def _corrections(store: LessonStore, contents: Contents, name: str | None) -> None:
    """The teacher's corrections of the lesson, each with its undo."""
    mine = [one for one in contents.corrections if name in (None, one.student)]
    if not mine:
        return
    st.subheader(tr("Your corrections"))
    for one in mine:
        left, right = st.columns([4, 1], vertical_alignment="center")
        told = tr(
            "{time} {student}: predicted {said}, corrected to {actually}",
            time=clock(one.second),
            student=f"<b>{escape(isolated(one.student))}</b>",
            said=escape(emotion_word(one.said or UNSURE_STATE)),
            actually=escape(emotion_word(one.actually)),
        )
        left.html(f"<span>{told}</span>")
        if right.button(tr("Undo"), key=f"undo correction {one.id}", icon=":material/undo:", width="stretch"):
            _undo(store, contents, one)
    st.caption(tr(words.CORRECTIONS))


@calm
def _undo(store: LessonStore, contents: Contents, one: Correction) -> None:
    undo_correction(ClassStore(store.database, store.owner), contents.info.classroom, one.id)
    say_later(
        tr(
            "The correction “{state}” of {student} was undone.",
            state=emotion_word(one.actually),
            student=isolated(one.student),
        )
    )
    st.rerun()
