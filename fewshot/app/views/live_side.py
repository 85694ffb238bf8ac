"""Beside the tiles: the mood of the class, markers, and the second click of a correction."""

from __future__ import annotations

import base64
from html import escape

import streamlit as st

from fewshot.app.board import FEWEST, BoardView, states_in
from fewshot.app.lesson import RunningLesson
from fewshot.app.lesson_parts import LessonView, Picked
from fewshot.app.moodchart import live_mood_spec
from fewshot.app.palette import image, look_of
from fewshot.app.shell import calm, chart_theme, isolated, plain, say_later
from fewshot.classroom.corrections import Learned
from fewshot.session.analysis.words import day, percent
from fewshot.session.summary import clock

_LATEST, _MOST = 4, 30
"""How many corrections are shown: those of this lesson directly, earlier ones in a folded list."""
TOO_FEW = (
    f"The mood of the class is shown when at least {FEWEST} people are in view. With fewer it could reveal one person."
)


def side(lesson: RunningLesson, every: float = 2.0) -> None:
    """The column beside the tiles."""
    st.fragment(_side, run_every=every)(lesson)


def whole_class(lesson: RunningLesson, every: float, far: bool = False) -> None:
    """The whole class, without names and tiles; ``far``: it is read from a distance."""
    st.fragment(_whole, run_every=every)(lesson, far)


def held(lesson: RunningLesson) -> Picked | None:
    """The reading that was clicked in this lesson. A click in an earlier lesson is forgotten."""
    picked: Picked | None = st.session_state.get("picked")
    if picked is not None and picked.lesson != lesson.token:
        del st.session_state["picked"]
        return None
    return picked


def correction(lesson: RunningLesson) -> None:
    """Ask what a clicked student really showed; the answer is the second click."""
    picked = held(lesson)
    if picked is None:
        return
    with st.container(border=True, key="correction"):
        st.html(picked_html(picked))
        if not lesson.learns:
            st.caption("In your own class you choose here what the student really showed, and fewshot learns from it.")
        elif picked.vector is not None:
            _confirm(lesson, picked)
            st.caption("Or what did the student really show? fewshot learns from your answer.")
            _answers(lesson)
        else:
            st.caption("This face could not be read, so there is nothing to learn from. Try again later.")
        if lesson.can_deny and picked.track >= 0:
            _deny(lesson, picked)
        if st.button("Close", key="close correction", width="stretch"):
            del st.session_state["picked"]
            st.rerun()


def picked_html(picked: Picked) -> str:
    """The reading that was clicked: the face, the three nearest states, and what each of them rests on."""
    said = picked.said or "unsure"
    face = ""
    if picked.crop:
        # Inside the page: a picture with an address of its own could be fetched by others, and would lie in a cache.
        source = base64.b64encode(picked.crop).decode()
        face = f'<img class="fs-face" alt="The face that was read" src="data:image/png;base64,{source}">'
    head = (
        f'<div class="fs-picked">{face}<div><b>{escape(isolated(picked.student))}</b><br>{image(said)} {escape(said)}, '
        f"at {clock(picked.second)}</div></div>"
    )
    rows = "".join(
        f'<span class="fs-chip" style="margin:0">{image(near.state)}{escape(near.state)}</span>'
        f'<span class="b"><i style="width:{100 * near.share:.0f}%;background:{look_of(near.state).colour}"></i></span>'
        f'<span class="n">{percent(near.share)}</span><span class="why">{escape(near.rests_on)}</span>'
        for near in picked.nearest
    )
    return f'{head}<div class="fs-rows fs-near">{rows}</div>' if rows else head


@calm
def _confirm(lesson: RunningLesson, picked: Picked) -> None:
    if picked.said in lesson.states and st.button(
        "Yes, that is right", key="that is right", icon=":material/check:", width="stretch"
    ):
        _correct(lesson, str(picked.said))


@calm
def _deny(lesson: RunningLesson, picked: Picked) -> None:
    if st.button(
        f"Not {plain(isolated(picked.student))}", key="not this student", icon=":material/person_off:", width="stretch",
        help="This face is somebody else's. It loses the name as long as it stays in view, and the tile is emptied. "
        "What was recorded before stays in the report.",
    ):  # fmt: skip
        lesson.deny(picked)
        del st.session_state["picked"]
        say_later(
            f"The face no longer has the name {isolated(picked.student)}. You can undo it in the column on the right."
        )
        st.rerun()


@calm
def _answers(lesson: RunningLesson) -> None:
    picked = st.session_state["picked"]
    states = [state for state in lesson.states if state != picked.said]
    # Each button is as wide as its word: in equal columns a long word would be cut off.
    with st.container(horizontal=True, gap="small"):
        for state in states:
            if st.button(plain(state), key=f"really {state}"):
                _correct(lesson, state)
    if lesson.plan.credit:
        return  # no state is made up for a real face
    other = st.text_input("Another state", placeholder="one word", key="own state", max_chars=40)
    if other and st.button(f"It is “{plain(other)}”", width="stretch"):
        from fewshot.classroom.names import emotion_of

        _correct(lesson, emotion_of(other))


