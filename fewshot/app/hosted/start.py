"""Start page of the demo: what it shows, what happens to what a visitor does, and where this may not be used."""

from __future__ import annotations

from html import escape

import streamlit as st

from fewshot.app.hosted.live import doors
from fewshot.app.hosted.visitors import GONE, IDLE, MOST
from fewshot.app.language import in_english_too
from fewshot.app.palette import legend
from fewshot.app.views.start import LAW, LEAD, TITLE, UNCERTAIN
from fewshot.translation import later, tr

MEMORY = later(
    "**What you do here is forgotten.** Each tab has a class of its own in the memory of the server. No other visitor "
    "sees or changes it. It is deleted {gone} seconds after you close or reload the page, or after {idle} minutes "
    "without a click. At most {most} people can try the demo at the same time."
)
LESS = later(
    "**What the demo leaves out.** It watches no camera, no screen, no video and no stream, and it has no settings and "
    "no service for other programs. To use these, install fewshot on a computer of your own: then no picture leaves it."
)


def page() -> None:
    """Draw the page."""
    st.html(f"<h1>{escape(tr(TITLE))}</h1>")
    left, right = st.columns([7, 5], gap="large")
    with left:
        st.html(f'<p class="fs-lead">{escape(tr(LEAD))}</p>')
        doors()
        st.html(legend())
    with right, st.container(border=True):
        st.markdown(tr(LAW))
        in_english_too(LAW)
        st.markdown(tr(UNCERTAIN))
        st.markdown(tr(MEMORY, gone=f"{GONE:.0f}", idle=f"{IDLE / 60:.0f}", most=MOST))
        st.markdown(tr(LESS))
