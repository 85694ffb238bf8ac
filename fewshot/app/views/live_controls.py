"""The head of the live page: which lesson is running, for how long, and the buttons."""

from __future__ import annotations

from html import escape

import streamlit as st

from fewshot.app.lesson import RunningLesson
from fewshot.app.lesson_parts import LessonView
from fewshot.app.lesson_room import ROOM
from fewshot.app.shell import calm, go, isolated, plain, say_advice, say_later
from fewshot.app.views import live_guests
from fewshot.app.views.live_glance import choose_order
from fewshot.app.views.live_joined import forget_lesson
from fewshot.app.visitor import visitor
from fewshot.session.stored_words import QUICK, class_word, marker_word
from fewshot.session.summary import clock
from fewshot.translation import later, tr, tr_n

BADGES = {
    "preparing": ("off", later("getting ready")),
    "running": ("live", later("live")),
    "paused": ("off", later("paused")),
    "ended": ("off", later("ended")),
    "failed": ("off", later("stopped")),
}

_NAMES, _PROJECTOR = "names", "projector"
"""Parameters of the address, which survive a reload of the page."""


def head(lesson: RunningLesson, every: float) -> None:
    """Name, state and clock on the left, buttons on the right."""
    with st.container(key="wrap-head"):
        left, right = st.columns([5, 6], vertical_alignment="center")
    with left:
        st.fragment(_status, run_every=every)(lesson)
    with right:
        _buttons(lesson)
    with st.container(key="note"):
        st.fragment(_note, run_every=every)(lesson)


@calm
def _note(lesson: RunningLesson) -> None:
    view = lesson.view()
    if view.state == "failed":
        st.error(plain(view.note or tr("The lesson ended early.")), icon=":material/info:")
    elif view.note:
        st.warning(plain(view.note), icon=":material/info:")
    if view.state in ("running", "paused"):
        say_advice(view.advice)


@calm
def _status(lesson: RunningLesson) -> None:
    view = lesson.view()
    follow(lesson, view)
    st.html(status_html(view))


def follow(lesson: RunningLesson, view: LessonView) -> None:
    """Draw the page again when another tab paused or ended the lesson, or started the next one of the class."""
    newer = ROOM.of(lesson.plan.classroom, visitor())
    if view.state != st.session_state.get("state_seen") or (newer is not None and newer is not lesson):
        st.rerun()  # controls and advice belong to a state


def status_html(view: LessonView) -> str:
    """Class, badge, clock and how many are in view, in one line."""
    kind, word = BADGES[view.state]
    if view.plan.recorded and view.state in ("running", "paused"):
        kind = "rec"
        word = later("recorded lesson, playing") if view.state == "running" else later("recorded lesson, paused")
    name = class_word(view.plan.classroom) or tr("Without a class")
    seen = ""
    if view.board.tiles:
        seen = tr("{number} of {all} in view", number=view.board.in_view, all=len(view.board.tiles))
    if view.plan.aggregate:
        seen = tr("whole class only")
    elif not view.plan.students:
        seen = tr_n("{number} person in view", "{number} people in view", view.board.in_view)
    badge = f'<span class="fs-badge {kind}">● {escape(tr(word))}</span>'
    return (
        f'<div class="fs-head"><h1>{escape(isolated(name))}</h1>{badge}'
        f'<span class="fs-clock">{clock(view.board.second)}</span><span class="fs-muted">{escape(seen)}</span></div>'
    )


def _buttons(lesson: RunningLesson) -> None:
    view = lesson.view()
    columns = st.columns([1.1, 1.15, 1, 1.15, 1.1], vertical_alignment="center")
    if view.state in ("ended", "failed"):
        _after(lesson, columns)
        return
    ready = view.state != "preparing"
    with columns[0]:
        if view.state == "paused":
            st.button(tr("Resume"), icon=":material/play_arrow:", on_click=lesson.resume, width="stretch")
        else:
            st.button(tr("Pause"), icon=":material/pause:", on_click=lesson.pause, disabled=not ready, width="stretch")
    with columns[1], st.popover(tr("Mark"), icon=":material/flag:", disabled=not ready, width="stretch"):
        _mark(lesson)
    with columns[2], st.popover(tr("Stop"), icon=":material/stop:", width="stretch"):
        st.write(tr("This ends the lesson for everyone who watches it. It cannot be continued."))
        if st.button(tr("End the lesson"), type="primary", icon=":material/stop:", width="stretch"):
            with st.spinner(tr("Saving the last seconds …")):
                lesson.stop()
            st.rerun()
    with columns[3], st.popover(tr("View"), icon=":material/visibility:", width="stretch"):
        _view(lesson)
    skip = getattr(lesson.engine, "skip", None)
    if skip is not None:
        columns[4].button(tr("+1 min"), icon=":material/fast_forward:", on_click=skip, args=(60.0,), width="stretch")


