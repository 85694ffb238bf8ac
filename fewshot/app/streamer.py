"""streamlit-webrtc, send-only: the browser sends its picture into a box, and nothing is sent back."""

from __future__ import annotations

from typing import Any

import streamlit as st

from fewshot.app.components import camera_check
from fewshot.app.shell import calm
from fewshot.app.visitor import visitor
from fewshot.app.webrtc import ADVICE, CONSTRAINTS, BrowserCamera, advice_for, rtc_configuration
from fewshot.session.settings import Settings
from fewshot.translation import tr

KEY = "fewshot-camera"
_TRIES = "camera tries"


def connection() -> dict[str, object]:
    """STUN and TURN servers from the settings; on a single machine none is needed."""
    settings = Settings(owner=visitor())
    ice = settings.get("ice", {}) or {}
    return rtc_configuration(ice.get("servers", ""), ice.get("username", ""), settings.turn_password)


def send_camera(box: BrowserCamera, key: str = KEY, notices: Any = st) -> bool:
    """Ask for the camera and send it into the box; errors become sentences that say what to do.

    Every box, every visit of the page and every new attempt has its own connection, because streamlit-webrtc does not
    open a connection again under a key whose field has left the page.

    Args:
        notices: where the sentences stand, a container.

    Returns:
        Whether the browser has a camera and was told to send it.
    """
    key = f"{key}-{box.number}-{st.session_state.get('visit', 0)}-{st.session_state.get(_TRIES, 0)}"
    outcome = camera_check(f"{key}-check")
    if outcome is None:
        notices.info(
            tr("Your browser asks whether this page may use the camera. Click Allow."), icon=":material/videocam:"
        )
        return False
    if outcome != "ok":
        notices.error(advice_for(outcome), icon=":material/videocam_off:")
        if notices.button(tr("Try the camera again"), icon=":material/refresh:"):
            try_again()
        return False
    _stream(box, key)
    return True


def try_again() -> None:
    """Draw the page anew with another connection."""
    st.session_state[_TRIES] = st.session_state.get(_TRIES, 0) + 1
    st.rerun()


def _stream(box: BrowserCamera, key: str) -> None:
    from streamlit_webrtc import WebRtcMode, webrtc_streamer

    ice = connection()
    webrtc_streamer(
        key=key,
        mode=WebRtcMode.SENDONLY,
        rtc_configuration=ice,
        media_stream_constraints=CONSTRAINTS,
        sink_video_track=sink_of(box, key),
        desired_playing_state=True,
        translations={
            "start": tr("Start the camera"),
            "stop": tr("Stop the camera"),
            "media_api_not_available": tr(ADVICE["https"]),
            "device_ask_permission": tr("Click Allow when the browser asks for the camera."),
            "device_not_available": tr(ADVICE["none"]),
            "device_access_denied": tr(ADVICE["refused"]),
        },
    )
    _watch_connection(box)


def sink_of(box: BrowserCamera, key: str) -> Any:
    """The end of the connection, which passes every frame to the box. There is one per connection.

    streamlit-webrtc's ``create_video_sink_track`` is not used: when the teacher leaves the page, it clears its cache in
    the session's state from another thread and under another lock than the page's, and the next page sometimes failed.
    """
    from streamlit_webrtc import VideoSinkTrack

    if box.sink is None or box.sink[0] != key:

        def push(frame: Any) -> None:
            if box.sink is not None and box.sink[0] == key:  # else this connection was replaced
                box.push(frame)

        track: Any = VideoSinkTrack(push)
        track._streamlit_webrtc_lifecycle_scope = "webrtc-session"
        track._streamlit_webrtc_reset_on_session_end = track.stop
        box.sink = (key, track)
    return box.sink[1]


@st.fragment(run_every=2.0)
@calm
def _watch_connection(box: BrowserCamera) -> None:
    """Say so if there is no connection; the lesson itself reports a camera that was lost."""
    waited = box.quiet
    if waited > 12 and not box.received:
        st.error(tr(ADVICE["ice"]), icon=":material/wifi_off:")
