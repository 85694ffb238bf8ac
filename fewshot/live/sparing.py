"""Spares a computer that also runs the call: how often a source is looked at, priority, and backing off."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil  # type: ignore[import-untyped]

from fewshot.errors import UsageError
from fewshot.translation import later

if TYPE_CHECKING:
    from fewshot.live.sources.base import Source

CALL_FPS = 8.0
"""Frames per second of a screen or window, where a call runs on the same computer."""
CAMERA_FPS = 15.0
"""Frames per second of a camera or stream: expressions need no more, and the picture still looks lively."""
RATE = "FEWSHOT_FPS"
"""Environment variable: frames per second of a screen, instead of ``CALL_FPS``."""
PRIORITY = "FEWSHOT_NICE"
"""Environment variable: how much the priority is lowered, 0 to 19."""
EMBED = "FEWSHOT_EMBED"
"""Environment variable: "changed" embeds only the faces that changed, "all" (the default) embeds every face."""
_LOWER = 5
"""Usual lowering: beside a program of normal priority, a third of the processor time (Linux)."""

_BUSY, _IDLE = 92.0, 75.0
"""Use of all processor cores, percent, above which a run backs off, and below which it comes back."""
_EVERY = 2.0
"""Seconds over which that use is measured."""
_SLOWER = 1.4
_SLOWEST = 4.0


def usual_rate(source: Source) -> float | None:
    """Frames per second at which a source is looked at if nobody chose another number; None: every frame (files).

    Raises:
        UsageError: ``FEWSHOT_FPS`` is not a number above 0.
    """
    if not source.live:
        return None
    return call_rate() if source.name.startswith("screen") else CAMERA_FPS


def call_rate() -> float:
    """Frames per second of a screen or a shared window, where a call runs on the same computer.

    Raises:
        UsageError: ``FEWSHOT_FPS`` is not a number above 0.
    """
    text = os.environ.get(RATE, "").strip()
    try:
        rate = float(text) if text else CALL_FPS
    except ValueError:
        rate = float("nan")
    if not 0 < rate <= 1000:
        raise UsageError(
            later(
                "{rate} is {text!r}. Set it to a number of frames per second, such as 8, or unset it.",
                rate=RATE,
                text=text,
            )
        )
    return rate


def only_changed() -> bool:
    """Whether the environment asks to embed only the faces that changed (``ChangedFaces``).

    Raises:
        UsageError: ``FEWSHOT_EMBED`` is neither "changed" nor "all".
    """
    text = os.environ.get(EMBED, "").strip() or "all"
    if text not in ("changed", "all"):
        raise UsageError(later("{embed} is {text!r}. Set it to changed or to all.", embed=EMBED, text=text))
    return text == "changed"


def lower_priority() -> bool:
    """Let other programs go first from now on, as far as the system allows it. Calling it again changes nothing.

    Call it before models are loaded, because engines start threads then, and threads inherit the priority.

    Returns:
        Whether the priority is lower than a normal program's now.

    Raises:
        UsageError: ``FEWSHOT_NICE`` is not a whole number from 0 to 19.
    """
    text = os.environ.get(PRIORITY, "").strip()
    if text and not (text.isascii() and text.isdigit() and int(text) <= 19):
        raise UsageError(
            later(
                "{priority} is {text!r}. Set it to a whole number from 0 (normal) to 19 (lowest).",
                priority=PRIORITY,
                text=text,
            )
        )
    wanted = int(text) if text else _LOWER
    with suppress(OSError, psutil.Error):  # the lesson matters more than its priority
        if hasattr(os, "nice"):
            now = os.nice(0)
            return (os.nice(wanted - now) if wanted > now else now) > 0
        if wanted:
            psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)  # type: ignore[attr-defined]  # Windows
            return True
    return False


class BackOff:
    """Makes the pause between two frames longer while all processor cores are busy, whoever uses them.

    The pause grows step by step to at most four times its length, and shrinks again when the machine has time.

    Args:
        use: use of all cores since the last call, percent.
        clock: monotonic clock, seconds.

    Attributes:
        factor: of the pause, 1 to 4.
    """

    def __init__(
        self, use: Callable[[], float] = psutil.cpu_percent, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.factor = 1.0
        self._use, self._clock = use, clock
        self._measured = clock()
        use()  # the first call only begins the measurement

    def update(self) -> float:
        """Measure if it is time to, and return ``factor``. Costs nothing in between."""
        now = self._clock()
        if now - self._measured >= _EVERY:
            self._measured, use = now, self._use()
            if use > _BUSY:
                self.factor = min(_SLOWEST, self.factor * _SLOWER)
            elif use < _IDLE:
                self.factor = max(1.0, self.factor / _SLOWER)
        return self.factor
