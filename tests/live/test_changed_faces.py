"""Embedding only the faces that changed: what is never skipped, how old a vector may be, and what a reading says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from live_fakes import BAD, GOOD, FakeReader, blank, face, one_hot
from schedule_fakes import Script

from fewshot.live.changed_faces import OLDEST, ChangedFaces, difference, thumbnails
from fewshot.live.loop import Loop
from fewshot.live.pipeline import Pipeline, Schedule
from fewshot.live.sources import CapturedFrame
from fewshot.live.sources.base import ArrayPicture
from fewshot.types import Face, Frame, Quality

TEXTURE = np.kron(np.random.default_rng(0).integers(60, 180, (16, 16)), np.ones((7, 7))).astype(np.uint8)


def changed_mouth(by: int) -> np.ndarray:
    """The same face with a mouth that is lighter by this many grey levels."""
    crop = TEXTURE.copy()
    crop[77:98, 35:77] += np.uint8(by)
    return crop


def seen(crop: np.ndarray = TEXTURE, track: int = 0, quality: Quality = GOOD, x: float = 10) -> Face:
    return replace(face(x=x, emotion=None, quality=quality), crop=crop, track=track)


def embedded(frames: Sequence[list[Face]], step: float = 0.02) -> list[list[int]]:
    """Tracks that are embedded in every frame."""
    chooser, turns = ChangedFaces(), []
    for index, faces in enumerate(frames):
        chosen = chooser.among([one for one in faces if one.quality.ok], index * step)
        chooser.embedded(chosen, index * step)
        turns.append([one.track for one in chosen])
    return turns


def test_without_faces_nothing_is_embedded() -> None:
    assert embedded([[], []]) == [[], []]
    assert thumbnails([]).shape == (0, 144) and difference(thumbnails([]), thumbnails([])).shape == (0,)


def test_a_new_face_is_embedded_and_a_still_one_is_not_embedded_again() -> None:
    assert embedded([[seen()], [seen()], [seen(), seen(track=1)]]) == [[0], [], [1]]


def test_a_face_that_changes_is_embedded_in_that_very_frame_and_while_it_may_still_change() -> None:
    story = [[seen()], [seen()], *[[seen(changed_mouth(60))]] * 13]
    assert embedded(story) == [[0], [], *[[0]] * 10, [], [], []]  # 0.2 s at 50 frames per second


def test_a_slow_change_adds_up() -> None:
    turns = embedded([[seen(changed_mouth(2 * k))] for k in range(30)], step=0.001)
    assert turns[1] == [] and sum(map(len, turns)) >= 2


@pytest.mark.parametrize("light", [lambda crop: crop // 2 + 10, lambda crop: crop + 30])
def test_more_or_less_light_is_no_change(light) -> None:
    assert embedded([[seen()], [seen(light(TEXTURE).astype(np.uint8))]]) == [[0], []]


@pytest.mark.parametrize(
    "between",
    [[], [seen(quality=BAD)]],
    ids=["not found", "not readable"],
)
def test_a_face_that_was_out_of_sight_is_embedded(between: list[Face]) -> None:
    assert embedded([[seen()], between, [seen()], [seen()]]) == [[0], [], [0], []]


@pytest.mark.parametrize("other", [{"yaw": 20.0}, {"roll": -20.0}, {"size": 60.0}, {"sharpness": 0.5}])
def test_a_face_of_another_quality_is_embedded(other: dict[str, float]) -> None:
    assert embedded([[seen()], [seen(quality=replace(GOOD, **other))]]) == [[0], [0]]


@pytest.mark.parametrize("fps", [3, 8, 25, 60])
def test_no_vector_is_older_than_promised(fps: int) -> None:
    turns = embedded([[seen(track=track) for track in range(7)] for _ in range(4 * fps)], 1 / fps)
    for track in range(7):
        frames = [index for index, tracks in enumerate(turns) if track in tracks]
        # The oldest use of a vector is one frame before the next vector.
        assert max(np.diff([*frames, len(turns)]) - 1) / fps < OLDEST
        assert fps <= 3 or len(frames) < len(turns) / 2


def test_a_full_class_takes_turns() -> None:
    turns = embedded([[seen(track=track) for track in range(49)] for _ in range(60)], 1 / 25)
    assert len(turns[0]) == 49
    assert max(map(len, turns[1:])) <= 10


class Watching:
    """Sees the faces of a script; the vector of a face is its emotion, told by the crop's first pixel."""

    def __init__(self, frames: Sequence[list[Face]]) -> None:
        self._frames, self.batches, self.times = frames, list[int](), dict[str, float]()

    def find(self, frame: Frame) -> list[Face]:
        return [replace(one) for one in self._frames[int(frame[0, 0, 0])]]

    def look(self, frame: Frame) -> list[Face]:
        raise NotImplementedError

    def identify(self, frame: Frame, faces: Sequence[Face]) -> None:
        raise NotImplementedError

    def embed(self, faces: Sequence[Face]) -> None:
        self.batches.append(len(faces))
        for one in faces:
            one.expression = one_hot("happy" if np.array_equal(one.crop, TEXTURE) else "angry")


