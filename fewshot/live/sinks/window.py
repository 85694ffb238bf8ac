"""A window with the annotated picture: q or Esc ends the run, p holds the picture, s saves it, r records a video."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import cv2
import numpy as np

from fewshot.errors import printable
from fewshot.live.overlay import Overlay
from fewshot.live.sinks.base import Stop, WindowError
from fewshot.live.sinks.clips import Clips
from fewshot.private_files import write_private
from fewshot.types import Frame, FrameResult

_ESCAPE, _LARGEST = 27, (1600, 900)
_WITHOUT = "Use --no-show, and --save OUT.mp4 to watch the result later."
_PROBE = "import cv2; cv2.namedWindow('fewshot', cv2.WINDOW_NORMAL); cv2.waitKey(1); cv2.destroyAllWindows()"
_PROBE_SECONDS = 6.0


class Window:
    """Shows annotated frames.

    Args:
        overlay: draws the readings; sharing it with the video saves half of the drawing.
        title: title of the window.
        snapshots: folder for the pictures that the key s saves and the videos that r records; None: the current folder.

    Attributes:
        clips: the videos that the key r starts and stops.

    Raises:
        WindowError: this session has no display.
    """

    display = True

    def __init__(
        self, overlay: Overlay | None = None, title: str = "fewshot - q to quit", snapshots: Path | None = None
    ) -> None:
        check_display()
        self._overlay, self._title, self._open = overlay or Overlay(), title, False
        self._folder, self._held, self._picture = snapshots or Path(), False, np.zeros((1, 1, 3), np.uint8)
        self.clips = Clips(self._overlay, self._folder)

    def write(self, result: FrameResult, frame: Frame) -> None:
        """Show a frame, unless the picture is held. The run, and a recording, go on meanwhile.

        Raises:
            Stop: the user closed the window or pressed q or Esc.
        """
        self.clips.write(result, frame)
        if self._held:
            self.idle()
            return
        self._picture = picture = self._overlay.draw(frame, result)
        if not self._open:
            self._show_first(picture)
        cv2.imshow(self._title, picture)
        self.idle()

    def idle(self) -> None:
        """Keep the window responsive while there is no frame to show.

        Raises:
            Stop: the user closed the window or pressed q or Esc.
        """
        if not self._open:
            return
        key = cv2.waitKey(1) & 0xFF
        if key in (ord("q"), ord("Q"), _ESCAPE) or cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) < 1:
            raise Stop
        if key in (ord("p"), ord("P"), ord(" ")):
            self._held = not self._held
        elif key in (ord("s"), ord("S")):
            self._save()
        elif key in (ord("r"), ord("R")):
            self.clips.toggle()

    def close(self) -> None:
        """Close the window, if it is open, and finish a video that is being recorded."""
        self.clips.close()
        if self._open:
            self._open = False
            try:
                cv2.destroyWindow(self._title)
            except cv2.error:  # the user has closed the window already
                return
            cv2.waitKey(1)  # without this, some systems do not remove the window

    def _save(self) -> None:
        """Write the picture that is shown to a file of its own."""
        path = self._folder / f"fewshot-{datetime.now():%Y-%m-%d-%H%M%S-%f}.png"
        good, data = cv2.imencode(".png", self._picture)
        try:
            write_private(path, data.tobytes() if good else b"")
        except OSError as error:
            print(f"{printable(str(path))} cannot be written: {error.strerror}. The picture was not saved.")
        else:
            print(f"Picture: {printable(str(path))}")

    def _show_first(self, picture: Frame) -> None:
        height, width = picture.shape[:2]
        scale = min(1.0, _LARGEST[0] / width, _LARGEST[1] / height)
        try:
            # Without WINDOW_GUI_NORMAL, Qt adds a toolbar for debugging.
            cv2.namedWindow(self._title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
            cv2.resizeWindow(self._title, round(width * scale), round(height * scale))
        except cv2.error as error:  # opencv-python-headless, which other packages may install
            raise WindowError(
                "This version of OpenCV cannot open windows. Install opencv-python again, or use --no-show and --save."
            ) from error
        self._open = True


def check_display() -> None:
    """Try a window in another process first: without a usable display, OpenCV's Qt would end the whole process.

    Raises:
        WindowError: no window can be opened.
    """
    if not sys.platform.startswith("linux"):
        return
    wanted, display = os.environ.get("QT_QPA_PLATFORM", ""), os.environ.get("DISPLAY", "")
    # Qt in the wheels supports only X11; a Wayland desktop sets DISPLAY as well (XWayland).
    if not display and not wanted:
        raise WindowError(f"No window can be opened, because this session has no display. {_WITHOUT}")
    if _opens(wanted, display):
        return
    if wanted and display and _opens("xcb", display):
        why = f"because QT_QPA_PLATFORM is {wanted}, which OpenCV does not support. Unset it. Or"
    else:
        why = "because the display cannot be used. Run fewshot in a desktop session. Or"
    raise WindowError(f"No window can be opened, {why} {_WITHOUT[0].lower()}{_WITHOUT[1:]}")


@functools.cache
def _opens(platform: str, display: str) -> bool:
    """Whether another process can open a window with this QT_QPA_PLATFORM on this DISPLAY."""
    environment = {**os.environ, "QT_QPA_PLATFORM": platform, "DISPLAY": display}
    if not platform:
        del environment["QT_QPA_PLATFORM"]
    words = [sys.executable, "-c", _PROBE]
    try:
        done = subprocess.run(words, env=environment, timeout=_PROBE_SECONDS, check=False, capture_output=True)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
