"""Whose classes, lessons and settings a page shows."""

from __future__ import annotations

import streamlit as st

from fewshot.classroom.owners import Owner
from fewshot.database.owner import LOCAL_TEACHER

_LAST = "visitor"
_OF_THE_TAB = ("pages", "tab")
"""In the session: what names no class and no student."""


def visitor() -> Owner:
    """The owner who looks at the page that is being drawn. No other place in the app decides this."""
    return LOCAL_TEACHER


def forget_other_visitor() -> None:
    """Empty the session of a tab in which somebody else was before: pictures, files, chosen classes and lessons."""
    now = visitor().id
    if st.session_state.get(_LAST, now) != now:
        for key in [key for key in st.session_state if key not in _OF_THE_TAB]:
            del st.session_state[key]
        st.query_params.clear()
    st.session_state[_LAST] = now
