"""A browser's camera as a live source: only the newest frame is kept, whoever is slow."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np

from fewshot.errors import SourceError
from fewshot.live.sources.base import CapturedFrame

if TYPE_CHECKING:
    import av

NO_ICE: dict[str, Any] = {"iceServers": []}
"""On one machine no server is needed to find the other end, and no internet."""
CONSTRAINTS: dict[str, Any] = {
    "video": {"width": {"ideal": 1280}, "height": {"ideal": 720}, "frameRate": {"ideal": 15, "max": 20}},
    "audio": False,
}
IDLE = 2.0
"""Seconds without a frame after which a camera counts as away: another tab may take its place."""
FIRST_PICTURE = 20.0
"""Seconds that a tab has for its first picture: somebody must find and press "allow"."""
PATIENCE = 600.0
"""Seconds that a lesson waits for its camera to come back."""
_TICK = 0.2
_numbers = count(1)


class BrowserCamera:
    """A box for one frame. ``push`` is called by WebRTC and returns at once; the pipeline takes the newest one out.

    streamlit-webrtc and aiortc queue frames without bound while their consumer is busy, so theirs must never be:
    decoding to pixels happens when a frame is taken, and a frame that nobody took is dropped, not kept.

    Args:
        name: what the teacher sees.
        patience: seconds without a frame after which the source ends.
        clock: seconds, monotone.
    """

    live = True
    frames: int | None = None

    def __init__(
        self,
        name: str = "this browser's camera",
        patience: float = PATIENCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.fps: float | None = None
        self.dropped = 0
        self.received = 0
        self.lost: str | None = None
        self.notes: list[str] = []
        self.owner: str | None = None
        self.sink: tuple[str, Any] | None = None  # the connection's name, and what it ends in
        self.number = next(_numbers)
        self._patience, self._clock = patience, clock
        self._fresh = threading.Condition()
        self._box: tuple[float, av.VideoFrame] | None = None
        self._last = self._claimed = clock()
        self._closed = False

    def push(self, frame: av.VideoFrame) -> None:
        """Take in a frame. Never waits, never decodes."""
        with self._fresh:
            self.dropped += self._box is not None
            self.received += 1
            self._last = self._clock()
            self._box = (self._last, frame)
            self._fresh.notify_all()

    @property
    def quiet(self) -> float:
        """Seconds since the last frame, or since the box was made."""
        return self._clock() - self._last

    @property
    def away(self) -> str | None:
        """A sentence while no picture comes, else None."""
        quiet = self.quiet
        if quiet < IDLE:
            return None
        if not self.received:
            return "Waiting for the camera. If the browser asks, allow it; it may ask at the top left of the window."
        return f"No picture from the camera for {quiet:.0f} s. The lesson waits and goes on when it is back."

    def may_send(self, session: str) -> bool:
        """Whether this browser tab is to send its camera: it does already, or nobody does."""
        now = self._clock()
        patience = IDLE if self.received else FIRST_PICTURE
        silent = min(self.quiet, now - self._claimed) > patience
        if self.owner is None or (self.owner != session and silent):
            self.owner, self._claimed = session, now
        return self.owner == session

    def __iter__(self) -> Iterator[CapturedFrame]:
        index, start, last = 0, None, -1.0
        while (taken := self._take()) is not None:
            seen, frame = taken
            start = seen if start is None else start
            last = max(seen - start, last + 1e-3)
            pixels = np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
            yield CapturedFrame(self.name, index, last, pixels)
            index += 1
        if not self._closed:
            if index == 0:
                raise SourceError(f"No picture came from {self.name}. {ADVICE['nothing']}")
            self.lost = f"{self.name} gave no more pictures after {max(last, 0):.0f} s."

    def close(self) -> None:
        """Give out no more frames; whoever waits for one is woken."""
        with self._fresh:
            self._closed = True
            self._box = None
            self._fresh.notify_all()

    def _take(self) -> tuple[float, av.VideoFrame] | None:
        """The newest frame, waiting for it; None when there will be none."""
        with self._fresh:
            while self._box is None and not self._closed and self._clock() - self._last < self._patience:
                self._fresh.wait(_TICK)
            taken, self._box = self._box, None
            return None if self._closed else taken


ADVICE = {
    "refused": "The browser was not allowed to use the camera. Click the camera sign in the address bar, choose "
    "“Always allow”, and press Start again.",
    "none": "No camera was found. Plug one in, or choose another source: the screen, a video file, or a stream.",
    "busy": "The camera is in use by another program. Close the video call or the camera app, and press Start again.",
    "ice": "The browser and this computer found no way to each other. If they are two machines, an administrator must "
    "name a STUN or TURN server under Settings → Connection.",
    "https": "The browser gives cameras only to pages opened on this computer (http://localhost) or over HTTPS. Open "
    "the page on the computer itself, or have it served over HTTPS.",
    "nothing": "Press Start on the camera field and allow the camera; look for a camera sign in the address bar.",
}
"""What to do, by what happened."""

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
            return ADVICE[what]
    return ADVICE["nothing"]


def rtc_configuration(servers: str, username: str = "", password: str = "") -> dict[str, Any]:
    """Settings → what WebRTC wants; one server a line; none is right for one machine.

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
