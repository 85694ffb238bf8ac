"""Start: what this is, what it must not be used for, and one click to see it alive."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from fewshot.app.palette import legend
from fewshot.app.shell import calm, go

LEAD = (
    "fewshot watches a class on screen and says, student by student, what each face shows: one of seven expressions, "
    "a state of the student's own such as “confused”, or an honest “unsure”. It learns each student from a few photos, "
    "and it learns on when you correct it. Everything stays on this computer: readings are kept, pictures are not."
)
LAW = (
    "**Where this may not be used.** In the European Union the AI Act, Article 5(1)(f), forbids inferring the emotions "
    "of people from biometric data in education and at work, except for medical or safety reasons; neither consent nor "
    "aggregation lifts that. Elsewhere people must be told, and other laws may forbid it too."
)
UNCERTAIN = (
    "**How far to trust it.** A face is not a feeling. With one neutral photo a student, about half of the readings "
    "name the expression that is shown. Never grade, judge or discipline anybody by them; use them as a reason to ask."
)


def page() -> None:
    """Draw the page."""
    st.html("<h1>See how the class is doing, and ask the right student</h1>")
    left, right = st.columns([7, 5], gap="large")
    with left:
        st.html(f'<p class="fs-lead">{LEAD}</p>')
        _doors()
        st.html(legend())
    with right:
        _terms()
    _recent()


def _doors() -> None:
    with st.container(key="wrap-doors"):
        one, two = st.columns(2)
    if one.button("Try with the sample class", type="primary", icon=":material/play_circle:", width="stretch"):
        _open_sample()
    if two.button("Make a class of my own", icon=":material/group_add:", width="stretch"):
        go("classes")
    st.html(
        '<p class="fs-muted">The sample class is a lesson of 49 people that the program itself recorded: readings '
        "only, no pictures, invented names. It needs no camera.</p>"
    )


@calm
def _open_sample() -> None:
    with st.spinner("Opening the sample class …"):
        from fewshot.app.sample import start_sample
        from fewshot.app.sample_past import SAMPLE_CLASS
        from fewshot.app.views.live_joined import starting

        with starting(SAMPLE_CLASS):
            start_sample()
    go("live", **{"class": SAMPLE_CLASS})


@calm
def _terms() -> None:
    with st.container(border=True):
        st.markdown(LAW)
        st.markdown(UNCERTAIN)
        from fewshot.session.settings import Settings

        settings = Settings()
        since = settings.acknowledged
        if since is None:
            if st.button("I have read this and will keep to it", icon=":material/check:", width="stretch"):
                settings.acknowledged = datetime.now(UTC)
                st.rerun()
        else:
            st.success(f"Acknowledged on {since.astimezone():%d %B %Y}.", icon=":material/task_alt:")


@calm
def _recent() -> None:
    from fewshot.session.lessons import LessonStore

    lessons = LessonStore().lessons()[:4]
    if not lessons:
        return
    st.subheader("Lately")
    for column, info in zip(st.columns(4), lessons, strict=False):
        with column.container(border=True):
            name = info.title or info.classroom or "Lesson"
            st.markdown(f"**{name}**  \n{info.started.astimezone():%d %b, %H:%M} · {info.seconds / 60:.0f} min")
            if st.button("Open the report", key=f"recent{info.id}", width="stretch"):
                go("report", lesson=info.id)
