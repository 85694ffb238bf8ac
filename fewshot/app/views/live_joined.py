"""Which lesson a tab shows: its own, one it was loaded anew in, or another teacher's, and then it says so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from fewshot.app.lesson import RunningLesson
from fewshot.app.lesson_room import ROOM
from fewshot.session.summary import clock

_KNOWN, _CHOOSING = "lessons known", "choosing"
_LESSON = "lesson"
"""Of the address: a reload finds its lesson again by it. A word made by chance, no name and no number."""


def lesson_of_tab() -> RunningLesson | None:
    """The lesson that this tab shows; None where the teacher is to choose."""
    classroom = st.session_state.get("class")
    if classroom is not None:
        return ROOM.of(classroom)
    running = ROOM.alive()
    found = [lesson for lesson in running if lesson.token == st.query_params.get(_LESSON)]
    if not found and st.session_state.get(_CHOOSING):
        return None
    candidates = found or running
    if len(candidates) != 1:  # of two, the teacher chooses
        return None
    st.session_state["class"] = candidates[0].plan.classroom
    return candidates[0]


def make_known(lesson: RunningLesson) -> None:
    """The teacher at this tab started the lesson, or chose to look on."""
    st.session_state.setdefault(_KNOWN, set()).add(lesson.token)


@contextmanager
def starting(classroom: str) -> Iterator[None]:
    """Around what starts a lesson: it is this tab's own, unless the class was having one already."""
    before = ROOM.of(classroom)
    yield
    lesson = ROOM.of(classroom)
    if lesson is not None and lesson is not before:
        make_known(lesson)


def say_joined(lesson: RunningLesson) -> None:
    """Say so where a lesson was running before this tab came, and let the teacher choose."""
    token = lesson.token
    if token in st.session_state.get(_KNOWN, ()) or st.query_params.get(_LESSON) == token:
        if lesson.alive and st.query_params.get(_LESSON) != token:
            st.query_params[_LESSON] = token
        return
    view = lesson.view()
    if not lesson.alive:
        return
    with st.container(border=True, key="joined"):
        st.markdown(
            f"**You have joined a lesson that was running already**, for {clock(view.board.second)}: another tab or "
            f"another teacher started it (class: {lesson.plan.classroom or 'none'}; watching {lesson.plan.source}). "
            "What you pause, stop, mark or correct here holds for everybody who looks on."
        )
        with st.container(horizontal=True):
            if st.button("Stay and look on", icon=":material/visibility:"):
                make_known(lesson)
                st.rerun()
            if st.button("Leave it and choose another", icon=":material/logout:"):
                st.session_state.pop("class", None)
                st.session_state[_CHOOSING] = True
                st.rerun()
