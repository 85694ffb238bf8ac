"""The generator on drawn faces: no dataset, no detector."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from fewshot.errors import UsageError
from fewshot.research.datasets.subjects import Picture
from fewshot.research.simulation.renderer import draw_classroom, with_faces
from fewshot.research.simulation.truth import Box, Truth
from fewshot.research.simulation.virtual_classroom import (
    GalleryPlan,
    Settings,
    plan_classroom,
    set_aside,
    tile_boxes,
)
from fewshot.types import Frame

EMOTIONS = ("neutral", "happy", "sad", "angry")
SMALL = Settings(columns=2, rows=2, width=320, height=180, seconds=8, fps=10, hold=(1.0, 2.0), modes=("neutral", "1"))
FACE: Box = (70.0, 40.0, 130.0, 120.0)


def pictures(people: int = 4, takes: int = 2) -> list[Picture]:
    return [
        Picture("drawn", f"{person}/{emotion}{take}.png", str(person), emotion, str(take))
        for person in range(people)
        for emotion in EMOTIONS
        for take in range(takes)
    ]


def load(_: Picture) -> Frame:
    """A bright face-sized rectangle, so its place in the video can be measured."""
    picture: Frame = np.full((160, 200, 3), 60, np.uint8)
    cv2.rectangle(picture, (70, 40), (129, 119), (220, 220, 220), -1)
    return picture


def drawn(settings: Settings) -> tuple[GalleryPlan, list[Frame], Truth]:
    plan = plan_classroom(pictures(), settings)
    rows = list(draw_classroom(plan, load, lambda _: FACE))
    return plan, [frame for frame, _ in rows], with_faces(plan, [boxes for _, boxes in rows])


def test_tiles_lie_apart_within_the_frame() -> None:
    for settings in (Settings(), Settings(columns=5, rows=2), Settings(columns=1, rows=4, width=300, height=800)):
        boxes = np.array(tile_boxes(settings))
        assert len(boxes) == settings.columns * settings.rows
        assert boxes.min() >= 0
        assert (boxes[:, 2] <= settings.width).all()
        assert (boxes[:, 3] <= settings.height).all()
        canvas = np.zeros((settings.height, settings.width), int)
        for x0, y0, x1, y1 in boxes:
            canvas[y0:y1, x0:x1] += 1
        assert canvas.max() == 1


def test_no_enrollment_photo_is_shown_and_one_video_serves_every_mode() -> None:
    plan = plan_classroom(pictures(), SMALL)
    shown = {segment.picture for seat in plan.seats for segment in seat.segments}
    for mode in SMALL.modes:
        assert len(plan.photos[mode]) == 4
        enrolled = {p.path for emotions in plan.photos[mode].values() for pile in emotions.values() for p in pile}
        assert not enrolled & shown
    assert {emotion for student in plan.photos["neutral"].values() for emotion in student} == {"neutral"}
    assert all({*student} == {*EMOTIONS} for student in plan.photos["1"].values())


def test_the_only_picture_is_shown_unless_it_is_the_neutral_one() -> None:
    takes = {picture.emotion: [picture] for picture in pictures(1, 1)}
    kept, shown = set_aside(takes, ("neutral", "2"))
    assert set(shown) == {"happy", "sad", "angry"}
    assert kept == {"neutral": {"neutral": takes["neutral"]}, "2": {}}
    with pytest.raises(UsageError, match="many"):
        set_aside(takes, ("many",))


def test_the_timetable_fills_the_video_and_never_repeats_an_emotion() -> None:
    for seat in plan_classroom(pictures(), SMALL).seats:
        assert seat.segments[0].start == 0
        assert seat.segments[-1].stop == SMALL.frames
        for before, after in zip(seat.segments, seat.segments[1:], strict=False):
            assert before.stop == after.start
            assert before.emotion != after.emotion


def test_tiles_do_not_change_together() -> None:
    starts = [seat.segments[1].start for seat in plan_classroom(pictures(), SMALL).seats]
    assert len(set(starts)) > 1


def test_drawing_is_true_to_its_boxes_and_repeats_with_the_seed() -> None:
    _, frames, truth = drawn(SMALL)
    assert len(frames) == truth.frames == 80
    assert frames[0].shape == (180, 320, 3)
    assert frames[0].dtype == np.uint8
    again = next(draw_classroom(plan_classroom(pictures(), SMALL), load, lambda _: FACE))[0]
    np.testing.assert_array_equal(frames[0], again)
    for face in truth.at(40):
        x0, y0, x1, y1 = truth.seats[face.seat].tile
        tile = cv2.GaussianBlur(frames[40][y0:y1, x0:x1], (0, 0), 1.0).mean(axis=2)
        tile[:4], tile[-4:], tile[:, :4], tile[:, -4:] = 0, 0, 0, 0  # whoever speaks has a bright frame
        rows, columns = np.nonzero(tile > 0.75 * np.percentile(tile, 98))
        measured = np.array([columns.min() + x0, rows.min() + y0, columns.max() + 1 + x0, rows.max() + 1 + y0])
        # The roll of up to 2.4 degrees, which a box does not show, and half the blur.
        np.testing.assert_allclose(face.box, measured, atol=4.5)


def test_frames_move_a_little() -> None:
    _, frames, truth = drawn(SMALL)
    moved = np.array([face.box for face in truth.at(20)]) - np.array([face.box for face in truth.at(21)])
    assert 0 < np.abs(moved).max() < 20
    assert not np.array_equal(frames[20], frames[21])


def test_strangers_are_not_enrolled_and_who_leaves_has_no_face() -> None:
    plan, _, truth = drawn(Settings(**{**_as_dict(SMALL), "strangers": 1, "leaving": 1}))
    assert [seat.enrolled for seat in plan.seats].count(False) == 1
    stranger = next(seat.student for seat in plan.seats if not seat.enrolled)
    assert all(stranger not in students for students in plan.photos.values())
    gone = [seat for seat in truth.seats if None in seat.faces]
    assert len(gone) == 1
    assert 10 <= gone[0].faces.count(None) <= 20
    away = gone[0].faces.index(None)
    assert len(truth.at(away)) == 3
    assert gone[0].faces[0] is not None
    assert gone[0].faces[-1] is not None


def test_truth_survives_the_file(tmp_path: Path) -> None:
    _, _, truth = drawn(Settings(**{**_as_dict(SMALL), "seconds": 0.5}))
    truth.save(tmp_path / "truth.json")
    assert Truth.load(tmp_path / "truth.json") == truth


def test_too_few_people() -> None:
    with pytest.raises(UsageError, match="Only 4 people"):
        plan_classroom(pictures(), Settings())


def _as_dict(settings: Settings) -> dict[str, object]:
    return {name: getattr(settings, name) for name in settings.__dataclass_fields__}


def test_who_leaves_comes_back_on_the_next_ones_tile() -> None:
    settings = Settings(
        columns=2, rows=2, width=320, height=180, seconds=8, fps=10, hold=(1.0, 2.0), leaving=3, elsewhere=True
    )
    plan, frames, truth = drawn(settings)
    assert len(truth.seats) == 4 + 3
    twice = [
        [seat for seat in truth.seats if seat.student == student]
        for student in {seat.student for seat in truth.seats[4:]}
    ]
    for before, after in twice:
        assert before.tile != after.tile
        assert before.segments[-1].stop <= settings.frames // 2 < after.segments[0].start
    for index, frame in enumerate(frames):
        tiles = [truth.seats[face.seat].tile for face in truth.at(index)]
        assert len(tiles) == len(set(tiles)), "two people on one tile"
        for face in truth.at(index):
            x0, y0, x1, y1 = (round(value) for value in face.box)
            assert frame[y0 + 3 : y1 - 3, x0 + 3 : x1 - 3].mean() > 120, "somebody present is not shown"
    assert all(plan.photos["neutral"].values())
