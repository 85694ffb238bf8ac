"""Annotated videos that a key starts and stops in the middle of a run."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from fewshot.errors import printable
from fewshot.live.overlay import Overlay
from fewshot.live.sinks.base import OutputError
from fewshot.live.sinks.video import LIVE_RATE, AnnotatedVideo
from fewshot.live.sources.base import Source
from fewshot.types import Frame, FrameResult


class Clips:
    """Videos of parts of a run, one file each. What goes wrong with a file is printed, and the run goes on.

    Args:
        overlay: draws the readings; the one of the window saves drawing twice.
        folder: where the files go.

    Attributes:
        source: what is watched; None: a live source of unknown frame rate.
    """

    def __init__(self, overlay: Overlay, folder: Path) -> None:
        self.source: Source | None = None
        self._overlay, self._folder = overlay, folder
        self._video: AnnotatedVideo | None = None
        self._frames = 0

    @property
    def recording(self) -> bool:
        """Whether frames are written to a file now."""
        return self._video is not None

    def toggle(self) -> None:
        """Start a new file, or finish the one that is being written."""
        if self.recording:
            self.close()
            return
        path = self._folder / f"fewshot-{datetime.now():%Y-%m-%d-%H%M%S-%f}.mp4"
        try:
            self._video, self._frames = self._open(path), 0
        except (OutputError, OSError) as error:
            _say(f"Nothing is recorded. {error}")
        else:
            _say(f"Recording to {path}. To stop, press r.")

    def write(self, result: FrameResult, frame: Frame) -> None:
        """Append a frame, if a file is being written."""
        if self._video is None:
            return
        try:
            self._video.write(result, frame)
            self._frames += 1
        except (OutputError, OSError) as error:
            video, self._video = self._video, None
            _say(f"The recording was stopped. {error}")
            self._finish(video)

    def close(self) -> None:
        """Finish the file that is being written, and say where it is."""
        if self._video is not None:
            video, self._video = self._video, None
            self._finish(video)

    def _open(self, path: Path) -> AnnotatedVideo:
        if self.source is None:
            return AnnotatedVideo(path, LIVE_RATE, True, self._overlay, from_first=True)
        return AnnotatedVideo.for_source(path, self.source, self._overlay, from_first=True)

    def _finish(self, video: AnnotatedVideo) -> None:
        try:
            video.close()
        except (OutputError, OSError) as error:
            _say(str(error))
            return
        _say(f"Video: {video.path}" if self._frames else "No frame came while it was recorded, so there is no video.")


def _say(sentence: str) -> None:
    print(printable(sentence), flush=True)
