"""Live, before a lesson runs: which class, which source, and start."""

from __future__ import annotations

import shutil
from collections import Counter
from functools import cache
from html import escape
from pathlib import Path
from typing import NamedTuple

import streamlit as st

from fewshot.app import server
from fewshot.app.browser_source import BrowserSource
from fewshot.app.lesson_room import ROOM
from fewshot.app.sample import start_sample
from fewshot.app.sharing.window import SharedWindow, found_again, new_window
from fewshot.app.shell import ask_to_acknowledge, calm, go, plain
from fewshot.app.upload_files import content
from fewshot.app.uploads import MOST_MEGABYTES
from fewshot.app.views import live_elsewhere, live_joined, live_names
from fewshot.app.views.live_joined import make_known, starting
from fewshot.app.visitor import visitor
from fewshot.app.webrtc import BrowserCamera
from fewshot.call_labels.students import Names
from fewshot.classroom.places import on_computer, where_pictures_go
from fewshot.classroom.roster import Roster
from fewshot.classroom.store import ClassStore
from fewshot.errors import UsageError
from fewshot.models.files import WEIGHTS
from fewshot.private_files import write_private
from fewshot.prototypes.population import Population
from fewshot.session.settings import Settings
from fewshot.session.stored_words import PHOTOGRAPHS, SAMPLE_CLASS, SAMPLE_PICTURE, class_word
from fewshot.session.temporary import TemporaryFolder
from fewshot.translation import later, tr
from fewshot.translation.words import emotion_word

WITHOUT = later("Without a class: expressions, no names")
SHARED, CAMERA, SCREEN = later("Shared window"), later("Browser camera"), "Screen"
FILE, STREAM = later("Video file"), later("Stream address")
FIELD_EVERY = 1.5
"""Seconds between two looks whether a window is shared."""
_SHARED = "shared window"
"""In the session: the window that is shared before a lesson takes it."""
_WINDOW = "window"
"""A parameter of the address with which a reload finds that window, which a separate tab may share."""
HELP = {
    SHARED: later(
        "For a Zoom, Meet or Teams call: switch the call to gallery view, and choose its window here. It may lie "
        "behind other windows, but must not be minimised."
    ),
    CAMERA: later("The camera of this device."),
    SCREEN: later("For a call whose window cannot be shared: switch it to gallery view, and keep it visible."),
    FILE: later("A recording of a lesson."),
    STREAM: later("The address of a classroom camera. It begins with rtsp:// or http://."),
}


class _Chosen(NamedTuple):
    """What to watch, whether a file is played at normal speed, and a title if the name is not shown."""

    source: str | BrowserSource | None
    paced: bool = True
    called: str = ""


def page() -> None:
    """Draw the page."""
    st.html(f"<h1>{escape(tr('Watch a lesson'))}</h1>")
    live_joined.say_over()
    _running()
    live_elsewhere.offer()
    settings = Settings(owner=visitor())
    ask_to_acknowledge(
        tr(
            "Before you watch a class, open the page Start, read where this may not be used, and click “I have read "
            "this and will follow it”. You can watch the sample class without that."
        )
    )
    left, right = st.columns([3, 2], gap="large")
    with left, st.container(border=True):
        _form(settings)
    with right:
        _samples()


@calm
def _running() -> None:
    """Running lessons, so that a second teacher or a reloaded tab can join one."""
    lessons = ROOM.alive(visitor())
    if not lessons:
        return
    with st.container(border=True):
        st.write(tr("**Running now.** You can join a lesson that is already running:"))
        with st.container(horizontal=True):
            for lesson in lessons:
                name = lesson.plan.classroom
                label = plain(class_word(name)) or tr("Without a class")
                if st.button(label, icon=":material/sensors:", key=f"join {name}"):
                    st.session_state["class"] = name
                    make_known(lesson)
                    st.rerun()


