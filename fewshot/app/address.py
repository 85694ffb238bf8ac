"""What a page writes into its own address, so that a reload, a bookmark and a colleague see the same.

An address holds numbers and fixed words only. The name of a student in it would lie in histories and logs.
"""

from __future__ import annotations

import streamlit as st

_LONGEST = 18
"""Digits: the database refuses to compare larger numbers."""


def asked(name: str) -> str | None:
    """What the address asks for under a parameter; None for what this page wrote there itself, and for nothing."""
    text = st.query_params.get(name)
    return None if text is None or text == st.session_state.get(_key(name)) else text


def write(name: str, value: str | None) -> None:
    """Write a parameter, or with None take it out."""
    if value is None:
        st.query_params.pop(name, None)
    elif st.query_params.get(name) != value:
        st.query_params[name] = value
    st.session_state[_key(name)] = value


def number_in(text: str) -> int | None:
    """The number that a parameter holds; None if it holds something else.

    >>> number_in("12"), number_in("-1"), number_in("²"), number_in("9" * 30)
    (12, None, None, None)
    """
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST else None


def _key(name: str) -> str:
    return f"address {name}"
