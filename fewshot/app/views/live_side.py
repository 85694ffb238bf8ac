"""Beside the tiles: the mood of the class, markers, and the second click of a correction."""

from __future__ import annotations

import base64
from dataclasses import replace
from html import escape

import streamlit as st

from fewshot.app.board import FEWEST, BoardView, states_in
from fewshot.app.lesson import RunningLesson
from fewshot.app.lesson_parts import LessonView, Picked
from fewshot.app.moodchart import live_mood_spec
from fewshot.app.palette import image, look_of
from fewshot.app.shell import calm, chart_theme, isolated, plain, say_later
from fewshot.classroom.corrections import Learned
from fewshot.session.analysis.glance import MARK as HINT
from fewshot.session.analysis.words import day, percent
from fewshot.session.stored_words import marker_word
from fewshot.session.summary import clock
from fewshot.translation import later, tr, tr_n
from fewshot.translation.words import emotion_word

_LATEST, _MOST = 4, 30
"""How many corrections are shown: those of this lesson directly, earlier ones in a folded list."""
TOO_FEW = later(
    "The mood of the class is shown when at least {least} people are in view. With fewer it could reveal one person."
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
            st.caption(
                tr("In your own class you choose here what the student really showed, and fewshot learns from it.")
            )
        elif picked.vector is not None:
            _confirm(lesson, picked)
            st.caption(tr("Or what did the student really show? fewshot learns from your answer."))
            _answers(lesson)
        else:
            st.caption(tr("This face could not be read, so there is nothing to learn from. Try again later."))
        if lesson.can_deny and picked.track >= 0:
            _deny(lesson, picked)
        if st.button(tr("Close"), key="close correction", width="stretch"):
            del st.session_state["picked"]
            st.rerun()


def picked_html(picked: Picked) -> str:
    """The reading that was clicked: the face, the three nearest states, and what each of them rests on."""
    said = picked.said or "unsure"
    face = ""
    if picked.crop:
        # Inside the page: a picture with an address of its own could be fetched by others, and would lie in a cache.
        source = base64.b64encode(picked.crop).decode()
        words = escape(tr("The face that was read"))
        face = f'<img class="fs-face" alt="{words}" src="data:image/png;base64,{source}">'
    shown = tr("{state}, at {time}", state=emotion_word(said), time=clock(picked.second))
    head = (
        f'<div class="fs-picked">{face}<div><b>{escape(isolated(picked.student))}</b><br>{image(said)} '
        f"{escape(shown)}</div></div>"
    )
    rows = "".join(
        f'<span class="fs-chip" style="margin:0">{image(near.state)}{escape(emotion_word(near.state))}</span>'
        f'<span class="b"><i style="width:{100 * near.share:.0f}%;background:{look_of(near.state).colour}"></i></span>'
        f'<span class="n">{percent(near.share)}</span><span class="why">{escape(near.rests_on)}</span>'
        for near in picked.nearest
    )
    return f'{head}<div class="fs-rows fs-near">{rows}</div>' if rows else head


@calm
def _confirm(lesson: RunningLesson, picked: Picked) -> None:
    if picked.said in lesson.states and st.button(
        tr("Yes, that is right"), key="that is right", icon=":material/check:", width="stretch"
    ):
        _correct(lesson, str(picked.said))


@calm
def _deny(lesson: RunningLesson, picked: Picked) -> None:
    if st.button(
        tr("Not {student}", student=plain(isolated(picked.student))), key="not this student",
        icon=":material/person_off:", width="stretch",
        help=tr(
            "This face is somebody else's. It loses the name as long as it stays in view, and the tile is emptied. "
            "What was recorded before stays in the report."
        ),
    ):  # fmt: skip
        lesson.deny(picked)
        del st.session_state["picked"]
        say_later(
            tr(
                "The face no longer has the name {student}. You can undo it in the column on the right.",
                student=isolated(picked.student),
            )
        )
        st.rerun()


@calm
def _answers(lesson: RunningLesson) -> None:
    picked = st.session_state["picked"]
    states = [state for state in lesson.states if state != picked.said]
    # Each button is as wide as its word: in equal columns a long word would be cut off.
    with st.container(horizontal=True, gap="small"):
        for state in states:
            if st.button(plain(emotion_word(state)), key=f"really {state}"):
                _correct(lesson, state)
    if lesson.plan.credit:
        return  # no state is made up for a real face
    other = st.text_input(tr("Another state"), placeholder=tr("one word"), key="own state", max_chars=40)
    if other and st.button(tr("It is “{state}”", state=plain(other)), width="stretch"):
        from fewshot.classroom.names import emotion_of

        _correct(lesson, emotion_of(other))


def _correct(lesson: RunningLesson, state: str) -> None:
    picked = st.session_state.pop("picked")
    lesson.correct(picked, state)
    said = (
        later("{student}: {state}, confirmed. fewshot has learned it. You can undo it in the column on the right.")
        if state == picked.said
        else later("{student}: {state}, corrected. fewshot has learned it. You can undo it in the column on the right.")
    )
    say_later(tr(said, student=isolated(picked.student), state=emotion_word(state)))
    st.rerun()


@calm
def _side(lesson: RunningLesson) -> None:
    view = lesson.view()
    _now(view.board)
    if any(step.people for step in view.board.mood):
        _chart(view, 150)
    _learned(lesson)
    _markers(lesson, view)


@calm
def _whole(lesson: RunningLesson, far: bool) -> None:
    view = lesson.view()
    if far:  # everybody in the room sees it, and a hint is for the teacher
        view = replace(view, markers=tuple(one for one in view.markers if not one[1].startswith(HINT)))
    left, right = st.columns([1, 2.2], gap="large")
    with left:
        _now(view.board)
        _markers(lesson, view, undo=not far)
    with right:
        if any(step.people for step in view.board.mood):
            _chart(view, 620 if far else 420, 20 if far else None)


def _chart(view: LessonView, height: int, letters: int | None = None) -> None:
    board, markers = view.board, [(second, marker_word(text)) for second, text in view.markers]
    spec = live_mood_spec(board.mood, markers, board.second, chart_theme(), height, letters)
    with st.container(key="mood chart"):  # its name in the style sheet
        st.vega_lite_chart(spec=spec, theme=None, key="mood", width="stretch")


def _now(view: BoardView) -> None:
    """How many people showed which state in the last seconds."""
    recent = [step for step in view.mood[-3:] if step.people]
    if not recent:
        st.html(f'<p class="fs-muted">{escape(tr(TOO_FEW, least=FEWEST))}</p>')
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
            f'<span class="fs-chip" style="margin:0">{image(state)}{escape(emotion_word(state))}</span>'
            f'<span class="b"><i style="width:{100 * share:.0f}%;background:{colour}"></i></span>'
            f'<span class="n">{percent(share)}</span>'
        )
    readable = tr_n("{number} people readable", "{number} people readable", round(people))
    return (
        f'<p style="margin:.1rem 0 .4rem"><b>{escape(tr("The class now"))}</b> '
        f'<span class="fs-muted">{escape(readable)}</span></p>'
        f'<div class="fs-rows">{"".join(rows)}</div>'
    )


