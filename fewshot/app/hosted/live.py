"""Live page of the demo: the recorded lesson of the sample class, and the real photographs."""

from __future__ import annotations

from html import escape

import streamlit as st

from fewshot.app.lesson_room import ROOM
from fewshot.app.shell import calm, go
from fewshot.app.visitor import visitor
from fewshot.errors import UsageError
from fewshot.translation import tr

MOST_ANALYSED = 1
"""Lessons whose pictures are analysed at the same time, for all visitors: two of them took 360 MB."""

EVERY = (1.0, 2.0, 4.0)
"""Seconds between two updates of tiles, head and side: all visitors share one process, and so one core."""


def page() -> None:
    """Draw the page."""
    from fewshot.app.views import live, live_joined

    lesson = live_joined.lesson_of_tab()
    if lesson is not None:
        live.show(lesson, *EVERY)
        return
    st.html(f"<h1>{escape(tr('Watch a lesson'))}</h1>")
    live_joined.say_over()
    doors()


def doors() -> None:
    """The lessons that can be opened, and the page of own photos."""
    with st.container(key="wrap-doors"):
        one, two, three = st.columns(3)
    if one.button(tr("Try with the sample class"), type="primary", icon=":material/play_circle:", width="stretch"):
        _open_sample()
    if two.button(tr("Try with real photographs"), icon=":material/face:", width="stretch"):
        _open_photographs()
    if three.button(tr("Try with your own photos"), icon=":material/photo_camera:", width="stretch"):
        go("photos")
    samples = tr(
        "The sample class is a recorded lesson with 49 people. It contains only readings: there are no pictures, and "
        "the names are invented. The real photographs are twelve people who agreed to be shown; they are analysed "
        "live, and you can correct what is shown."
    )
    st.html(f'<p class="fs-muted">{escape(samples)}</p>')


@calm
def _open_sample() -> None:
    from fewshot.app.sample import start_sample
    from fewshot.app.views.live_joined import starting
    from fewshot.session.stored_words import SAMPLE_CLASS

    with st.spinner(tr("Opening the sample class …")), starting(SAMPLE_CLASS):
        start_sample()
    go("live", **{"class": SAMPLE_CLASS})


@calm
def _open_photographs() -> None:
    from fewshot.app.views.live_setup import open_photographs
    from fewshot.session.stored_words import PHOTOGRAPHS

    lesson = ROOM.of(PHOTOGRAPHS, visitor())
    if (lesson is None or not lesson.alive) and ROOM.analysing() >= MOST_ANALYSED:
        raise UsageError(
            tr(
                "Another visitor has the photographs analysed now, and the server of this demo cannot do more at once. "
                "Try again in a few minutes. The sample class can always be opened."
            )
        )
    with st.spinner(tr("Opening the photographs …")):
        open_photographs()
