"""Guided enrollment: which frames are picked, and what the student is told meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from drawn_faces import see_drawings

from fewshot.app.guided import APART, KEEP, Candidate, Guide, Prompt, coach, fit_of, portrait, subject
from fewshot.app.guided_run import GuidedRun, enroll_candidates
from fewshot.classroom.enrollment_report import PhotoResult, StudentResult
from fewshot.classroom.roster import Roster
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
    code = {"neutral": 0.0, "happy": 1.0, "neither": 2.0, "angry": 3.0}[shows]
    vector = np.array([code], np.float32)
    return Face(box, np.zeros((5, 2), np.float32), 0.9, FRAME[:112, :112], quality, -1, vector, who)


def read(vectors: np.ndarray) -> list[dict[str, float]]:
    said = {
        0.0: {"neutral": 0.8, "happy": 0.1},
        1.0: {"neutral": 0.1, "happy": 0.9},
        2.0: {"sad": 0.8, "neutral": 0.1, "happy": 0.1},
        3.0: {"angry": 0.6, "neutral": 0.4},
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
        ([face(reasons=("too dark: mean grey level 5",))], "More light"),
        ([face(reasons=("face too small: 40 pixels wide",))], "Closer"),
        ([face(reasons=("face cut off by the edge of the picture",))], "Move your face into the oval"),
        ([face(reasons=("too blurred: sharpness 0.05",))], "Hold still"),
        ([face(reasons=("something new",))], "Something new."),
        ([face(yaw=40)], "Look here"),
        ([face(), face(size=40)], ""),
        ([face()], ""),
    ],
)
def test_what_the_student_is_told(faces: list[Face], hint: str) -> None:
    found, words = subject(faces)
    assert (words.startswith(hint) and bool(words) == bool(hint)) and (found is None) == bool(hint)


def middle(size: float = 120, **quality: float) -> Face:
    """A face in the middle of the frame."""
    one = face(size=size)
    one.box = np.array([320 - size / 2, 175 - size / 2, 320 + size / 2, 175 + size / 2], np.float32)
    usual = {"size": size, "sharpness": 0.8, "yaw": 0.0, "pitch": 0.0, "roll": 0.0, "brightness": 120.0}
    one.quality = Quality(**(usual | quality))
    return one


@pytest.mark.parametrize(
    ("one", "hint"),
    [
        (middle(), ""),
        (middle(size=60), "Closer"),
        (middle(size=250), "Further away"),
        (middle(brightness=30), "More light"),
        (middle(brightness=230), "Less light"),
        (middle(sharpness=0.2), "Hold still"),
        (face(size=120), ""),
        (Face(np.array([0, 100, 120, 220], np.float32), np.zeros((5, 2), np.float32), 0.9, FRAME[:112, :112],
              Quality(120, 0.8, 0, 0, 0, 120)), "Move your face into the oval"),
    ],
)  # fmt: skip
def test_the_live_hint_is_from_measured_size_place_light_and_sharpness(one: Face, hint: str) -> None:
    words = coach(one, FRAME)
    assert words.startswith(hint) and bool(words) == bool(hint)


def test_a_hint_does_not_stop_the_pictures_and_the_first_one_wins() -> None:
    one = guide((Prompt("neutral", "as usual", 4.0),))
    watch(one, 0, 3.0, middle(size=60, brightness=30))
    assert one.progress.hint == "Closer, please." and one.progress.counts[0] > 0


def test_an_angry_picture_is_not_offered_as_neutral_where_a_neutral_one_is() -> None:
    one = guide((Prompt("neutral", "as usual", 6.0),))
    watch(one, 0, 3.0, face("angry", sharp=1.0))
    assert one.progress.hint.startswith("Relax") and one.progress.counts == (0,)
    angry = one.best(0)
    # A student's usual face may look angry to the network, so it can be chosen, but nobody has ticked it.
    assert angry and not any(c.fits for c in angry) and {c.reads for c in angry} == {"angry"}
    watch(one, 3.0, 3.1, face("neutral", sharp=0.4))
    best = one.best(0)
    assert best and all(c.fits and c.reads == "neutral" for c in best)


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
        self.calls: list[tuple[str, list[str | None], str | None]] = []

    def roster(self) -> Roster:
        return Roster("class")

    def enroll_pictures(self, student: str, pictures: Any, **options: Any) -> StudentResult:
        assert options["from_camera"] and all(picture.shape == FRAME.shape for picture, _ in pictures)
        self.calls.append((student, [state for _, state in pictures], options["consent_by"]))
        return StudentResult(student, [PhotoResult(Path("pictures/1"), state, "accepted") for _, state in pictures])


def test_accepted_pictures_are_enrolled_together_and_called_by_their_states() -> None:
    candidate = Candidate(FRAME, 0.0, 1.0, 0.9, ASHA)
    room = Room()
    result = enroll_candidates(
        room, "Asha", {"neutral": [candidate] * 2, "sad": [], "happy": [candidate]}, "her mother"
    )
    assert room.calls == [("Asha", ["neutral", "neutral", "happy"], "her mother")]
    assert [str(photo.path) for photo in result.photos] == ["neutral 1", "neutral 2", "happy 1"]


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
    results = enroll_candidates(room, "Asha", kept, "her mother").photos
    assert [(result.emotion, result.status) for result in results] == [
        ("neutral", "accepted"), ("neutral", "accepted"), ("happy", "accepted"), ("proud", "accepted"),
    ]  # fmt: skip
    assert room.roster().students["Asha"].emotions() == {"neutral": 2, "happy": 1, "proud": 1}
    again = enroll_candidates(room, "Asha", {"happy": [still(happy, 5)]}, None).photos
    assert [result.status for result in again] == ["accepted"]


def test_pictures_of_somebody_who_is_there_are_refused_with_the_name_and_added_or_a_twin(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    see_drawings(monkeypatch)
    happy, neutral = EMOTIONS.index("happy"), EMOTIONS.index("neutral")
    room = Classroom.open("camera")
    enroll_candidates(room, "Asha Patel", {"neutral": [still(neutral, 1)]}, "her mother")
    kept = {"happy": [still(happy, 2)]}
    refused = enroll_candidates(room, "Mia", kept, "her mother")
    assert refused.looks_like == "Asha Patel" and room.students == ["Asha Patel"]
    enroll_candidates(room, "Asha Patel", kept, None)
    assert room.roster().students["Asha Patel"].emotions() == {"neutral": 1, "happy": 1}
    twin = enroll_candidates(room, "Mia", {"happy": [still(happy, 3)]}, "her mother", looks_like=["Asha Patel"])
    assert twin.count("accepted") == 1 and room.students == ["Asha Patel", "Mia"]


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
