"""Runs camera, models and guide in a thread that watches a student for half a minute."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

from fewshot.app.guided import Candidate, Guide, subject
from fewshot.app.lesson_guests import EnrollsPictures
from fewshot.app.next_click import in_the_app
from fewshot.classroom.enrollment_report import StudentResult
from fewshot.errors import FewshotError, Note, UsageError
from fewshot.live.sources.base import Source
from fewshot.perception import Perceives
from fewshot.translation import later, tr

logger = logging.getLogger(__name__)

OURS = later(
    "The enrollment ended because of a fault in fewshot. Click “Start again”. The details are in fewshot's log."
)
NO_MORE = later("There were no more pictures from the camera. Click “Start again”.")


class GuidedRun:
    """Feeds a guide with frames from a camera.

    Args:
        open_camera: a source; closed at the end.
        prepare: opens the models and returns guide, perception and its notes; called in the thread, it may take
            seconds.

    Attributes:
        camera: what is watched.
        guide: judges the pictures; None until the models are open.
    """

    def __init__(
        self, open_camera: Callable[[], Source], prepare: Callable[[], tuple[Guide, Perceives, Sequence[Note]]]
    ) -> None:
        self.camera = open_camera()
        self.guide: Guide | None = None
        self._failure: FewshotError | str | None = None
        self._advice: Sequence[Note] = ()
        self._open_camera, self._prepare = open_camera, prepare
        self._eyes: Perceives | None = None
        self._leaving = threading.Event()
        self._thread = self._new_thread()

    @property
    def failure(self) -> str | None:
        """Why the run has ended without all pictures, for whoever reads it now; None if it has not."""
        return (
            in_the_app(self._failure)
            if isinstance(self._failure, FewshotError)
            else self._failure and tr(self._failure)
        )

    @property
    def advice(self) -> tuple[str, ...]:
        """Sentences about this computer, for example that a weaker detector is used."""
        return tuple(map(in_the_app, self._advice))

    def start(self) -> None:
        """Start the thread. A run starts once."""
        self._thread.start()

    def retake(self, index: int) -> None:
        """Repeat one prompt with a fresh camera, because the old one may have ended while pictures were chosen."""
        if self.guide is None or self._leaving.is_set():
            return
        self.camera.close()
        self._thread.join(timeout=10)
        self.guide.retake(index)
        self.camera = self._open_camera()
        self._thread = self._new_thread()
        self._thread.start()

    def stop(self) -> None:
        """Release the camera."""
        self._leaving.set()
        self.camera.close()

    @property
    def alive(self) -> bool:
        """Whether the thread still runs."""
        return self._thread.is_alive()

    def _new_thread(self) -> threading.Thread:
        return threading.Thread(target=self._run, name="fewshot guided enrollment", daemon=True)

    def _run(self) -> None:
        try:
            if self.guide is None or self._eyes is None:
                self.guide, self._eyes, self._advice = self._prepare()
            with closing(self.camera):
                self._watch(self.guide, self._eyes)
            if not self.guide.progress.done and not self._leaving.is_set():
                self._failure = self.camera.lost or NO_MORE
        except FewshotError as error:
            self._failure = error
        except Exception:
            logger.exception("guided enrollment failed")
            self._failure = OURS

    def _watch(self, guide: Guide, eyes: Perceives) -> None:
        for captured in self.camera:
            if self._leaving.is_set() or guide.progress.done:
                return
            faces = eyes.look(captured.frame)
            face, _ = subject(faces)
            if face is not None and face.identity is None:
                eyes.identify(captured.frame, [face])
            guide.feed(captured.frame, faces, captured.time)


def enroll_candidates(
    room: EnrollsPictures,
    student: str,
    kept: Mapping[str, Sequence[Candidate]],
    consent_by: str | None,
    until: date | None = None,
    looks_like: Sequence[str] = (),
) -> StudentResult:
    """Enroll the accepted pictures of all states. They are in memory only; no file is written.

    Returns:
        The result of each picture, called "neutral 1", "neutral 2" ..., according to the same rules as for any photo.

    Raises:
        UsageError: none was accepted, or there is no consent.
    """
    chosen = [(state, number, one) for state, many in kept.items() for number, one in enumerate(many, start=1)]
    if not chosen:
        raise UsageError(tr("No picture was accepted. Keep at least one, or take them again."))
    result = room.enroll_pictures(
        student, [(one.picture, state) for state, _, one in chosen], consent_by=consent_by, consent_until=until,
        from_camera=True, looks_like=looks_like,
    )  # fmt: skip
    result.photos = [
        replace(photo, path=Path(f"{state} {number}"))
        for photo, (state, number, _) in zip(result.photos, chosen, strict=True)
    ]
    return result
