"""Below each page: that a translation is not reviewed, the way to another language, and a script for the browser."""

from __future__ import annotations

import streamlit as st

from fewshot.app.components import mark_language, mend_page
from fewshot.app.language import choose
from fewshot.translation import ENGLISH, LANGUAGE, LANGUAGES, language_of, tr
from fewshot.translation.words import UNREVIEWED

_MARKED = "language marked"


def foot() -> None:
    """Draw it: the way to English, or from English to the browser's language. No way if both are English."""
    mend_page(key="page")
    now, browsers = LANGUAGE.get(), language_of(st.context.locale)
    if now != ENGLISH or st.session_state.get(_MARKED):
        st.session_state[_MARKED] = True
        mark_language(now, key="language mark")
    if now == browsers == ENGLISH:
        return
    other = ENGLISH if now != ENGLISH else browsers
    with st.container(horizontal=True, vertical_alignment="center", key="language foot"):
        if now != ENGLISH:
            st.caption(tr(UNREVIEWED), width="content")
        st.button(
            LANGUAGES[other], key="other language", type="tertiary", icon=":material/translate:",
            on_click=choose, args=(other,),
        )  # fmt: skip
