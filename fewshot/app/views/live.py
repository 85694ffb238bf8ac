"""Live: the class at a glance while the lesson runs."""

from __future__ import annotations

from collections import Counter

import streamlit as st

from fewshot.app.components import board, picture
from fewshot.app.lesson import RunningLesson
from fewshot.app.lesson_parts import LessonView
from fewshot.app.looks import note_look
from fewshot.app.shell import asset, calm, say_no_classes
from fewshot.app.tiles import board_data, tiles_legend
from fewshot.app.views import live_controls, live_glance, live_guests, live_joined, live_sent, live_setup, live_side
from fewshot.session.stored_words import source_word
from fewshot.translation import tr, tr_n
from fewshot.types import EMOTIONS

TILES_EVERY, SIDE_EVERY, HEAD_EVERY = 0.22, 2.0, 1.0
"""Seconds between two updates: more than four updates per second for the tiles, fewer for what changes slowly."""


def page() -> None:
    """Draw the page."""
    if say_no_classes():
        return
    lesson = live_joined.lesson_of_tab()
    if lesson is None:
        live_setup.page()
        return
    if not live_controls.projected():
        live_joined.say_joined(lesson)
    if lesson.alive and lesson.view().state != "preparing":  # before that it has no number
        note_look(lesson.plan.classroom, lesson.id, live=True)
    show(lesson)


def show(lesson: RunningLesson, tiles: float = TILES_EVERY, head: float = HEAD_EVERY, side: float = SIDE_EVERY) -> None:
    """Draw a lesson: its head, its tiles, and what is beside them, each with its seconds between two updates."""
    st.session_state["state_seen"] = lesson.view().state
    if live_controls.projected() and not lesson.plan.credit:
        _for_projector(lesson, head, side)
        return
    hidden = live_controls.names_hidden()  # before the switch is drawn, which shows it
    live_controls.head(lesson, head)
    notices = st.container(key="camera-notices") if lesson.plan.sent is not None else None
    whole = lesson.plan.aggregate or not lesson.plan.students or hidden
    if lesson.plan.credit:
        live_glance.credit(lesson)
    else:
        live_glance.glance(lesson, head, whole)
    if whole:
        if not hidden:  # a class without students begins here
            live_guests.panel(lesson)
        live_side.whole_class(lesson, side)
        live_sent.sender(lesson, notices)
        return
    with st.container(key="board"):
        left, right = st.columns([3.1, 1], gap="medium")
    with left:
        # Only this part is drawn again several times per second.
        st.fragment(_tiles, run_every=tiles)(lesson)
        st.html(tiles_legend([state for state in lesson.states if state not in EMOTIONS]))
        live_guests.panel(lesson)
    with right:
        live_side.correction(lesson)
        live_side.side(lesson, side)
    live_sent.sender(lesson, notices)


def _for_projector(lesson: RunningLesson, head: float, side: float) -> None:
    """What everybody in the room may see: the whole class, large; no name, no hint for the teacher, no button to press
    by mistake. The app's menu and the line with the teacher's name are hidden."""
    st.html(f"<style>{asset('projector.css')}</style>")
    with st.container(key="projector"):
        live_controls.projector_head(lesson, head)
        live_side.whole_class(lesson, side, far=True)
    live_sent.sender(lesson, st.container(key="camera-notices") if lesson.plan.sent is not None else None)


@calm
def _tiles(lesson: RunningLesson) -> None:
    view = lesson.view()
    live_controls.follow(lesson, view)
    if view.state == "preparing":
        st.info(
            tr("Getting ready: opening the source and loading the models. This takes a few seconds."),
            icon=":material/hourglass:",
        )
    if st.session_state.get("with_picture"):
        _picture(lesson, view)
    held = live_side.held(lesson)
    if held is not None and not lesson.may_name(held.student):
        del st.session_state["picked"]
        st.rerun()
    chosen = held.student if held is not None else None
    first = live_glance.attention_first(lesson)
    data = board_data(
        view.board, drawn=lesson.plan.recorded, chosen=chosen, first=first, portraits=lesson.plan.portraits
    )
    picked = board(data, key="tiles")
    _about_labels(view)
    if picked is not None:
        st.session_state["picked"] = lesson.pick(picked)
        st.rerun()


def _about_labels(view: LessonView) -> None:
    """Where names come from, if not from faces, and why faces have none that could have one."""
    words = [tr("Names come from the labels of the call. No face is recognised.")] if view.plan.by_label else []
    for reason, count in Counter(view.doubts).items():
        words.append(
            tr_n(
                "{number} face has no name: {reason}.",
                "{number} faces have no name: {reason}.",
                count,
                reason=tr(reason),
            )
        )
    if words:
        st.caption(" ".join(words))


def _picture(lesson: RunningLesson, view: LessonView) -> None:
    jpeg = lesson.picture()
    if jpeg:
        words = tr_n(
            "The picture of {source} with {number} student marked",
            "The picture of {source} with {number} students marked",
            view.board.in_view, source=source_word(view.plan.source),
        )  # fmt: skip
        picture(jpeg, words, key="picture")
    elif not lesson.plan.recorded:
        st.caption(tr("There is no picture now."))
    else:
        st.caption(tr("There is no picture. This lesson is a recording that contains only readings."))