def _learned(lesson: RunningLesson) -> None:
    """The latest corrections of this lesson, and in a folded list all earlier ones that are still in use."""
    for track, student in lesson.denied:
        left, right = st.columns([2, 1], vertical_alignment="center")
        words = tr("A face that is not {student}", student=f"<b>{escape(isolated(student))}</b>")
        left.html(f'<span class="fs-muted">{words}</span>')
        if right.button(tr("Undo"), key=f"allow {track} {student}", width="stretch"):
            lesson.allow(track, student)
            say_later(tr("The face may be named {student} again.", student=isolated(student)))
            st.rerun()
    corrections = lesson.corrections()
    latest = [one for one in corrections if one.lesson == lesson.id][:_LATEST]
    for one in latest:
        _correction_row(lesson, one, clock(one.second))
    earlier = [one for one in corrections if one not in latest]
    if earlier:
        with st.expander(tr("Earlier corrections of this class"), icon=":material/history:"):
            for one in earlier[:_MOST]:
                _correction_row(lesson, one, day(one.made))
            if len(earlier) > _MOST:
                st.caption(
                    tr_n(
                        "{number} older corrections are on the students' cards, on the page Class.",
                        "{number} older corrections are on the students' cards, on the page Class.",
                        len(earlier) - _MOST,
                    )
                )


def _correction_row(lesson: RunningLesson, one: Learned, when: str) -> None:
    left, right = st.columns([2, 1], vertical_alignment="center")
    student, state = f"<b>{escape(isolated(one.student))}</b>", escape(emotion_word(one.actually))
    if one.actually == one.said:
        words = tr("{when} {student}: {state}, confirmed", when=when, student=student, state=state)
    else:
        other = escape(emotion_word(one.said or "unsure"))
        words = tr("{when} {student}: {state}, not {other}", when=when, student=student, state=state, other=other)
    left.html(f'<span class="fs-muted">{words}</span>')
    if right.button(tr("Undo"), key=f"undo {one.id}", width="stretch"):
        lesson.undo(one.id)
        say_later(
            tr(
                "The correction “{state}” of {student} was undone.",
                state=emotion_word(one.actually),
                student=isolated(one.student),
            )
        )
        st.rerun()


@calm
def _markers(lesson: RunningLesson, view: LessonView, undo: bool = True) -> None:
    if not view.markers:
        return
    rows = "".join(f"<li><b>{clock(s)}</b> {escape(isolated(marker_word(text)))}</li>" for s, text in view.markers[-6:])
    head = f'<p style="margin:.6rem 0 0"><b>{escape(tr("Markers"))}</b></p>'
    st.html(f'{head}<ul style="margin:.2rem 0 0 1.1rem">{rows}</ul>')
    latest = lesson.latest_marker if undo else None
    if latest is not None and st.button(tr("Undo the last marker"), key=f"unmark {latest}", icon=":material/undo:"):
        if text := lesson.unmark(latest):
            say_later(tr("The marker was taken back: {text}", text=isolated(marker_word(text))))
        st.rerun()
