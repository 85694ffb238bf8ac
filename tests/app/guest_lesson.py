"""A lesson in the real loop with drawn faces: Asha is enrolled, two people are not. Also a program to be killed."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from drawn_faces import DrawnEyes, draw_class, draw_frame, see_drawings

from fewshot import Classroom
from fewshot.app import setups
from fewshot.app.lesson import RunningLesson
from fewshot.app.lesson_room import LessonRoom
from fewshot.live.sources import FrameSource, Paced
from fewshot.types import Frame

ASHA, UMA, GUEST = 1, 2, 5


def faces_of(frame: Frame) -> dict[int, bytes]:
    """Person -> the bytes of the identity vector that the loop computes for the person in such a frame."""
    eyes = DrawnEyes()
    faces = eyes.look(frame)
    eyes.identify(frame, faces)
    return {round((face.landmarks[0, 0] - 6) / 12): np.asarray(face.identity).tobytes() for face in faces}


def _endless(frame: Frame) -> Iterator[Frame]:
    while True:
        yield frame


def begin(patch: pytest.MonkeyPatch, folder: Path, room: LessonRoom) -> tuple[RunningLesson, Frame]:
    """Enroll Asha, start a lesson with everybody in view, and collect the two others."""
    see_drawings(patch)
    Classroom.open("physics").enroll_folder(draw_class(folder / "photos", {"asha": ASHA}), consent_by="her mother")
    frame = draw_frame(folder / "lesson.png", {ASHA: 100, UMA: 100, GUEST: 100})
    patch.setattr(setups, "open_named", lambda *_: Paced(FrameSource(_endless(frame), 15.0, "a call")))
    lesson = setups.start_lesson("physics", "a call", room=room)
    until = time.monotonic() + 60
    while time.monotonic() < until and len(lesson.guests.view()) < 2:
        if lesson.guests.possible:
            lesson.guests.switch(True)
        time.sleep(0.05)
    assert len(lesson.guests.view()) == 2, lesson.view()
    return lesson, frame


if __name__ == "__main__":
    where = Path(sys.argv[1])
    tempfile.tempdir = str(where / "temp")
    made = begin(pytest.MonkeyPatch(), where / "made", LessonRoom())[0]
    made.mark("collected")
    time.sleep(1.5)  # the recorder writes
    print("collected", flush=True)
    time.sleep(120)