@calm
def _form(settings: Settings) -> None:
    store = ClassStore(owner=visitor())
    own = [name for name in store.names() if not store.is_sample(name)]
    options = [*own, WITHOUT]
    wanted = st.session_state.get("class")
    index = options.index(wanted) if wanted in options else 0
    chosen = st.selectbox(
        tr("Class"), options, index=index, format_func=lambda name: tr(name) if name == WITHOUT else name
    )
    kind = st.segmented_control(
        tr("What to watch"), _kinds(), default=SHARED, required=True, width="stretch", format_func=_called
    )
    sent = kind in (SHARED, CAMERA, FILE)  # the others do not come from the teacher's browser
    st.caption(plain(f"{tr(HELP[kind])} {where_pictures_go(server.place()) if sent else ''}".strip()))
    watched = _source(kind)
    title = st.text_input(tr("Title of the lesson"), placeholder=tr("Fractions, part 2"), max_chars=80)
    aggregate = st.toggle(
        tr("Whole class only: keep and show only counts, nothing about single students"),
        value=settings.aggregate_only,
        disabled=settings.aggregate_only,
        help=tr("With fewer than five people, nothing is shown."),
    )
    names = live_names.choose(store, chosen, kind == CAMERA) if chosen in own and not aggregate else Names.faces
    st.caption(plain(_to_rely_on(store.roster(chosen) if chosen in own else None)))
    blocked = settings.acknowledged is None
    if st.button(
        tr("Start the lesson"), type="primary", icon=":material/play_arrow:", disabled=blocked, width="stretch"
    ):
        if watched.source is None:
            raise UsageError(tr("There is nothing to watch yet. Choose a file or type an address."))
        classroom = "" if chosen == WITHOUT else chosen
        st.session_state["class"] = classroom
        from fewshot.app.setups import start_lesson

        with starting(classroom):
            start_lesson(
                classroom, watched.source, title=title, aggregate=aggregate, paced=watched.paced,
                called=watched.called, names=names,
            )  # fmt: skip
        st.session_state.pop(_SHARED, None)  # it is the lesson's now
        st.query_params.pop(_WINDOW, None)
        st.rerun()


def _kinds() -> list[str]:
    """What can be watched. Where people log in, the server's own screen is nobody's call."""
    return [SHARED, CAMERA, FILE, STREAM] if server.desk() is not None else [SHARED, CAMERA, SCREEN, FILE, STREAM]


def _to_rely_on(roster: Roster | None) -> str:
    """Which states are right often enough, as measured without photos, and which have photos in this class."""
    reliable = _reliable()
    if not reliable:
        return ""
    words = tr(
        "Without photos, you can rely on: {states}. Other states need photos of the student.",
        states=", ".join(map(emotion_word, reliable)),
    )
    photographed = [student.emotions() for student in roster.students.values()] if roster else []
    counts = Counter(state for states in photographed for state in states if state and state not in reliable)
    if counts:
        shown = ", ".join(
            tr("{state} ({number} of {all})", state=emotion_word(state), number=count, all=len(photographed))
            for state, count in counts.most_common(6)
        )
        words += " " + tr("Students of this class with photos: {states}.", states=shown)
    return words


@cache
def _reliable() -> tuple[str, ...]:
    return Population.load(WEIGHTS / "expression.json").reliable


def _called(kind: str) -> str:
    """What a kind of source is called; the screen is that of the computer that the app runs on."""
    return server.screen_of(server.place()) if kind == SCREEN else tr(kind)


def _source(kind: str) -> _Chosen:
    if kind == SHARED:
        return _Chosen(_shared_window())
    if _SHARED in st.session_state:
        st.session_state.pop(_SHARED).close()  # the browser lets go of the window
        st.query_params.pop(_WINDOW, None)
    if kind == CAMERA:
        return _Chosen(BrowserCamera())
    if kind == SCREEN:
        return _Chosen(_screen())
    if kind == STREAM:
        address = st.text_input(tr("Address"), placeholder="rtsp://192.168.1.20/stream1")
        return _Chosen(address.strip() or None)
    return _recording()


