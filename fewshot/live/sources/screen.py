"""The screen, or a region of it: with it, any lesson that is visible on the screen can be watched."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import numpy as np

from fewshot.errors import SourceError
from fewshot.live.sources.base import CapturedFrame, SourceNotFound
from fewshot.translation import later
from fewshot.types import Frame

_REGION = re.compile(r"screen:(-?\d+),(-?\d+),(\d+),(\d+)")


class ScreenSource:
    """Screenshots on demand, at most ``fps`` per second. No frame waits, so no frame is dropped.

    Args:
        text: "screen" for the main screen, or "screen:x,y,w,h" for a region in the system's own coordinates (points on
            a Mac, where the picture then has twice as many pixels).
        fps: largest number of screenshots per second.
        clock, sleep: seconds; for tests.

    Raises:
        SourceError: there is no screen, capturing is not allowed, or the region is not on the screen.
    """

    live = True
    gives_newest = True
    frames: int | None = None

    def __init__(
        self,
        text: str,
        fps: float = 20.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = text
        self.fps: float | None = fps
        self.dropped = 0
        self.lost: str | None = None
        self.notes: list[str] = []
        self._step, self._clock, self._sleep = 1 / fps, clock, sleep
        wanted = parse_region(text)
        camera = open_screen()
        try:
            self._region = _choose(camera, wanted)
            self._check_permission(_grab(camera, self._region))
        finally:
            camera.close()

    def __iter__(self) -> Iterator[CapturedFrame]:
        from mss.exception import ScreenShotError

        camera = open_screen()  # in this thread, because the connection to the display works only in its own thread
        start, index, last = self._clock(), 0, -1.0
        try:
            while True:
                pause = start + last + self._step - self._clock()
                if index and pause > 0:
                    self._sleep(pause)
                frame = _grab(camera, self._region)
                last = max(self._clock() - start if index else 0.0, last + 1e-3)
                yield CapturedFrame(self.name, index, last, frame)
                index += 1
        except (ScreenShotError, AssertionError) as error:  # mss asserts that the display answers
            self.lost = later(
                "The screen could no longer be captured after {seconds:.1f} s ({reason}).",
                seconds=max(last, 0),
                reason=str(error) or later("the display is gone"),
            )
        finally:
            with suppress(ScreenShotError):  # the display may be gone already
                camera.close()

    def close(self) -> None:
        """Nothing to do: only the iteration holds a connection."""

    def _check_permission(self, frame: Frame) -> None:
        if os.environ.get("XDG_SESSION_TYPE") == "wayland" and not frame.any():
            raise SourceError(
                later(
                    "This desktop (Wayland) does not allow programs to capture the screen. Log in with an Xorg "
                    "session, or use a recording of the lesson as the source."
                )
            )


def _choose(camera: Any, wanted: tuple[int, int, int, int] | None) -> dict[str, int]:
    everything, *screens = camera.monitors
    if wanted is None:
        return dict(screens[0] if screens else everything)
    x, y, width, height = wanted
    left, top = everything["left"], everything["top"]
    right, bottom = left + everything["width"], top + everything["height"]
    if not (left <= x and x + width <= right and top <= y and y + height <= bottom):
        raise SourceError(
            later(
                "The region {x},{y},{width},{height} is not on the screen, which spans {left},{top} to "
                "{right},{bottom}. Give x, y, width and height of a region inside the screen.",
                x=x,
                y=y,
                width=width,
                height=height,
                left=left,
                top=top,
                right=right,
                bottom=bottom,
            )
        )
    return {"left": x, "top": y, "width": width, "height": height}


def _grab(camera: Any, region: dict[str, int]) -> Frame:
    captured = camera.grab(region)
    picture = np.frombuffer(captured.raw, np.uint8).reshape(captured.height, captured.width, 4)
    return np.ascontiguousarray(picture[..., :3])


def parse_region(text: str) -> tuple[int, int, int, int] | None:
    """ "screen" -> None; "screen:x,y,w,h" -> those four, in pixels.

    Raises:
        SourceNotFound: the text is neither.
    """
    if text == "screen":
        return None
    match = _REGION.fullmatch(text.replace(" ", ""))
    x, y, width, height = (int(value) for value in match.groups()) if match else (0, 0, 0, 0)
    if width == 0 or height == 0:
        raise SourceNotFound(
            later("'{text}' is not a region of the screen. Write screen:x,y,width,height, in pixels.", text=text)
        )
    return x, y, width, height


def open_screen() -> Any:
    """Connect to the display.

    Returns:
        ``mss``'s screen camera.

    Raises:
        SourceError: this machine or session has no display.
    """
    # Imported here, because mss looks for the system's libraries when it is imported.
    import mss
    from mss.exception import ScreenShotError

    try:
        return mss.MSS()
    except (ScreenShotError, OSError) as error:
        raise SourceError(
            later(
                "The screen cannot be captured, because this session has no display. Run fewshot in a desktop "
                "session, or use a camera or a file as the source."
            )
        ) from error