def _correct(lesson: RunningLesson, state: str) -> None:
    picked = st.session_state.pop("picked")
    lesson.correct(picked, state)
    really = "confirmed" if state == picked.said else "corrected"
    say_later(
        f"{isolated(picked.student)}: {state}, {really}. fewshot has learned it. You can undo it in the column on the "
        "right."
    )
    st.rerun()


@calm
def _side(lesson: RunningLesson) -> None:
    view = lesson.view()
    _now(view.board)
    if view.board.mood:
        _chart(view, 150)
    _learned(lesson)
    _markers(lesson, view)


@calm
def _whole(lesson: RunningLesson, far: bool) -> None:
    view = lesson.view()
    left, right = st.columns([1, 2.2], gap="large")
    with left:
        _now(view.board)
        _markers(lesson, view, undo=not far)
    with right:
        if view.board.mood:
            _chart(view, 620 if far else 420, 20 if far else None)


def _chart(view: LessonView, height: int, letters: int | None = None) -> None:
    board = view.board
    spec = live_mood_spec(board.mood, view.markers, board.second, chart_theme(), height, letters)
    st.vega_lite_chart(spec=spec, theme=None, key="mood", width="stretch")


def _now(view: BoardView) -> None:
    """How many people showed which state in the last seconds."""
    recent = [step for step in view.mood[-3:] if step.people]
    if not recent:
        st.html(f'<p class="fs-muted">{TOO_FEW}</p>')
        return
    st.html(now_html(view))


def now_html(view: BoardView) -> str:
    """The last 15 seconds as rows with icon, word, bar and share."""
    recent = [step for step in view.mood[-3:] if step.people]
    people = sum(step.people for step in recent) / len(recent)
    rows = []
    shares = {state: sum(step.share([state]) for step in recent) / len(recent) for state in states_in(recent)}
    for state, share in sorted(shares.items(), key=lambda item: -item[1]):
        colour = look_of(state).colour
        rows.append(
            f'<span class="fs-chip" style="margin:0">{image(state)}{escape(state)}</span>'
            f'<span class="b"><i style="width:{100 * share:.0f}%;background:{colour}"></i></span>'
            f'<span class="n">{percent(share)}</span>'
        )
    return (
        '<p style="margin:.1rem 0 .4rem"><b>The class now</b> '
        f'<span class="fs-muted">{people:.0f} people readable</span></p>'
        f'<div class="fs-rows">{"".join(rows)}</div>'
    )


def _learned(lesson: RunningLesson) -> None:
    """The latest corrections of this lesson, and in a folded list all earlier ones that are still in use."""
    for track, student in lesson.denied:
        left, right = st.columns([2, 1], vertical_alignment="center")
        left.html(f'<span class="fs-muted">A face that is not <b>{escape(isolated(student))}</b></span>')
        if right.button("Undo", key=f"allow {track} {student}", width="stretch"):
            lesson.allow(track, student)
            say_later(f"The face may be named {isolated(student)} again.")
            st.rerun()
    corrections = lesson.corrections()
    latest = [one for one in corrections if one.lesson == lesson.id][:_LATEST]
    for one in latest:
        _correction_row(lesson, one, clock(one.second))
    earlier = [one for one in corrections if one not in latest]
    if earlier:
        with st.expander("Earlier corrections of this class", icon=":material/history:"):
            for one in earlier[:_MOST]:
                _correction_row(lesson, one, f"{day(one.made)}")
            if len(earlier) > _MOST:
                st.caption(f"{len(earlier) - _MOST} older corrections are on the students' cards, on the page Class.")


def _correction_row(lesson: RunningLesson, one: Learned, when: str) -> None:
    left, right = st.columns([2, 1], vertical_alignment="center")
    other = "confirmed" if one.actually == one.said else f"not {one.said or 'unsure'}"
    left.html(
        f'<span class="fs-muted">{when} <b>{escape(isolated(one.student))}</b>: '
        f"{escape(one.actually)}, {escape(other)}</span>"
    )
    if right.button("Undo", key=f"undo {one.id}", width="stretch"):
        lesson.undo(one.id)
        say_later(f"The correction “{one.actually}” of {isolated(one.student)} was undone.")
        st.rerun()


@calm
def _markers(lesson: RunningLesson, view: LessonView, undo: bool = True) -> None:
    if not view.markers:
        return
    rows = "".join(f"<li><b>{clock(s)}</b> {escape(isolated(text))}</li>" for s, text in view.markers[-6:])
    st.html(f'<p style="margin:.6rem 0 0"><b>Markers</b></p><ul style="margin:.2rem 0 0 1.1rem">{rows}</ul>')
    latest = lesson.latest_marker if undo else None
    if latest is not None and st.button("Undo the last marker", key=f"unmark {latest}", icon=":material/undo:"):
        if text := lesson.unmark(latest):
            say_later(f"The marker was taken back: {isolated(text)}")
        st.rerun()
