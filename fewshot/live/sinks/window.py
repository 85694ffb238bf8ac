"""A window with the annotated picture; q, Esc or its cross ends the run."""

from __future__ import annotations

import os
import sys

import cv2

from fewshot.errors import SourceError
from fewshot.live.overlay import Overlay
from fewshot.live.sinks.base import Stop, WindowError
from fewshot.live.sources.screen import open_screen
from fewshot.types import Frame, FrameResult

_ESCAPE, _LARGEST = 27, (1600, 900)


class Window:
    """Shows frames.

    Args:
        overlay: draws it; one that the video shares saves half the drawing.
        title: of the window.

    Raises:
        WindowError: this session has no display.
    """

    display = True

    def __init__(self, overlay: Overlay | None = None, title: str = "fewshot - q to quit") -> None:
        check_display()
        self._overlay, self._title, self._open = overlay or Overlay(), title, False

    def write(self, result: FrameResult, frame: Frame) -> None:
        """Show a frame.

        Raises:
            Stop: the user has seen enough.
        """
        picture = self._overlay.draw(frame, result)
        if not self._open:
            self._show_first(picture)
        cv2.imshow(self._title, picture)
        self.idle()

    def idle(self) -> None:
        """Let the window live while there is no frame to show.

        Raises:
            Stop: the user has seen enough.
        """
        if not self._open:
            return
        key = cv2.waitKey(1) & 0xFF
        if key in (ord("q"), ord("Q"), _ESCAPE) or cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) < 1:
            raise Stop

    def close(self) -> None:
        if self._open:
            self._open = False
            try:
                cv2.destroyWindow(self._title)
            except cv2.error:  # the user's click on the cross has done it
                return
            cv2.waitKey(1)  # without it some systems leave a dead window behind

    def _show_first(self, picture: Frame) -> None:
        height, width = picture.shape[:2]
        scale = min(1.0, _LARGEST[0] / width, _LARGEST[1] / height)
        try:
            cv2.namedWindow(self._title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO)
            cv2.resizeWindow(self._title, round(width * scale), round(height * scale))
        except cv2.error as error:  # opencv-python-headless, which other packages like to pull in
            raise WindowError(
                "This OpenCV was built without windows. Reinstall opencv-python, or go on with --no-show and --save."
            ) from error
        self._open = True


def check_display() -> None:
    """Make sure that a window can be opened, before OpenCV tries: without a display its Qt ends the whole process.

    Raises:
        WindowError: it cannot.
    """
    if not sys.platform.startswith("linux") or os.environ.get("QT_QPA_PLATFORM"):
        return
    no_window = WindowError(
        "This session has no display, so no window can be opened. Go on with --no-show (and --save OUT.mp4 to look "
        "at the result later)."
    )
    # The wheels' Qt speaks X11 only; a Wayland desktop sets DISPLAY as well (XWayland).
    if not os.environ.get("DISPLAY"):
        raise no_window
    try:
        open_screen().close()
    except SourceError as error:  # DISPLAY names a server that is not there or lets nobody in
        raise no_window from error
