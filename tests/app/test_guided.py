"""Guided enrollment: which frames are picked, and what the student is told meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from drawn_faces import see_drawings

from fewshot.app.guided import APART, KEEP, Candidate, Guide, Prompt, fit_of, portrait, subject
from fewshot.app.guided_run import GuidedRun, enroll_candidates
from fewshot.classroom.enrollment_report import PhotoResult, StudentResult
from fewshot.errors import Note, UsageError
from fewshot.faces.quality import Quality
from fewshot.live.sources import FrameSource
from fewshot.room import Classroom
from fewshot.types import EMOTIONS, Face

FRAME = np.zeros((360, 640, 3), np.uint8)
ASHA_DRAWN = 1
ASHA, BEN = np.array([1, 0], np.float32), np.array([0, 1], np.float32)
PROMPTS = (Prompt("neutral", "as usual", 5.0), Prompt("happy", "smile", 5.0))


def face(
    shows: str = "neutral",
    who: np.ndarray = ASHA,
    sharp: float = 0.8,
    yaw: float = 0.0,
    size: float = 120,
    reasons: tuple[str, ...] = (),
) -> Face:
    quality = Quality(size, sharp, yaw, 0, 0, 120, reasons)
    box = np.array([200, 100, 200 + size, 100 + size], np.float32)
    code = {"neutral": 0.0, "happy": 1.0, "neither": 2.0}[shows]
    vector = np.array([code], np.float32)
    return Face(box, np.zeros((5, 2), np.float32), 0.9, FRAME[:112, :112], quality, -1, vector, who)


def read(vectors: np.ndarray) -> list[dict[str, float]]:
    said = {
        0.0: {"neutral": 0.8, "happy": 0.1},
        1.0: {"neutral": 0.1, "happy": 0.9},
        2.0: {"neutral": 0.1, "happy": 0.1},
    }
    return [said[float(vector[0])] for vector in vectors]


def guide(prompts: tuple[Prompt, ...] = PROMPTS) -> Guide:
    return Guide(prompts, read, same=0.5)


def watch(one: Guide, start: float, seconds: float, *faces: Face, rate: float = 10) -> float:
    for step in range(round(seconds * rate)):
        one.feed(FRAME, faces, start + step / rate)
    return start + seconds


def test_nothing_was_seen() -> None:
    one = guide()
    assert one.best(0) == [] and one.progress.counts == (0, 0) and not one.progress.done
    watch(one, 0, 12)
    assert one.progress.done and one.best(0) == []


@pytest.mark.parametrize(
    ("faces", "hint"),
    [
        ([], "No face"),
        ([face(), face()], "Only one person"),
        ([face(reasons=("too dark (brightness 20)",))], "Too dark"),
        ([face(yaw=40)], "Turn your face"),
        ([face(), face(size=40)], ""),
        ([face()], ""),
    ],
)
def test_what_the_student_is_told(faces: list[Face], hint: str) -> None:
    found, words = subject(faces)
    assert (words.startswith(hint) and bool(words) == bool(hint)) and (found is None) == bool(hint)


def test_prompts_follow_each_other_and_there_is_time_to_read_them() -> None:
    one = guide()
    watch(one, 0, 1.2, face())
    assert one.progress.counts == (0, 0) and not one.progress.ready and one.progress.index == 0
    watch(one, 1.2, 4.0, face())
    assert one.progress.counts[0] > 0 and one.progress.index == 1
    watch(one, 5.2, 6.0, face("happy"))
    assert one.progress.done and one.progress.counts[1] > 0


def test_the_best_are_sharp_fitting_and_apart_in_time() -> None:
    one = guide()
    watch(one, 0, 2.0, face(sharp=0.3))
    watch(one, 2.0, 1.0, face(sharp=1.0))
    watch(one, 3.0, 2.0, face(sharp=0.3))
    best = one.best(0)
    assert len(best) == KEEP and [c.time for c in best] == sorted(c.time for c in best)
    assert all(b.time - a.time >= APART - 1e-9 for a, b in pairwise(best))
    assert sum(2.0 <= c.time < 3.0 for c in best) >= 1


def test_what_fits_the_prompt_comes_first_and_what_does_not_is_said_to_be_so() -> None:
    one = guide((Prompt("happy", "smile", 6.0),))
    watch(one, 0, 3.0, face("neither"))
    assert one.progress.hint.startswith("A little more")
    watch(one, 3.0, 3.1, face("happy", sharp=0.5))
    best = one.best(0)
    assert sum(c.fits for c in best) >= 2
    weak = guide((Prompt("happy", "smile", 3.0),))
    watch(weak, 0, 3.1, face("neither"))
    assert weak.best(0) and not any(c.fits for c in weak.best(0))


def test_another_person_is_not_picked() -> None:
    one = guide()
    watch(one, 0, 5.1, face())
    before = one.progress.counts
    watch(one, 5.1, 3.0, face("happy", who=BEN))
    assert one.progress.counts == (before[0], 0) and "same person" in one.progress.hint


def test_a_face_that_was_not_embedded_is_passed_over() -> None:
    blank = face()
    blank.identity = None
    one = guide()
    watch(one, 0, 4.0, blank)
    assert one.progress.counts == (0, 0)


def test_a_retake_asks_for_one_prompt_again() -> None:
    one = guide()
    end = watch(one, 0, 5.2, face())
    end = watch(one, end, 5.3, face("happy"))
    assert one.progress.done
    one.retake(0)
    assert not one.progress.done and one.progress.index == 0 and one.progress.counts[1] > 0
    watch(one, end, 5.2, face())
    assert one.progress.done and one.progress.counts[0] > 0


def test_memory_is_bounded() -> None:
    one = guide((Prompt("neutral", "", 1e6),))
    watch(one, 0, 60, face())
    assert one.progress.counts[0] <= 40


@pytest.mark.parametrize(
    ("state", "shares", "fit"),
    [("happy", {"happy": 0.7}, 0.7), ("happy", {}, 0.0), ("confused", {"neutral": 0.3}, 0.7), ("confused", {}, 1.0)],
)
def test_fit(state: str, shares: dict[str, float], fit: float) -> None:
    assert fit_of(state, shares) == pytest.approx(fit)


def test_a_portrait_stays_inside_the_frame() -> None:
    for box in ([0, 0, 100, 100], [600, 300, 640, 360], [200, 100, 320, 240]):
        cut = portrait(FRAME, np.array(box, np.float32))
        assert cut.size and cut.shape[0] <= 360 and cut.shape[1] <= 640


class Room:
    def __init__(self) -> None:
        self.calls: list[tuple[str, int, str | None, str | None]] = []

    def enroll(self, student, photos, *, consent_by=None, consent_until=None, emotion=None, from_camera=False):  # type: ignore[no-untyped-def]
        assert from_camera and all(Path(photo).read_bytes().startswith(b"\x89PNG") for photo in photos)
        self.calls.append((student, len(photos), emotion, consent_by))
        return StudentResult(student, [PhotoResult(Path(p), emotion, "accepted") for p in photos])


def test_accepted_pictures_are_enrolled_state_by_state_and_then_gone() -> None:
    candidate = Candidate(FRAME, 0.0, 1.0, 0.9, ASHA)
    room = Room()
    results = enroll_candidates(
        room, "Asha", {"neutral": [candidate] * 2, "sad": [], "happy": [candidate]}, "her mother"
    )
    assert room.calls == [("Asha", 2, "neutral", "her mother"), ("Asha", 1, "happy", None)]
    assert len(results) == 3 and not any(result.path.exists() for result in results)


def still(shows: int, number: int) -> Candidate:
    """Pictures of somebody who hardly moves: nothing but the expression, and a pixel of noise, tells them apart."""
    frame = np.zeros((320, 480, 3), np.uint8)
    frame[40:140, 20:120] = (ASHA_DRAWN * 12 + 6, shows * 12 + 6, 255)
    frame[300, number] = 255
    return Candidate(frame, float(number), 1.0, 0.9, ASHA)


def test_who_sits_still_is_enrolled_with_every_expression(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    see_drawings(monkeypatch)
    happy, neutral = EMOTIONS.index("happy"), EMOTIONS.index("neutral")
    for state, shows in (("neutral", neutral), ("happy", happy)):
        (tmp_path / "photos" / state).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / "photos" / state / "1.png"), still(shows, 1).picture)
    twins = Classroom.open("photos").enroll("Asha", tmp_path / "photos", consent_by="her mother")
    assert [photo.status for photo in twins.photos] == ["accepted", "rejected"]  # as files they would be one photo

    room = Classroom.open("camera")
    kept = {"neutral": [still(neutral, 1), still(neutral, 2)], "happy": [still(happy, 3)], "proud": [still(happy, 4)]}
    results = enroll_candidates(room, "Asha", kept, "her mother")
    assert [(result.emotion, result.status) for result in results] == [
        ("neutral", "accepted"), ("neutral", "accepted"), ("happy", "accepted"), ("proud", "accepted"),
    ]  # fmt: skip
    assert room.roster().students["Asha"].emotions() == {"neutral": 2, "happy": 1, "proud": 1}
    again = enroll_candidates(room, "Asha", {"happy": [still(happy, 5)]}, None)
    assert [result.status for result in again] == ["accepted"]


def test_nothing_accepted_enrolls_nobody() -> None:
    with pytest.raises(UsageError, match="No picture was accepted"):
        enroll_candidates(Room(), "Asha", {"neutral": []}, "her mother")


class Seeing:
    """Eyes that see Asha in every frame."""

    def look(self, frame: np.ndarray) -> list[Face]:
        return [face()]

    def identify(self, frame: np.ndarray, faces: Sequence[Face]) -> None:
        raise AssertionError("her identity is known already")


def run_on(*seconds: float) -> tuple[GuidedRun, list[str]]:
    """A run of one prompt of 3 s at cameras that give up after so many seconds; and what was opened."""
    cameras, opened = iter(seconds), list[str]()

    def camera() -> FrameSource:
        opened.append("camera")
        return FrameSource([FRAME] * round(10 * next(cameras)), fps=10)

    def prepare() -> tuple[Guide, Seeing, list[Note]]:
        opened.append("models")
        return guide((Prompt("neutral", "as usual", 3.0),)), Seeing(), [Note("Weaker.", "Type: fewshot models pull")]

    run = GuidedRun(camera, prepare)
    run.start()
    run._thread.join(10)
    return run, opened


def test_a_retake_has_a_camera_of_its_own_and_the_same_models() -> None:
    run, opened = run_on(5, 5)
    assert run.advice == ("Weaker. Open Settings → Models and click “Download the missing models”.",)
    assert run.guide is not None and run.guide.progress.done and run.failure is None
    run.retake(0)
    run._thread.join(10)
    assert run.guide.progress.done and run.guide.best(0) and opened == ["camera", "models", "camera"]


@pytest.mark.parametrize("seconds", [0, 2])
def test_a_camera_that_gives_up_in_between_is_a_sentence(seconds: float) -> None:
    run, _ = run_on(seconds)
    assert run.failure is not None and "Start again" in run.failure and not run.alive
