"""Start: what the program does, where it may not be used, and one click to the sample class."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape

import streamlit as st

from fewshot.app import server
from fewshot.app.language import in_english_too
from fewshot.app.palette import legend
from fewshot.app.shell import calm, go, isolated, plain, say_no_classes
from fewshot.app.visitor import visitor
from fewshot.classroom.places import on_computer, where_pictures_go
from fewshot.session.analysis.words import day, moment
from fewshot.session.stored_words import SAMPLE_CLASS, class_word, title_word
from fewshot.translation import later, tr

TITLE = later("See how the class is doing, and ask the right student")
LEAD = later(
    "fewshot watches the faces of a class. For each student it shows one of seven expressions, a state of the "
    "student's own such as “confused”, or an honest “unsure”. It learns each student from a few photos, and it keeps "
    "learning when you correct it."
)
LAW = later(
    "**Where this may not be used.** In the European Union, the AI Act, Article 5(1)(f), prohibits inferring people's "
    "emotions from biometric data in education and at work, except for medical or safety reasons. Neither consent nor "
    "aggregation lifts this prohibition. Elsewhere people must be informed, and other laws may prohibit it too."
)
UNCERTAIN = later(
    "**How far to trust it.** A face is not a feeling. With one neutral photo per student, about half of the readings "
    "name the expression that is shown. Never use readings to grade, judge or discipline anyone. Use them as a reason "
    "to ask."
)


def lead(place: str) -> str:
    """What the program does, and where pictures and readings go.

    Args:
        place: the name of the server; "" if the app is for this computer only.
    """
    kept = (
        tr("Its predictions, called readings, are kept {here}.", here=on_computer(place))
        if place
        else tr("Its predictions, called readings, are kept {here} only.", here=on_computer(place))
    )
    return f"{tr(LEAD)} {where_pictures_go(place)} {kept}"


def page() -> None:
    """Draw the page."""
    if say_no_classes():
        return
    st.html(f"<h1>{escape(tr(TITLE))}</h1>")
    left, right = st.columns([7, 5], gap="large")
    with left:
        st.html(f'<p class="fs-lead">{escape(lead(server.place()))}</p>')
        _doors()
        st.html(legend())
    with right:
        _terms()
    _recent()


def _doors() -> None:
    with st.container(key="wrap-doors"):
        one, two = st.columns(2)
    if one.button(tr("Try with the sample class"), type="primary", icon=":material/play_circle:", width="stretch"):
        _open_sample()
    if two.button(tr("Create my own class"), icon=":material/group_add:", width="stretch"):
        go("classes", **{"class to make": True})
    if st.button(tr("Try with real photographs"), icon=":material/face:", width="stretch"):
        _open_photographs()
    samples = tr(
        "The sample class is a recorded lesson with 49 people. It contains only readings: there are no pictures, and "
        "the names are invented. The real photographs are twelve people who agreed to be shown; they are analysed "
        "live. You need no camera for either."
    )
    st.html(f'<p class="fs-muted">{escape(samples)}</p>')


@calm
def _open_sample() -> None:
    with st.spinner(tr("Opening the sample class …")):
        from fewshot.app.sample import start_sample
        from fewshot.app.views.live_joined import starting

        with starting(SAMPLE_CLASS):
            start_sample()
    go("live", **{"class": SAMPLE_CLASS})


@calm
def _open_photographs() -> None:
    with st.spinner(tr("Opening the photographs …")):
        from fewshot.app.views.live_setup import open_photographs

        open_photographs()


@calm
def _terms() -> None:
    with st.container(border=True):
        st.markdown(tr(LAW))
        in_english_too(LAW)
        st.markdown(tr(UNCERTAIN))
        from fewshot.session.settings import Settings

        settings = Settings(owner=visitor())
        since = settings.acknowledged
        if since is None:
            if st.button(tr("I have read this and will follow it"), icon=":material/check:", width="stretch"):
                settings.acknowledged = datetime.now(UTC)
                st.rerun()
        else:
            st.success(tr("Acknowledged on {day}.", day=day(since)), icon=":material/task_alt:")


@calm
def _recent() -> None:
    from fewshot.session.lessons import LessonStore

    lessons = LessonStore(owner=visitor()).lessons()[:4]
    if not lessons:
        return
    st.subheader(tr("Recent lessons"))
    for column, info in zip(st.columns(4), lessons, strict=False):
        with column.container(border=True):
            name = title_word(info.title) or class_word(info.classroom) or tr("Lesson")
            length = tr("{minutes} min", minutes=f"{info.seconds / 60:.0f}")
            st.markdown(f"**{plain(isolated(name))}**  \n{moment(info.started)} · {length}")
            if st.button(tr("Open the report"), key=f"recent{info.id}", width="stretch"):
                go("report", lesson=info.id)
