"""The parts of a report that set lessons side by side: a class's and a student's course, two lessons compared."""

from __future__ import annotations

import streamlit as st

from fewshot.app.reports import earlier_ones
from fewshot.app.shell import calm, chart_theme
from fewshot.app.views.report_parts import WIDE, show
from fewshot.session.analysis.course import compare, student_course
from fewshot.session.analysis.profile import Profile, make_profile
from fewshot.session.analysis.words import MINIMUM
from fewshot.session.charts.course import comparison_chart, course_chart
from fewshot.session.lesson import Lesson
from fewshot.session.lessons import LessonStore
from fewshot.session.report import Contents

_CALM = "Mean share of the readable time over students, with intervals of 95 % over students."


def past(store: LessonStore, lesson: Lesson) -> list[Lesson]:
    """Earlier lessons of the class."""
    return [store.load(info.id) for info in earlier_ones(store.lessons(lesson.info.classroom), lesson.info)]


@calm
def page(store: LessonStore, lesson: Lesson, contents: Contents) -> None:
    """Everything over more than one lesson."""
    if contents.course is None:
        st.info("The course over weeks needs a second lesson of the class.", icon=":material/timeline:")
        return
    st.subheader("The class")
    show(course_chart(contents.course, chart_theme(), WIDE), "course", _CALM)
    profiles = [make_profile(old) for old in past(store, lesson)]
    if contents.profile is not None:
        _student(contents.profile, profiles)
    _compare(lesson, profiles, contents)


def _student(today: Profile, earlier: list[Profile]) -> None:
    st.subheader("One student")
    student = st.selectbox("Student", sorted(today.students, key=str.casefold))
    course = student_course([*earlier, today], student)
    says = "Shares of the student's readable time; a single lesson says little."
    show(course_chart(course, chart_theme(), WIDE), "student course", says)


def _compare(lesson: Lesson, profiles: list[Profile], contents: Contents) -> None:
    st.subheader("Two lessons")
    names = [f"{p.info.title or 'Lesson'}, {p.info.started.astimezone():%d %b %Y, %H:%M}" for p in profiles]
    chosen = st.selectbox("Compare with", range(len(names)), format_func=names.__getitem__)
    today = contents.profile or make_profile(lesson)
    comparison = compare(profiles[chosen], today, MINIMUM if contents.aggregate else 1)
    same = "" if comparison.same_network else " The two were read by different networks: a change may come from that."
    says = f"{comparison.students} students were readable in both; hollow: the earlier lesson.{same}"
    show(comparison_chart(comparison, chart_theme(), WIDE), "comparison", says)