def _after(lesson: RunningLesson, columns: list) -> None:  # type: ignore[type-arg]
    kept = lesson.id is not None and lesson.kept
    free = iter(columns)
    if kept and next(free).button(tr("Report"), type="primary", icon=":material/monitoring:", width="stretch"):
        go("report", lesson=lesson.id)
    if next(free).button(tr("New lesson"), icon=":material/add:", width="stretch"):
        ROOM.forget(lesson.plan.classroom, visitor())
        forget_lesson()
        st.rerun()


def _mark(lesson: RunningLesson) -> None:
    for text in QUICK:
        if st.button(marker_word(text), key=f"mark {text}", width="stretch"):
            _set_mark(lesson, text)
    with st.form("mark", clear_on_submit=True, border=False):
        text = st.text_input(tr("Another text"), placeholder=tr("exercise 2"), max_chars=80)
        if st.form_submit_button(tr("Mark this moment"), width="stretch"):
            _set_mark(lesson, text)


@calm
def _set_mark(lesson: RunningLesson, text: str) -> None:
    lesson.mark(text)
    say_later(tr("Marked: {text}", text=marker_word(text)) if text else tr("Marked: this moment"))
    st.rerun()


def _view(lesson: RunningLesson) -> None:
    if not lesson.plan.aggregate and lesson.plan.students:
        st.toggle(tr("Whole class only: no names, no tiles"), key="whole_class", on_change=_remember_names)
        if not names_hidden() and not lesson.plan.credit:
            choose_order()
    if not lesson.plan.credit:
        st.button(
            tr("For the projector"), key="for the projector", icon=":material/present_to_all:", width="stretch",
            on_click=_project, args=(True,),
            help=tr("The whole class in large letters, without names, tiles and buttons."),
        )  # fmt: skip
    if not names_hidden():
        live_guests.switch(lesson)
    if not lesson.plan.recorded:
        st.toggle(tr("Show the picture with boxes"), key="with_picture", disabled=lesson.plan.aggregate)
    if lesson.plan.aggregate:
        st.caption(tr("This lesson keeps counts for the whole class, and nothing about single students."))


def names_hidden() -> bool:
    """Whether this tab hides the names. A reload or a visit to another page must not bring them back."""
    hidden = st.session_state.get("names_hidden", st.query_params.get(_NAMES) == "hidden")
    st.session_state.setdefault("whole_class", hidden)
    return bool(hidden) or projected()


def projected() -> bool:
    """Whether this tab is for a projector, which everybody in the room sees. A reload must not bring names back."""
    return bool(st.session_state.get("projected", st.query_params.get(_PROJECTOR) == "on"))


def _project(on: bool) -> None:
    st.session_state["projected"] = on
    if on:
        st.query_params[_PROJECTOR] = "on"
    else:
        st.query_params.pop(_PROJECTOR, None)


def projector_head(lesson: RunningLesson, every: float) -> None:
    """The head of the page for a projector: name, state, clock, and the way back."""
    left, right = st.columns([5, 1], vertical_alignment="center")
    with left:
        st.fragment(_status, run_every=every)(lesson)
    right.button(
        tr("Leave"), key="leave the projector", icon=":material/close:", width="stretch", on_click=_project,
        args=(False,), help=tr("Back to the page with the buttons."),
    )  # fmt: skip


def _remember_names() -> None:
    hidden = st.session_state["names_hidden"] = st.session_state["whole_class"]
    if hidden:
        st.query_params[_NAMES] = "hidden"
    else:
        st.query_params.pop(_NAMES, None)
