"""A loop whose work is done by a service: sources, sinks and the pipeline are those of this computer."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from fewshot.client.records import result_of
from fewshot.errors import FewshotError
from fewshot.live.interfaces import Sighting
from fewshot.live.loop import Loop, Step
from fewshot.live.sources.base import CapturedFrame
from fewshot.live.times import StageTimes
from fewshot.types import Frame, FrameResult

if TYPE_CHECKING:
    from fewshot.client.client import Client, NamesFrom
    from fewshot.client.lesson import RemoteLesson

QUALITY = 92
"""Of the JPEG files that are sent."""
GAP = 1.0
"""Seconds between two sources of one recorded lesson."""


class RemoteLoop(Loop):
    """Sends every frame to a service. A frame is sent in ``find``, and its moment is awaited in ``embed``.

    Args:
        client: of the service.
        classroom: recognise the students of this class.
        title: record the lesson at the service with this title; None records nothing.
        source: name of the source for the lesson.
        names: where names come from.

    Attributes:
        lesson: the lesson at the service; None before the first frame of a video.
    """

    def __init__(
        self,
        client: Client,
        classroom: str | None,
        title: str | None = None,
        source: str = "frames",
        names: NamesFrom = "faces",
    ) -> None:
        self.times, self.in_order, self.labels = StageTimes(), True, None
        self._client, self._classroom, self._title, self._source = client, classroom, title, source
        self._names: NamesFrom = names
        self.lesson: RemoteLesson | None = None
        self._offset, self._last = 0.0, -GAP

    def begin(self) -> None:
        """Another source begins: a lesson that is recorded goes on, any other one begins anew."""
        if self._title is None:
            self.end()
        self._offset = self._last + GAP

    def start(self) -> RemoteLesson:
        """Start the lesson, if it has not begun.

        Raises:
            FewshotError: the service does not answer, or refuses the lesson.
        """
        if self.lesson is None:
            self.lesson = self._client.lesson(
                self._classroom, title=self._title, source=self._source, names=self._names
            )
            self._offset, self._last = 0.0, -GAP
        return self.lesson

    def end(self) -> None:
        """End the lesson at the service."""
        lesson, self.lesson = self.lesson, None
        if lesson is not None:
            lesson.end()

    def find(self, captured: CapturedFrame) -> Sighting:
        """Send a frame; needs the frames in order."""
        start = perf_counter()
        data = _jpeg(captured.frame)
        seen = _Sent(captured, [], start, {})
        if captured.independent:
            seen.record = data
        else:
            lesson = self.start()
            at = max(captured.time + self._offset, self._last + 1e-3)
            self._last = at
            seen.number = lesson.send(data, at)
            seen.lesson = lesson
        return seen

    def follow(self, seen: Sighting) -> None:
        """Tracks are followed by the service."""

    def embed(self, seen: Sighting) -> None:
        """Wait for the moment of a frame."""
        assert isinstance(seen, _Sent)  # nosec B101: made by find
        seen.result = self._moment(seen)
        seen.seconds["service"] = perf_counter() - seen.start

    def conclude(self, seen: Sighting) -> Step:
        """The result of a frame."""
        assert isinstance(seen, _Sent) and seen.result is not None  # nosec B101: made by find
        self.times.merge({**seen.seconds, "total": perf_counter() - seen.start})
        return Step(seen.result, seen.captured.frame, [])

    def _moment(self, seen: _Sent) -> FrameResult:
        captured = seen.captured
        height, width = captured.frame.shape[:2]
        empty = FrameResult(captured.source, captured.index, captured.time, width, height)
        if seen.lesson is None:
            found = self._client.read(seen.record, self._classroom, names=self._names)
            return FrameResult(captured.source, captured.index, captured.time, width, height, found.readings)
        moment = seen.lesson.wait(seen.number)
        return empty if moment.get("type") == "counts" else result_of(moment, captured)


class _Sent(Sighting):
    """A frame that is on its way to the service."""

    number: int = -1
    lesson: RemoteLesson | None = None
    record: bytes = b""
    result: FrameResult | None = None

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)


def _jpeg(frame: Frame) -> bytes:
    ok, data = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not ok:
        raise FewshotError("A frame could not be packed as a JPEG picture, so it was not sent.")
    return np.asarray(data, np.uint8).tobytes()