STORY = [[seen()], [seen()], [seen(changed_mouth(60))], [seen(changed_mouth(60))], [], [seen(changed_mouth(60))]]


def source(count: int, fps: float = 50.0) -> Script:
    return Script([CapturedFrame("film", k, k / fps, blank(value=k)) for k in range(count)])


def test_a_reading_tells_how_old_its_vector_is() -> None:
    eyes = Watching(STORY)
    steps = list(Loop(eyes, FakeReader(), only_changed=True).run(source(6)))
    ages = [[round(reading.age, 3) for reading in step.result.readings] for step in steps]
    assert ages == [[0.0], [0.02], [0.0], [0.0], [], [0.0]] and eyes.batches == [1, 1, 1, 1]
    assert [one.expression is not None for step in steps for one in step.faces] == [True] * 5


def test_labels_go_on_as_if_every_face_had_been_embedded() -> None:
    """A still face: the smoother hears of it in every frame, so a change shows no later than it did."""
    story = [[seen()]] * 20 + [[seen(changed_mouth(60))]] * 30

    def said(only_changed: bool) -> list[tuple[str | None, float | None]]:
        loop = Loop(Watching(story), FakeReader(), only_changed=only_changed)
        return [(one.emotion, one.confidence) for step in loop.run(source(50)) for one in step.result.readings]

    assert said(True) == said(False) and {emotion for emotion, _ in said(True)} >= {"happy", "angry"}


@pytest.mark.parametrize("workers", [1, 2])
def test_threads_give_the_same_results(workers: int) -> None:
    story = STORY * 8
    alone = [step.result for step in Loop(Watching(story), FakeReader(), only_changed=True).run(source(48))]
    loop = Loop(Watching(story), FakeReader(), only_changed=True)
    together = [step.result for step in Pipeline(loop, source(48), schedule=Schedule(workers)).run()]
    assert together == alone
    assert any(reading.age > 0 for result in alone for reading in result.readings)


def test_single_pictures_are_always_embedded() -> None:
    eyes = Watching([[seen()]])
    loop = Loop(eyes, FakeReader(), only_changed=True)
    for _ in range(3):
        steps = list(loop.run(ArrayPicture(blank())))
        assert [reading.age for step in steps for reading in step.result.readings] == [0.0]
    assert eyes.batches == [1, 1, 1]


def test_with_a_budget_the_changed_faces_take_turns_and_lose_no_change(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("fewshot.live.loop.perf_counter", lambda: now[0])
    crowd = [seen(x=10 + 60 * k) for k in range(4)]
    excited = [seen(changed_mouth(60), x=10 + 60 * k) for k in range(4)]

    class Slow(Watching):
        def embed(self, faces: Sequence[Face]) -> None:
            super().embed(faces)
            now[0] += 0.010 * len(faces)

    eyes = Slow([crowd, crowd, *[excited] * 5])
    steps = list(Loop(eyes, FakeReader(), budget=0.020, only_changed=True).run(source(7, 1000.0)))
    assert eyes.batches == [4, 2, 2, 2, 2, 2]  # the first frame, and then two of the four restless faces in turn
    vectors = [one.expression for one in steps[3].faces]
    assert all(vector is not None and vector.argmax() == one_hot("angry").argmax() for vector in vectors[2:])
    assert sorted(round(reading.age, 3) for reading in steps[-1].result.readings) == [0.0, 0.0, 0.001, 0.001]
