"""Whose classes, lessons and settings a page shows."""

from __future__ import annotations

import streamlit as st

from fewshot.app.server import desk
from fewshot.classroom.owners import Owner
from fewshot.database.owner import LOCAL_TEACHER, is_demo
from fewshot.errors import FewshotError
from fewshot.translation import later

_LAST = "visitor"
_OF_THE_TAB = ("pages", "tab")
"""In the session: what names no class and no student."""


class LoggedOut(FewshotError):
    """The login of this page has ended, so it shows nothing any more."""


def visitor() -> Owner:
    """The owner who looks at the page that is being drawn. No other place in the app decides this.

    Raises:
        LoggedOut: the login has ended, or the code does not run in a page. Without login it is the local teacher.
        DemoRefusal: this is the demo, and it is full, or the visit is over.
    """
    if is_demo():
        from fewshot.app.hosted.visitors import visit

        return visit().owner
    return LOCAL_TEACHER if desk() is None else _login()[1]


def enter() -> str:
    """Let this tab in, so that its uploads and pictures are for its login only.

    Returns:
        Who is logged in; "" where nobody has to log in.

    Raises:
        LoggedOut: see ``visitor``; also if the tab belongs to another login.
    """
    if desk() is None:
        return ""
    from streamlit.runtime.scriptrunner import get_script_run_ctx

    from fewshot.app.login.tabs import TABS

    (number, owner), context = _login(), get_script_run_ctx()
    if context is None or not TABS.claim(context.session_id, number):
        raise _logged_out()
    return owner.name


def _login() -> tuple[int, Owner]:
    """Id and owner of the login that the gate has found for this page's WebSocket, as it is now."""
    from fewshot.app.login.gate import HEADER

    at = desk()
    number = str(st.context.headers.get(HEADER) or "")
    # The gate alone writes this header; what a browser sends under its name is dropped.
    login = at.accounts.logins.get(int(number)) if at is not None and number.isdecimal() else None
    if login is None or login.must_change:
        raise _logged_out()
    return login.id, login.owner


def _logged_out() -> LoggedOut:
    return LoggedOut(later("Your login has ended. Load this page again to log in."))


def forget_other_visitor() -> None:
    """Empty the session of a tab in which somebody else was before: pictures, files, chosen classes and lessons."""
    now = visitor().id
    if st.session_state.get(_LAST, now) != now:
        for key in [key for key in st.session_state if key not in _OF_THE_TAB]:
            del st.session_state[key]
        st.query_params.clear()
    st.session_state[_LAST] = now