def _recording() -> _Chosen:
    upload = st.file_uploader(tr("Recording"), type=["mp4", "mov", "mkv", "avi", "webm", "m4v"])
    limit, path = tr("A recording may have {number} MB, which is about an hour.", number=MOST_MEGABYTES), ""
    if server.desk() is None:  # whoever logs in to a server must not open its files
        limit += " " + tr("For a larger one, type its path.")
        path = st.text_input(tr("or a file {where}", where=on_computer(server.place())), placeholder="lesson.mp4")
    st.caption(limit)
    paced = st.toggle(tr("Play at normal speed"), value=True, help=tr("Off: process the file as fast as possible."))
    if upload is not None:
        return _Chosen(_kept_upload(upload.file_id, upload.name, content(upload)), paced, upload.name)
    # People who watch the lesson or receive the report must not see where the file lies on this computer.
    typed = path.strip().strip('"')
    return _Chosen(typed or None, paced, Path(typed).name)


def _shared_window() -> SharedWindow:
    from fewshot.app.sharing.field import share_field

    window: SharedWindow | None = st.session_state.get(_SHARED) or found_again(
        st.query_params.get(_WINDOW, ""), visitor()
    )
    if window is None or not window.is_free or window.owner.id != visitor().id:
        window = new_window(visitor())
    st.session_state[_SHARED] = window
    if st.query_params.get(_WINDOW) != window.token:
        st.query_params[_WINDOW] = window.token
    # A separate tab may begin or stop to share meanwhile.
    st.fragment(calm(share_field), run_every=FIELD_EVERY)(window)
    return window


def _screen() -> str:
    whole = st.toggle(tr("The whole screen"), value=True)
    if whole:
        return "screen"
    columns = st.columns(4)
    labels = ((tr("Left"), 0), (tr("Top"), 0), (tr("Width"), 1280), (tr("Height"), 720))
    numbers = [
        column.number_input(label, value=value, step=10) for column, (label, value) in zip(columns, labels, strict=True)
    ]
    return "screen:" + ",".join(str(int(number)) for number in numbers)


def _kept_upload(number: str, name: str, data: bytes | Path) -> str:
    """The upload as a file that OpenCV can open; it is deleted with the session's folder.

    It is named after the upload's number, because another video may have the same name and may still be in use.
    """
    folder = st.session_state.get("uploads")
    if folder is None:
        # Windows cannot delete a file that a lesson still reads; the system removes it later.
        folder = st.session_state["uploads"] = TemporaryFolder("upload", ignore_cleanup_errors=True)
    path = Path(folder.name) / f"{number}{Path(name).suffix}"
    if not path.exists():
        if isinstance(data, Path):
            try:
                path.hardlink_to(data)  # an hour of video twice would fill a small disk
            except OSError:
                shutil.copyfile(data, path)  # only this user can open the folder
        else:
            write_private(path, data)
    return str(path)


@calm
def _samples() -> None:
    with st.container(border=True):
        st.subheader(tr("Want to try it first?"))
        st.write(tr("A recorded lesson with 49 people. It contains only readings, and the names are invented."))
        if st.button(tr("Try with the sample class"), icon=":material/play_circle:", width="stretch"):
            with starting(SAMPLE_CLASS):
                start_sample()
            go("live", **{"class": SAMPLE_CLASS})
        st.write(tr("Twelve people in real photographs, analysed live. You can correct what is shown."))
        if st.button(tr("Try with real photographs"), icon=":material/face:", width="stretch"):
            open_photographs()
        st.write(tr("Six people in a moving picture, analysed live."))
        if st.button(tr("Live sample picture"), icon=":material/image:", width="stretch"):
            from fewshot.app.sample_pictures import start_picture

            with starting(SAMPLE_PICTURE):
                start_picture()
            go("live", **{"class": SAMPLE_PICTURE})


def open_photographs() -> None:
    """Start the class of real photographs, or join it, and show it with its picture."""
    from fewshot.app.sample_pictures import start_photographs

    with starting(PHOTOGRAPHS):
        start_photographs()
    go("live", **{"class": PHOTOGRAPHS, "with_picture": True})
