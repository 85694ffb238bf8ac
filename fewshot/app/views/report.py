"""Lesson report: mood, moments, students, whom to check in with, several weeks, and files to download."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

import streamlit as st

from fewshot.app import address
from fewshot.app.looks import note_look
from fewshot.app.reports import REPORTS
from fewshot.app.shell import calm, go, isolated, plain, say_later, say_no_classes
from fewshot.app.views import report_check_in, report_parts, report_student
from fewshot.app.visitor import visitor
from fewshot.audit.log import note
from fewshot.session.analysis.words import UNCERTAINTY, law, local, moment
from fewshot.session.lesson import Lesson, LessonInfo
from fewshot.session.lessons import LessonStore
from fewshot.session.report import MEDIA_TYPES, Contents, report_bytes
from fewshot.session.settings import Settings
from fewshot.session.stored_words import class_word, title_word
from fewshot.translation import LANGUAGE, later, tr

_LESSON, _PART, _NAMES = "lesson", "part", "names"
"""Parameters of the address: the number of the lesson, the open tab, and whether names are hidden."""
_PARTS = {
    "class": later("The class"), "students": later("Students"), "check-in": later("Check in"),
    "weeks": later("Over weeks"), "download": later("Download"),
}  # fmt: skip
"""In the address -> on the tab, as the key of ``tr``."""
_WITHOUT_NAMES = ("class", "weeks", "download")
_OPEN = "report part"
"""In the session: the title of the open tab."""
_FORMER = "former title"
"""In the session: number and former title of the lesson that was renamed last."""


def page() -> None:
    """Draw the page."""
    if say_no_classes():
        return
    store = LessonStore(owner=visitor())
    lessons = store.lessons()
    if held := store.held_back():
        privacy = tr("Open Settings → Privacy to check this.")
        st.info(f"{tr(held.text)} {privacy}", icon=":material/auto_delete:")
    wanted, wrong = _wanted([info.id for info in lessons])
    with st.container(key="wrap-report"):
        left, right = st.columns([3, 2], vertical_alignment="bottom")
    with left:
        st.html(f"<h1>{escape(tr('Lesson report'))}</h1>")
        lesson = _choose(lessons, wanted)
    with right:
        aggregate = _whole_class()
    if lesson is None:
        if wrong:
            st.warning(plain(wrong), icon=":material/info:")
        _nothing(lessons)
        return
    with st.spinner(tr("Preparing the report …")):
        loaded, contents = REPORTS.of(store, lesson, aggregate)
    note_look(loaded.info.classroom, lesson)
    _show(store, loaded, contents)


def _wanted(ids: list[int]) -> tuple[int | None, str]:
    """The lesson that another page or the address asks for, else the latest one; and what is wrong with the address.

    A lesson of another teacher gets the same answer as one that does not exist.
    """
    text = address.asked(_LESSON)
    named = st.session_state.get("lesson") if text is None else address.number_in(text)
    if named is None and text is not None:
        return None, tr(
            "This address names no lesson: “{text}” is not the number of one. Choose a lesson above.", text=text[:40]
        )
    if named is None:
        return ids[0] if ids else None, ""
    if named in ids:
        return named, ""
    return None, tr(
        "There is no lesson {number} here: it was deleted, it belongs to another login, or it never was. Choose a "
        "lesson above.",
        number=named,
    )


def _choose(lessons: list[LessonInfo], wanted: int | None) -> int | None:
    if not lessons:
        return None
    ids = [info.id for info in lessons]
    chosen = st.selectbox(
        tr("Lesson"),
        ids,
        index=None if wanted is None else ids.index(wanted),
        format_func={info.id: name_of(info) for info in lessons}.__getitem__,
        label_visibility="collapsed",
        placeholder=tr("Choose a lesson"),
    )
    if chosen is None:
        return None
    st.session_state["lesson"] = chosen
    address.write(_LESSON, str(chosen))
    return int(chosen)


def _whole_class() -> bool:
    """Whether names are hidden: because the settings say so, or the address, or a click here."""
    always = Settings(owner=visitor()).aggregate_only
    hidden = bool(
        st.toggle(
            tr("Whole class only: no names"),
            value=always or st.query_params.get(_NAMES) == "hidden",
            disabled=always,
        )
    )
    address.write(_NAMES, "hidden" if hidden and not always else None)
    return hidden


def name_of(info: LessonInfo) -> str:
    """A lesson as one line of a list."""
    classroom = class_word(info.classroom) or tr("without a class")
    parts = [isolated(title_word(info.title) or tr("Lesson")), isolated(classroom)]
    parts.append(moment(info.started))
    if info.seconds >= 60:
        parts.append(tr("{minutes} min", minutes=f"{info.seconds / 60:.0f}"))
    else:
        parts.append(tr("{seconds} s", seconds=f"{info.seconds:.0f}"))
    if info.state == "running":
        parts.append(tr("running now"))
    elif info.state == "interrupted":
        parts.append(tr("interrupted"))
    if info.sample:
        parts.append(tr("recorded sample"))
    return " · ".join(parts)


def _nothing(lessons: list[LessonInfo]) -> None:
    if lessons:
        if st.button(tr("Show the latest lesson"), icon=":material/monitoring:"):
            st.session_state["lesson"] = lessons[0].id
            address.write(_LESSON, str(lessons[0].id))
            st.rerun()
        return
    st.info(tr("There are no lessons yet. Start one, or look at the sample lesson:"), icon=":material/monitoring:")
    if st.button(tr("Start a lesson"), icon=":material/sensors:"):
        go("live")
    if st.button(tr("Open the report of the sample lesson"), type="primary", icon=":material/play_circle:"):
        _keep_sample()


@calm
def _keep_sample() -> None:
    from fewshot.app.sample import keep_sample

    bar = st.progress(0.0, tr("Opening the recorded lesson …"))

    def tell(share: float) -> None:
        bar.progress(share, tr("Opening the recorded lesson …"))

    st.session_state["lesson"] = keep_sample(tell)
    address.write(_LESSON, str(st.session_state["lesson"]))
    st.rerun()


@calm
def _show(store: LessonStore, lesson: Lesson, contents: Contents) -> None:
    if contents.info.sample:
        sample = tr("sample: a recorded lesson, not a real class")
        st.html(f'<span class="fs-badge rec">● {escape(sample)}</span>')
    report_parts.lead(contents)
    draw: dict[str, Callable[[], object]] = {
        "class": lambda: report_parts.the_class(store, lesson, contents),
        "students": lambda: report_student.students(store, contents),
        "check-in": lambda: report_check_in.check_in(store, contents),
        "weeks": lambda: report_parts.over_time(store, lesson, contents),
        "download": lambda: _keep(store, lesson, contents),
    }
    parts = [part for part in _PARTS if part in _WITHOUT_NAMES or not contents.aggregate]
    titles = [tr(_PARTS[part]) for part in parts]
    asked = address.asked(_PART)
    if asked in parts:
        st.session_state[_OPEN] = titles[parts.index(asked)]
    elif st.session_state.get(_OPEN) not in titles:  # it may be of another language, or of the view with names
        st.session_state.pop(_OPEN, None)
        if (part := st.query_params.get(_PART)) in parts:
            st.session_state[_OPEN] = titles[parts.index(part)]
    # Only the open tab is drawn: the others would cost a second each at every click.
    for part, tab in zip(parts, st.tabs(titles, key=_OPEN, on_change="rerun"), strict=True):
        if tab.open:
            address.write(_PART, part)
            with tab:
                draw[part]()
    with st.expander(tr("How far to trust this report, and where it may not be used"), icon=":material/gavel:"):
        for text in (tr(UNCERTAINTY), *law()):
            st.write(text)


@calm
def _keep(store: LessonStore, lesson: Lesson, contents: Contents) -> None:
    st.write(
        tr(
            "Download the report as one file (HTML or PDF), or the readings of every second as a table (CSV or "
            "Parquet). For paper, print the PDF."
        )
    )
    what = st.segmented_control(tr("Format"), ["HTML", "PDF", "CSV", "Parquet"], default="HTML")
    suffix = f".{(what or 'HTML').lower()}"
    answers = tuple(item.answer for item in contents.items)
    state = hash((store.stamp(lesson.info.id), answers, LANGUAGE.get()))
    key = f"files {lesson.info.id} {suffix} {contents.aggregate} {state}"
    if key not in st.session_state:
        if not st.button(
            tr("Make the {kind} file", kind=what or "HTML"), type="primary", icon=":material/description:"
        ):
            _title_and_end(store, lesson)
            return
        with st.spinner(tr("Making the file …")):
            st.session_state[key] = report_bytes(lesson, suffix, store.load_earlier(lesson.info), contents.aggregate)
            note(store.database, store.owner, "exported", details={"lesson": lesson.info.id, "what": "report"})
    stem = f"lesson {lesson.info.id} {local(lesson.info.started):%Y-%m-%d}"
    for ending, data in st.session_state[key].items():
        name = f"{stem}{ending}"
        media = MEDIA_TYPES.get(suffix, "application/octet-stream")
        label = tr("Save {file} ({size} kB)", file=name, size=f"{len(data) / 1000:.0f}")
        st.download_button(label, data, name, media, icon=":material/download:", on_click="ignore")
    _title_and_end(store, lesson)


def _title_and_end(store: LessonStore, lesson: Lesson) -> None:
    st.divider()
    left, right = st.columns(2)
    with left:
        _rename(store, lesson)
    with right, st.popover(tr("Delete this lesson"), icon=":material/delete:"):
        st.write(
            tr(
                "This deletes the lesson's readings, markers, corrections and check-ins with their notes. It cannot be "
                "undone. What fewshot learned from corrections stays with the students."
            )
        )
        if st.button(tr("Delete permanently")):
            store.delete(lesson.info.id)
            st.session_state.pop("lesson", None)
            say_later(tr("The lesson was deleted."))
            st.rerun()


def _rename(store: LessonStore, lesson: Lesson) -> None:
    with st.form("rename lesson", border=False):
        shown = title_word(lesson.info.title)
        title = st.text_input(tr("Title"), value=shown, max_chars=80)
        if st.form_submit_button(tr("Rename")) and title != shown:
            store.rename(lesson.info.id, title)
            st.session_state[_FORMER] = (lesson.info.id, lesson.info.title)
            st.rerun()
    number, former = st.session_state.get(_FORMER, (None, ""))
    again = tr("Undo: call it “{title}” again", title=isolated(title_word(former))) if former else tr("Undo: no title")
    if number == lesson.info.id and st.button(plain(again), icon=":material/undo:"):
        store.rename(lesson.info.id, former)
        del st.session_state[_FORMER]
        st.rerun()
