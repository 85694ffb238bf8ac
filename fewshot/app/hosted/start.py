"""Start page of the demo: what it shows, what happens to what a visitor does, and where this may not be used."""

from __future__ import annotations

from html import escape

import streamlit as st

from fewshot.app.hosted.live import doors
from fewshot.app.hosted.visitors import GONE, IDLE, MOST
from fewshot.app.palette import legend
from fewshot.app.views.start import LAW, LEAD, UNCERTAIN

MEMORY = (
    f"**What you do here is forgotten.** Each tab has a class of its own in the memory of the server. No other visitor "
    f"sees or changes it. It is deleted {GONE:.0f} seconds after you close or reload the page, or after "
    f"{IDLE / 60:.0f} minutes without a click. At most {MOST} people can try the demo at the same time."
)
LESS = (
    "**What the demo leaves out.** It watches no camera, no screen, no video and no stream, and it has no settings and "
    "no service for other programs. To use these, install fewshot on a computer of your own: then no picture leaves it."
)


def page() -> None:
    """Draw the page."""
    st.html("<h1>See how the class is doing, and ask the right student</h1>")
    left, right = st.columns([7, 5], gap="large")
    with left:
        st.html(f'<p class="fs-lead">{escape(LEAD)}</p>')
        doors()
        st.html(legend())
    with right, st.container(border=True):
        for text in (LAW, UNCERTAIN, MEMORY, LESS):
            st.markdown(text)
