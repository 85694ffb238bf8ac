"""Which lesson a tab shows: its own, also after a reload, or that of another tab; then the page says so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from fewshot.app.lesson import RunningLesson
from fewshot.app.lesson_room import ROOM
from fewshot.app.shell import isolated, plain
from fewshot.app.visitor import visitor
from fewshot.session.stored_words import class_word, source_word
from fewshot.session.summary import clock
from fewshot.translation import tr

_KNOWN, _CHOOSING = "lessons known", "choosing"
_LESSON = "lesson"
"""A parameter of the address with which a reload finds its lesson again. It is random, not a name or a number."""


def lesson_of_tab() -> RunningLesson | None:
    """The lesson that this tab shows; None if the teacher must choose one."""
    classroom = st.session_state.get("class")
    if classroom is not None:
        return ROOM.of(classroom, visitor())
    running = ROOM.alive(visitor())
    found = [lesson for lesson in running if lesson.token == st.query_params.get(_LESSON)]
    if not found and st.session_state.get(_CHOOSING):
        return None
    candidates = found or running
    if len(candidates) != 1:  # if there are two, the teacher chooses
        return None
    st.session_state["class"] = candidates[0].plan.classroom
    return candidates[0]


def make_known(lesson: RunningLesson) -> None:
    """Note that the teacher at this tab started the lesson, or chose to watch it."""
    st.session_state.setdefault(_KNOWN, set()).add(lesson.token)


@contextmanager
def starting(classroom: str) -> Iterator[None]:
    """Wrap the start of a lesson: it becomes this tab's own, unless a lesson of the class was already running."""
    before = ROOM.of(classroom, visitor())
    yield
    lesson = ROOM.of(classroom, visitor())
    if lesson is not None and lesson is not before:
        make_known(lesson)


def say_over() -> None:
    """Tell the teacher that the lesson of a tab that was loaded again, or connected again, is over."""
    token = st.query_params.get(_LESSON)
    if token is None or any(lesson.token == token for lesson in ROOM.alive(visitor())):
        return
    st.info(
        tr(
            "The lesson that this page showed has ended, for example because fewshot was started again. If it is kept, "
            "you find it on the page Report."
        ),
        icon=":material/info:",
    )


def forget_lesson() -> None:
    """This tab begins anew: its address names no lesson any more."""
    st.query_params.pop(_LESSON, None)


def say_joined(lesson: RunningLesson) -> None:
    """Tell the teacher if the lesson was running before this tab was opened, and let them choose."""
    token = lesson.token
    if token in st.session_state.get(_KNOWN, ()) or st.query_params.get(_LESSON) == token:
        if lesson.alive and st.query_params.get(_LESSON) != token:
            st.query_params[_LESSON] = token
        return
    view = lesson.view()
    if not lesson.alive:
        return
    name = plain(isolated(class_word(lesson.plan.classroom) or tr("none")))
    with st.container(border=True, key="joined"):
        st.markdown(
            tr(
                "**You have joined a lesson that is already running** (class: {name}, source: {source}, length so far: "
                "{time}). Another tab of yours started it. If you pause, stop, mark or correct something here, it "
                "changes for everyone who watches this lesson.",
                name=name,
                source=plain(source_word(lesson.plan.source)),
                time=clock(view.board.second),
            )
        )
        with st.container(horizontal=True):
            if st.button(tr("Stay and watch"), icon=":material/visibility:"):
                make_known(lesson)
                st.rerun()
            if st.button(tr("Leave and choose another lesson"), icon=":material/logout:"):
                st.session_state.pop("class", None)
                st.session_state[_CHOOSING] = True
                st.rerun()
