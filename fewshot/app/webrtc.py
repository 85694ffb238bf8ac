"""A browser's camera as a live source, over WebRTC."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from fewshot.app.browser_source import IDLE, PATIENCE, BrowserSource
from fewshot.session.stored_words import CAMERA
from fewshot.translation import later, tr
from fewshot.types import Frame

if TYPE_CHECKING:
    import av

NO_ICE: dict[str, Any] = {"iceServers": []}
"""On a single machine the connection needs no server and no internet."""
CONSTRAINTS: dict[str, Any] = {
    "video": {"width": {"ideal": 1280}, "height": {"ideal": 720}, "frameRate": {"ideal": 15, "max": 20}},
    "audio": False,
}
FIRST_PICTURE = 20.0
"""Seconds that a tab which is open has for its next picture: the user must find and click "allow", or plug it in."""
HEARD = 2.0
"""Seconds after which a tab that no longer asks counts as closed or loaded anew, so that another may replace it."""
LOST = 3.0
"""Seconds without a picture after which the same tab connects anew: after sleep, a lost network, a pulled plug."""
AGAIN = (4.0, 6.0, 9.0, 14.0, 20.0)
"""Seconds that the first and the later attempts have for a picture; a busy computer needs several."""


class BrowserCamera(BrowserSource):
    """A browser's camera. streamlit-webrtc and aiortc queue frames without a limit while their consumer is busy.

    Args:
        name: what the teacher sees.
        patience: seconds without a frame after which the source ends.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        name: str = CAMERA,
        patience: float = PATIENCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(name, patience, clock)
        self.owner: str | None = None
        self.sink: tuple[str, Any] | None = None  # the connection's key and its end
        self._claimed = self._heard = self._tried = self._last
        self._tries = 0

    @property
    def never(self) -> str:  # type: ignore[override]
        """What to do if no frame has ever come."""
        return ADVICE["nothing"]

    def push(self, frame: av.VideoFrame) -> None:
        """Take in a frame. Never waits, never decodes."""
        self._tries = 0
        super().push(frame)

    @property
    def away(self) -> str | None:
        """A sentence while no picture comes, else None."""
        quiet = self.quiet
        if quiet < IDLE:
            return None
        if not self.received:
            return tr(
                "Waiting for the camera. Click Allow if the browser asks; it may ask at the top left of the window."
            )
        return tr(
            "No picture from the camera for {seconds} s. The lesson waits, and continues when the picture is back.",
            seconds=f"{quiet:.0f}",
        )

    def may_send(self, session: str) -> bool:
        """Whether this browser tab should send its camera: it already does, or no other tab does.

        Tabs ask this about every second, so a tab that stopped asking is gone.
        """
        now = self._clock()
        patience = IDLE if now - self._heard > HEARD else FIRST_PICTURE
        silent = min(self.quiet, now - self._claimed) > patience
        if self.owner is None or (self.owner != session and silent):
            self.owner, self._claimed, self._tried, self._tries = session, now, now, 0
        if self.owner == session:
            self._heard = now
        return self.owner == session

    def connect_anew(self) -> bool:
        """Whether the tab that sends should make a new connection now: pictures came, and then no more.

        Every "yes" counts as an attempt, and the next one gets more time.
        """
        now = self._clock()
        if not self.received or self.quiet < LOST or now - self._tried < AGAIN[min(self._tries, len(AGAIN) - 1)]:
            return False
        self._tried, self._tries = now, self._tries + 1
        return True

    def _pixels(self, frame: av.VideoFrame) -> Frame:
        return np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)


ADVICE = {
    "refused": later(
        "The browser was not allowed to use the camera. Click the camera icon in the address bar, choose “Always "
        "allow”, and try the camera again."
    ),
    "none": later("No camera was found. Plug one in, or choose another source: the screen, a video file, or a stream."),
    "busy": later(
        "The camera is in use by another program. Close the video call or camera app, and try the camera again."
    ),
    "ice": later(
        "The browser and fewshot could not connect to each other. If they run on two computers, an administrator must "
        "enter a STUN or TURN server under Settings → Connection."
    ),
    "https": later(
        "Browsers allow a camera only on pages at http://localhost or over HTTPS. Open this page on the computer on "
        "which fewshot runs, or ask an administrator to serve it over HTTPS."
    ),
    "nothing": later(
        "Click “Start the camera”, and click Allow when the browser asks. The question may be hidden behind a camera "
        "icon in the address bar."
    ),
}
"""What happened -> what to do."""

_SIGNS = (
    ("refused", ("notallowed", "permission", "denied", "security")),
    ("none", ("notfound", "devicesnotfound", "requested device", "overconstrained")),
    ("busy", ("notreadable", "trackstart", "in use", "aborterror")),
    ("https", ("mediadevices", "insecure", "undefined")),
    ("ice", ("ice", "connection", "stun", "turn")),
)


def advice_for(error: str) -> str:
    """What a teacher should do about a browser's error.

    >>> advice_for("NotAllowedError: Permission denied").startswith("The browser was not allowed")
    True
    """
    text = error.lower()
    for what, signs in _SIGNS:
        if any(sign in text for sign in signs):
            return tr(ADVICE[what])
    return tr(ADVICE["nothing"])


# Without a password there is none: the empty text is no secret.
def rtc_configuration(servers: str, username: str = "", password: str = "") -> dict[str, Any]:  # nosec B107
    """The settings as WebRTC needs them: one server per line. On a single machine none is needed.

    >>> rtc_configuration("")
    {'iceServers': []}
    """
    urls = [line.strip() for line in servers.splitlines() if line.strip()]
    if not urls:
        return dict(NO_ICE)
    server: dict[str, Any] = {"urls": urls}
    if username:
        server |= {"username": username, "credential": password}
    return {"iceServers": [server]}
