"""Report page of the demo: the visitor's lesson so far, without files to download."""

from __future__ import annotations

from html import escape

import streamlit as st

from fewshot.app.hosted.live import doors
from fewshot.app.reports import REPORTS
from fewshot.app.visitor import visitor
from fewshot.session.lessons import LessonStore
from fewshot.translation import tr


def page() -> None:
    """Draw the page."""
    st.html(f"<h1>{escape(tr('Lesson report'))}</h1>")
    store = LessonStore(owner=visitor())
    lessons = store.lessons()
    if not lessons:
        st.info(tr("There is no lesson yet. Play the lesson of the sample class."), icon=":material/monitoring:")
        doors()
        return
    from fewshot.app.views import report, report_check_in, report_parts, report_student

    left, right = st.columns([3, 2], vertical_alignment="bottom")
    names = {info.id: report.name_of(info) for info in lessons}
    wanted = st.session_state.get("lesson")
    with left:
        chosen = st.selectbox(
            tr("Lesson"), list(names), index=list(names).index(wanted) if wanted in names else 0,
            format_func=names.__getitem__, label_visibility="collapsed",
        )  # fmt: skip
    with right:
        aggregate = st.toggle(tr("Whole class only: no names"))
    st.session_state["lesson"] = chosen
    with st.spinner(tr("Preparing the report …")):
        lesson, contents = REPORTS.of(store, int(chosen), aggregate)
    st.html(f'<span class="fs-badge rec">● {escape(tr("sample: a recorded lesson, not a real class"))}</span>')
    report_parts.lead(contents)
    whole = tr("The class")
    tabs = st.tabs([whole] if contents.aggregate else [whole, tr("Students"), tr("Check in")])
    with tabs[0]:
        report_parts.the_class(store, lesson, contents)
    if not contents.aggregate:
        with tabs[1]:
            report_student.students(store, contents)
        with tabs[2]:
            report_check_in.check_in(store, contents)
    st.caption(tr("In an installation of your own, a report also compares several weeks, and can be saved as a file."))
