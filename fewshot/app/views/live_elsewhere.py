"""Lessons that another program of this installation runs, such as the service: shown from the store, as it is now."""

from __future__ import annotations

import streamlit as st

from fewshot.app.lesson_room import ROOM
from fewshot.app.looks import note_look
from fewshot.app.palette import NO_STATE
from fewshot.app.shell import calm, isolated, plain
from fewshot.app.visitor import visitor
from fewshot.lesson_board import StoredBoard, StoredTile, stored_board
from fewshot.prototypes.calibration import sure_word
from fewshot.session.lesson import LessonInfo
from fewshot.session.lessons import LessonStore
from fewshot.session.settings import Settings
from fewshot.session.stored_words import class_word, source_word
from fewshot.session.summary import clock
from fewshot.translation import tr
from fewshot.translation.words import emotion_word

EVERY = 2.0
"""Seconds between two updates; the store is not newer."""
_SHOWN = "lesson elsewhere"


def elsewhere() -> list[LessonInfo]:
    """The visitor's lessons that run now, and not in this process."""
    here = {lesson.id for lesson in ROOM.alive(visitor())}
    return [info for info in LessonStore(owner=visitor()).lessons() if info.state == "running" and info.id not in here]


def offer() -> None:
    """A button for each lesson that runs elsewhere, and the board of the one that was chosen."""
    running = elsewhere()
    if not running:
        st.session_state.pop(_SHOWN, None)
        return
    with st.container(border=True, key="elsewhere"):
        st.write(tr("**Running in another program.** You can watch it here. To stop it, use that program."))
        with st.container(horizontal=True):
            for info in running:
                name = plain(isolated(class_word(info.classroom) or tr("Without a class")))
                if st.button(f"{name} · {clock(info.seconds)}", icon=":material/sensors:", key=f"elsewhere {info.id}"):
                    st.session_state[_SHOWN] = info.id
                    note_look(info.classroom, info.id, live=True)
        chosen = st.session_state.get(_SHOWN)
        if chosen in {info.id for info in running}:
            _board(int(chosen))


@st.fragment(run_every=EVERY)
@calm
def _board(lesson: int) -> None:
    store = LessonStore(owner=visitor())
    info = store.info(lesson)
    found = stored_board(store, info)
    source = plain(isolated(source_word(info.source)))
    if info.state == "running":
        st.caption(f"{source} · {clock(found.second)}")
    else:
        st.caption(tr("{source} · {time} · it has ended", source=source, time=clock(found.second)))
    if info.aggregate or Settings(owner=visitor()).aggregate_only:
        _whole_class(found, info.aggregate)
    elif found.tiles:
        rows = [
            {tr("Student"): tile.student, tr("State"): emotion_word(tile.state), tr("How sure"): _sure(tile)}
            for tile in found.tiles
        ]
        st.dataframe(rows, hide_index=True, width="stretch")
    else:
        st.caption(tr("Nobody is in view."))


def _whole_class(found: StoredBoard, kept: bool) -> None:
    if found.counts is not None:
        rows = [{tr("State"): emotion_word(state), tr("People"): count} for state, count in found.counts.items()]
        st.dataframe(rows, hide_index=True)
    elif kept:
        st.caption(tr("Fewer than five people are in view, so nothing is shown."))
    else:
        st.caption(
            tr(
                "Your settings show the whole class only. This lesson keeps readings of students: the whole class is "
                "in its report."
            )
        )


def _sure(tile: StoredTile) -> str:
    """How sure a named state is, in a word; nothing beside one that is not named."""
    return "" if tile.confidence is None or tile.state in NO_STATE else tr(sure_word(tile.confidence))
