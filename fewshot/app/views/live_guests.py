"""On the page Live: the faces of people who are not enrolled, and "Who is this?"."""

from __future__ import annotations

from html import escape

import streamlit as st

from fewshot.app.guests import Guest
from fewshot.app.lesson import RunningLesson
from fewshot.app.shell import calm, isolated, say_later
from fewshot.app.views.who_is_this import ask, faces_html, outcome
from fewshot.session.summary import clock
from fewshot.translation import later, tr, tr_n

EVERY = 3.0
"""Seconds between two updates of the faces."""
_CHOSEN = "guest"
"""In the session of a tab: (lesson, number of the person that is being named). No picture is kept there."""
NOTICE = later(
    "Each person who is not enrolled gets a tile with the best pictures of the face, so that you can say who it is. "
    "The faces are only in memory, and in no file. Nothing is stored until you have written a name and who gave "
    "consent. The faces vanish with the lesson, and at once when you switch this off."
)
_PER_ROW = 3


def switch(lesson: RunningLesson) -> None:
    """The switch in the menu View; nothing where nobody can be enrolled."""
    if not lesson.guests.possible:
        return
    key = f"collect {lesson.token}"
    st.session_state[key] = lesson.guests.on  # another tab may have changed it
    st.toggle(
        tr("Collect faces of people who are not enrolled"), key=key,
        on_change=lambda: lesson.guests.switch(bool(st.session_state[key])),
    )  # fmt: skip
    st.caption(tr(NOTICE))


def panel(lesson: RunningLesson) -> None:
    """The tiles of unknown people below those of the students, or the form for the one that was clicked."""
    if not lesson.guests.possible:
        st.session_state.pop(_CHOSEN, None)
        return
    guest = _chosen(lesson)
    if guest is None:
        st.fragment(_gallery, run_every=EVERY)(lesson)
    else:
        _name(lesson, guest)


def _chosen(lesson: RunningLesson) -> Guest | None:
    """The person that is being named; None if there is none, or if the faces are gone."""
    token, number = st.session_state.get(_CHOSEN, ("", 0))
    guest = lesson.guests.of(number) if token == lesson.token else None
    if guest is None:
        st.session_state.pop(_CHOSEN, None)
    return guest


@calm
def _gallery(lesson: RunningLesson) -> None:
    if not lesson.guests.on:
        return
    guests, unclear = lesson.guests.view(), lesson.guests.unclear()
    with st.container(border=True, key="guests"):
        left, right = st.columns([3, 1], vertical_alignment="center")
        left.html(
            f"<b>{escape(tr('People who are not enrolled'))}</b> "
            f"<span class='fs-muted'>{escape(_count(guests, unclear))}</span>"
        )
        if right.button(tr("Delete these faces"), icon=":material/delete:", key="delete guests", width="stretch"):
            lesson.guests.switch(False)
            st.rerun()
        for start in range(0, len(guests), _PER_ROW):
            columns = st.columns(_PER_ROW)
            for column, guest in zip(columns, guests[start : start + _PER_ROW], strict=False):
                with column.container(border=True):
                    _tile(lesson, guest)
        if not lesson.alive:
            st.caption(
                tr(
                    "The lesson is over. You can still name these people for ten minutes, or until you start a new "
                    "lesson."
                )
            )


def _count(guests: tuple[Guest, ...], unclear: int) -> str:
    words = tr_n("{number} person", "{number} people", len(guests)) if guests else tr("nobody yet")
    if not unclear:
        return words
    return tr_n(
        "{people}; of {number} person there is no good picture yet (48 pixels wide, sharp, towards the camera)",
        "{people}; of {number} people there is no good picture yet (48 pixels wide, sharp, towards the camera)",
        unclear, people=words,
    )  # fmt: skip


def _tile(lesson: RunningLesson, guest: Guest) -> None:
    st.html(faces_html(guest.best, tr("Face of person {number}, who is not enrolled", number=guest.number)))
    st.caption(tr("Person {number}, last seen at {time}", number=guest.number, time=clock(guest.last)))
    if guest.label:
        label = tr("Label of the call: {label}", label=isolated(guest.label))
        st.html(f"<div class='fs-muted'>{escape(label)}</div>")
    if st.button(tr("Who is this?"), key=f"who {guest.number}", icon=":material/help:", width="stretch"):
        lesson.guests.hold(guest.number)
        st.session_state[_CHOSEN] = lesson.token, guest.number
        st.rerun()


@calm
def _name(lesson: RunningLesson, guest: Guest) -> None:
    with st.container(border=True, key="who is this"):
        person = tr("Person {number}", number=guest.number)
        seen = tr("last seen at {time}", time=clock(guest.last))
        st.html(f"<b>{escape(person)}</b> <span class='fs-muted'>{escape(seen)}</span>")
        lesson.guests.hold(guest.number)
        roster = lesson.guests.roster()
        key = f"guest {lesson.token} {guest.number}"
        done = ask(guest, roster, lesson.states, lambda naming: lesson.enroll(guest.number, naming), key)
        if done is not None:
            _leave(lesson, guest)
            say_later(outcome(done))
            st.rerun()
        _other(lesson, guest)


def _other(lesson: RunningLesson, guest: Guest) -> None:
    """The other answers: the same person as on another tile, nobody of the class, or later."""
    others = [one.number for one in lesson.guests.view() if one.number != guest.number]
    left, middle, right = st.columns(3, vertical_alignment="bottom")
    if others:
        twice = left.selectbox(
            tr("Same person twice"), others, index=None, placeholder=tr("the same as …"), key=f"same {guest.number}",
            format_func=lambda number: tr("the same as person {number}", number=number),
        )  # fmt: skip
        if twice is not None:
            lesson.guests.merge(guest.number, twice)
            st.rerun()
    if middle.button(
        tr("Not a student"), icon=":material/person_off:", key="not a student", width="stretch",
        help=tr("The faces of this person are deleted, and none is collected in this lesson any more."),
    ):  # fmt: skip
        lesson.guests.forget(guest.number)
        _leave(lesson, guest)
        st.rerun()
    if right.button(tr("Back"), key="leave guest", width="stretch"):
        _leave(lesson, guest)
        st.rerun()


def _leave(lesson: RunningLesson, guest: Guest) -> None:
    lesson.guests.release(guest.number)
    st.session_state.pop(_CHOSEN, None)
