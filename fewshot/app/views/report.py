"""Lesson report: mood, moments, students, whom to check in with, several weeks, and files to download."""

from __future__ import annotations

from html import escape

import streamlit as st

from fewshot.app.looks import note_look
from fewshot.app.reports import REPORTS
from fewshot.app.shell import calm, go, isolated, plain, say_later, say_no_classes
from fewshot.app.views import report_parts
from fewshot.app.visitor import visitor
from fewshot.audit.log import note
from fewshot.session.analysis.words import LAW, UNCERTAINTY, local, moment
from fewshot.session.lesson import Lesson, LessonInfo
from fewshot.session.lessons import LessonStore
from fewshot.session.report import MEDIA_TYPES, Contents, report_bytes, words
from fewshot.session.settings import Settings

_LESSON = "lesson"
"""A parameter of the address: the number of the lesson."""


def page() -> None:
    """Draw the page."""
    if say_no_classes():
        return
    store = LessonStore(owner=visitor())
    lessons = store.lessons()
    if held := store.held_back():
        st.info(f"{held.text} Open Settings → Privacy to check this.", icon=":material/auto_delete:")
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    with left:
        st.html("<h1>Lesson report</h1>")
        lesson = _choose(lessons)
    with right:
        settings = Settings(owner=visitor())
        aggregate = st.toggle(
            "Whole class only: no names", value=settings.aggregate_only, disabled=settings.aggregate_only
        )
    if lesson is None:
        _nothing()
        return
    with st.spinner("Preparing the report …"):
        loaded, contents = REPORTS.of(store, lesson, aggregate)
    note_look(loaded.info.classroom, lesson)
    _show(store, loaded, contents)


def _choose(lessons: list[LessonInfo]) -> int | None:
    if not lessons:
        return None
    ids = [info.id for info in lessons]
    wanted = _wanted(ids)
    chosen = st.selectbox(
        "Lesson",
        ids,
        index=ids.index(wanted) if wanted in ids else 0,
        format_func={info.id: name_of(info) for info in lessons}.__getitem__,
        label_visibility="collapsed",
    )
    st.session_state["lesson"] = chosen
    st.query_params[_LESSON] = str(chosen)
    return int(chosen)


def _wanted(ids: list[int]) -> int | None:
    """The lesson that another page asked for, or else the address: a reload and a bookmark show the same report."""
    address = st.query_params.get(_LESSON, "")
    named = int(address) if address.isascii() and address.isdigit() and len(address) < 19 else None
    wanted: int | None = st.session_state.get("lesson", named)
    if named is not None and named not in ids and wanted == named:
        st.warning(
            f"There is no lesson {named} here, or it was deleted. The latest one is shown.", icon=":material/info:"
        )
    return wanted


def name_of(info: LessonInfo) -> str:
    """A lesson as one line of a list."""
    parts = [isolated(info.title or "Lesson"), isolated(info.classroom or "without a class")]
    parts.append(f"{moment(info.started)}")
    parts.append(f"{info.seconds / 60:.0f} min" if info.seconds >= 60 else f"{info.seconds:.0f} s")
    if info.state != "ended":
        parts.append({"running": "running now", "interrupted": "interrupted"}[info.state])
    if info.sample:
        parts.append("recorded sample")
    return " · ".join(parts)


def _nothing() -> None:
    st.info("There are no lessons yet. Start one, or look at the sample lesson:", icon=":material/monitoring:")
    if st.button("Start a lesson", icon=":material/sensors:"):
        go("live")
    if st.button("Open the report of the sample lesson", type="primary", icon=":material/play_circle:"):
        _keep_sample()


@calm
def _keep_sample() -> None:
    from fewshot.app.sample import keep_sample

    bar = st.progress(0.0, "Opening the recorded lesson …")

    def tell(share: float) -> None:
        bar.progress(share, "Opening the recorded lesson …")

    st.session_state["lesson"] = keep_sample(tell)
    st.rerun()


@calm
def _show(store: LessonStore, lesson: Lesson, contents: Contents) -> None:
    if contents.info.sample:
        st.html('<span class="fs-badge rec">● sample: a recorded lesson, not a real class</span>')
    if contents.nothing:
        st.info(plain(contents.nothing), icon=":material/info:")
    else:
        lines = [line.replace(" %", "\N{NO-BREAK SPACE}%") for line in words.lead(contents, isolated)]
        st.html("".join(f'<p class="fs-lead">{escape(line)}</p>' for line in lines))
    names = ["The class", "Students", "Check in", "Over weeks", "Download"]
    if contents.aggregate:
        names = ["The class", "Over weeks", "Download"]
    tabs = dict(zip(names, st.tabs(names), strict=True))
    with tabs["The class"]:
        report_parts.mood(contents)
        report_parts.moments(contents)
        report_parts.method(contents)
    if not contents.aggregate:
        with tabs["Students"]:
            report_parts.students(contents)
        with tabs["Check in"]:
            report_parts.check_in(contents)
    with tabs["Over weeks"]:
        report_parts.over_time(store, lesson, contents)
    with tabs["Download"]:
        _keep(store, lesson, contents)
    with st.expander("How far to trust this report, and where it may not be used", icon=":material/gavel:"):
        st.write(UNCERTAINTY)
        st.write(LAW)


@calm
def _keep(store: LessonStore, lesson: Lesson, contents: Contents) -> None:
    st.write(
        "Download the report as one file (HTML or PDF), or the readings of every second as a table (CSV or Parquet)."
    )
    what = st.segmented_control("Format", ["HTML", "PDF", "CSV", "Parquet"], default="HTML")
    suffix = f".{(what or 'HTML').lower()}"
    key = f"files {lesson.info.id} {suffix} {contents.aggregate} {lesson.info.seconds}"
    if key not in st.session_state:
        if not st.button(f"Make the {what or 'HTML'} file", type="primary", icon=":material/description:"):
            _forget(store, lesson)
            return
        with st.spinner("Making the file …"):
            st.session_state[key] = report_bytes(lesson, suffix, store.load_earlier(lesson.info), contents.aggregate)
            note(store.database, store.owner, "exported", details={"lesson": lesson.info.id, "what": "report"})
    stem = f"lesson {lesson.info.id} {local(lesson.info.started):%Y-%m-%d}"
    for ending, data in st.session_state[key].items():
        name = f"{stem}{ending}"
        media = MEDIA_TYPES.get(suffix, "application/octet-stream")
        st.download_button(f"Save {name} ({len(data) / 1000:.0f} kB)", data, name, media, icon=":material/download:")
    _forget(store, lesson)


def _forget(store: LessonStore, lesson: Lesson) -> None:
    st.divider()
    left, right = st.columns(2)
    with left.form("rename lesson", border=False):
        title = st.text_input("Title", value=lesson.info.title, max_chars=80)
        if st.form_submit_button("Rename"):
            store.rename(lesson.info.id, title)
            st.rerun()
    with right, st.popover("Delete this lesson", icon=":material/delete:"):
        st.write("This deletes the lesson's readings, markers and corrections. What fewshot learned from it stays.")
        if st.button("Delete permanently"):
            store.delete(lesson.info.id)
            st.session_state.pop("lesson", None)
            say_later("The lesson was deleted.")
            st.rerun()
