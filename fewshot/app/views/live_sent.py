"""What this tab sends to a running lesson: its camera, or a window that it shares."""

from __future__ import annotations

from typing import Any

import streamlit as st

from fewshot.app.lesson import RunningLesson
from fewshot.app.sharing.window import SharedWindow
from fewshot.app.shell import calm, session
from fewshot.app.webrtc import BrowserCamera
from fewshot.translation import tr

EVERY = 0.7
"""Seconds between two looks at whether pictures still come."""


def sender(lesson: RunningLesson, notices: Any) -> None:
    """The field that sends this browser's camera or window, if the lesson watches one.

    Args:
        notices: where its sentences stand, a container; None if the lesson watches neither.
    """
    sent = lesson.plan.sent
    if not lesson.alive:
        return
    if isinstance(sent, BrowserCamera):
        _camera(lesson, sent, notices)
    elif isinstance(sent, SharedWindow):
        _window(lesson, sent, notices)


def _camera(lesson: RunningLesson, box: BrowserCamera, notices: Any) -> None:
    from fewshot.app.streamer import send_camera

    mine, sends = box.may_send(session()), False
    with st.container(key="camera"):
        if mine:
            sends = send_camera(box, notices=notices)
        else:
            st.caption(tr("The lesson uses the camera of another tab. If that tab is closed, this one takes over."))
        st.fragment(_keep_camera, run_every=EVERY)(lesson, box, mine, sends)


@calm
def _keep_camera(lesson: RunningLesson, box: BrowserCamera, mine: bool, sends: bool) -> None:
    """Take over from a tab that is gone, and connect anew when pictures stop to come: nobody has to click."""
    from fewshot.app.streamer import try_again

    if not lesson.alive:
        return
    if box.may_send(session()) != mine:
        st.rerun()
    if sends and box.connect_anew():
        try_again()


def _window(lesson: RunningLesson, window: SharedWindow, notices: Any) -> None:
    """The field stands on top as long as something must be clicked, and below the tiles while pictures come."""
    from fewshot.app.sharing.field import share_field

    connected = window.connected
    with st.container(key="shared") if connected else notices.container(border=True):
        share_field(window)
    st.fragment(_keep_window, run_every=EVERY)(lesson, window, connected)


@calm
def _keep_window(lesson: RunningLesson, window: SharedWindow, connected: bool) -> None:
    if lesson.alive and window.connected != connected:
        st.rerun()
