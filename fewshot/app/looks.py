"""Notes in the audit log that a teacher opened a lesson or a report: once per visit of a page."""

from __future__ import annotations

import streamlit as st

from fewshot.app.visitor import visitor
from fewshot.classroom.erased import note_looked
from fewshot.classroom.store import ClassStore

_NOTED = "looks noted"


def note_look(classroom: str, lesson: int | None, live: bool = False) -> None:
    """Append a line, unless this visit of the page has one of this lesson already.

    Args:
        classroom: name of the class; "" for a lesson without one.
        lesson: its number; None if it is not recorded, or not yet.
        live: while it runs.
    """
    visit = st.session_state.get("visit", 0)
    before, noted = st.session_state.get(_NOTED, (None, frozenset()))
    noted = noted if before == visit else frozenset()
    what = (classroom, lesson, live)
    if what not in noted:
        st.session_state[_NOTED] = (visit, noted | {what})
        owner = visitor()
        note_looked(ClassStore(owner=owner).database, owner, classroom, lesson, live)
