"""Noise: what the changes do to a picture, wrong labels, and what both do to accuracy in a made-up world."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from small_world_of_people import made_album, world

from fewshot.prototypes.estimators import Hierarchical
from fewshot.research.datasets.subjects import Picture
from fewshot.research.evaluation import noise
from fewshot.research.evaluation.album import Album
from fewshot.research.evaluation.changes import CHANGES, Spoiled
from fewshot.research.evaluation.controls import OWN, Readings
from fewshot.research.evaluation.crops import contact_sheet
from fewshot.research.evaluation.estimators import Mean
from fewshot.research.evaluation.intervals import Interval
from fewshot.research.evaluation.noise import READ_BY, Noise, asked_as, doubted, shifted
from fewshot.research.evaluation.protocol_results import Cell, Context, Row
from fewshot.research.evaluation.support_draws import Draw, wrong_labels
from fewshot.research.evaluation.vectors import Embedded
from fewshot.types import EMOTIONS, Face, Frame, Quality


def face_at(frame: Frame) -> Face:
    """A face of 100 pixels in the middle of a picture of 320x240."""
    landmarks = np.array([[140, 100], [180, 100], [160, 122], [145, 142], [175, 142]], np.float32)
    quality = Quality(100, 1, 0, 0, 0, 128)
    return Face(np.array([110, 60, 210, 180], np.float32), landmarks, 0.9, np.zeros((112, 112), np.uint8), quality)


@pytest.fixture
def frame() -> Frame:
    """Stripes, so that there is something to blur."""
    picture = np.full((240, 320, 3), 120, np.uint8)
    picture[::4] = 220
    return picture


def extent(canvas: Frame) -> tuple[int, int]:
    """Height and width of what lies on a grey canvas."""
    there = (canvas != 127).any(axis=2)
    rows, columns = np.flatnonzero(there.any(axis=1)), np.flatnonzero(there.any(axis=0))
    return int(rows[-1] - rows[0]) + 1, int(columns[-1] - columns[0]) + 1


@pytest.mark.parametrize("name", CHANGES)
def test_without_a_face_a_picture_stays_as_it_is(name: str, frame: Frame) -> None:
    assert Spoiled(name, lambda picture: None)(frame) is frame


@pytest.mark.parametrize("name", CHANGES)
def test_changes_leave_the_picture_alone_and_are_the_same_again(name: str, frame: Frame) -> None:
    before, change = frame.copy(), Spoiled(name, face_at)
    changed = change(frame)
    assert np.array_equal(frame, before) and changed.dtype == np.uint8 and changed.ndim == 3
    assert changed.shape != frame.shape or (changed != frame).any()
    assert np.array_equal(change(frame), changed)
    assert change.name == name


@pytest.mark.parametrize(
    ("name", "holds"),
    [
        ("blur", lambda before, after: after.std() < 0.7 * before.std()),
        ("dark", lambda before, after: after.mean() == pytest.approx(before.mean() / 8, abs=1.0)),
        ("32-pixel face", lambda before, after: extent(after) == (round(240 * 0.32), round(320 * 0.32))),
        ("mouth covered", lambda before, after: (after[142, 145:175] == after[142, 160]).all()),
        ("mouth covered", lambda before, after: (after[100] == before[100]).all()),
        ("one side covered", lambda before, after: (after[:, 175:] == before[:, 175:]).all()),
        ("one side covered", lambda before, after: (after[100, 135:150] == after[100, 140]).all()),
        ("glasses", lambda before, after: (after[130:] == before[130:]).all() and (after[95:105] < 60).any()),
    ],
)
def test_what_a_change_does(name: str, holds: Callable[[Frame, Frame], bool], frame: Frame) -> None:
    assert holds(frame, Spoiled(name, face_at)(frame))


@pytest.mark.parametrize(("count", "share", "wrong"), [(0, 0.5, 0), (20, 0.0, 0), (20, 0.1, 2), (10, 1.0, 10)])
def test_so_many_labels_are_wrong(count: int, share: float, wrong: int) -> None:
    labels = [EMOTIONS[row % 7] for row in range(count)]
    made = wrong_labels(labels, share, np.random.default_rng(1))
    assert sum(one != other for one, other in zip(labels, made, strict=True)) == wrong
    assert set(made) <= set(EMOTIONS)


def test_queries_move_to_the_second_album() -> None:
    one = Album(np.zeros((2, 3), np.float32), ("a", "b"), ("sad", "fear"))
    other = Album(np.ones((2, 3), np.float32), ("a", "b"), ("sad", "happy"))
    both = asked_as(one, other)
    assert both.vectors[:, 0].tolist() == [0, 0, 1, 1] and both.emotions == ("sad", "fear", "sad", "happy")
    draw = shifted(Draw({"a": [0]}, {"b": [1]}, {"a": [0], "b": [1]}), 2, np.array([False, True]))
    assert (draw.own, draw.brought, draw.queries) == ({"a": [0]}, {"b": [1]}, {"a": [], "b": [3]})


def test_wrong_labels_cost_the_mean_more_than_the_hierarchy() -> None:
    population, rng = world()
    album = made_album(population, rng, people=12, takes=3)
    protocol = Noise({"made": "development"}, wrong=(0.0, 0.3), draws=2, repetitions=2, resamples=200)
    schemes = protocol.enrolled("made", album, seed=0)
    assert [scheme.name for scheme in schemes] == ["1 neutral | 1 neutral", "all but the one asked | all"]
    loss = {}
    for estimator in (Mean(), Hierarchical()):
        rows = protocol.mislabelled(population, estimator, album, schemes, "made", seed=0)
        assert [row["wrong labels"] for row in rows] == ["0 %", "30 %"] * 2
        right, wrong = rows[2]["balanced accuracy"], rows[3]["balanced accuracy"]
        assert isinstance(right, Interval) and isinstance(wrong, Interval) and right.value > wrong.value
        assert "loss" not in rows[2] and isinstance(rows[3]["loss"], Interval)
        loss[estimator.name] = right.value - wrong.value
        assert rows == protocol.mislabelled(population, estimator, album, schemes, "made", seed=0)
    assert loss[Hierarchical().name] < loss[Mean().name]


def test_enrollment_points_at_wrong_labels_and_seldom_at_right_ones() -> None:
    population, rng = world()
    album = made_album(population, rng, people=12, takes=2, camera=0.4, person=0.2, own_way=0.2, noise=0.2)
    rows = doubted(population, album, "made", (1, 40), repetitions=4, seed=0, resamples=200)
    assert [(row["everybody brings"], row["students"]) for row in rows] == [
        ("1 an emotion", 1),
        ("1 an emotion", 12),
        ("1 neutral, happy, sad", 1),
        ("1 neutral, happy, sad", 12),
    ]
    class_of_12 = rows[1]
    wrong, right = class_of_12["wrong labels pointed out"], class_of_12["right labels pointed out"]
    assert isinstance(wrong, Interval) and isinstance(right, Interval)
    assert wrong.value > 0.5 and right.value < 0.05
    assert rows == doubted(population, album, "made", (1, 40), repetitions=4, seed=0, resamples=200)


GAINS = ("own - no photo", "own - classmates'", "own - another's")


def value_of(cell: Cell) -> float:
    assert isinstance(cell, Interval)
    return cell.value


def bounds_of(row: Row, name: str) -> tuple[float, float]:
    cell = row[name]
    assert isinstance(cell, Interval)
    return cell.low, cell.high


class MadeUp(Context):
    """A context whose pictures are a made-up album; changed pictures are noisier, and every fifth has no face."""

    population: Any = None
    chain: Any = None

    def embed(self, dataset: str, emotions: Any = (), features: bool = False, change: Any = None) -> Embedded:
        population, rng = world()
        album = made_album(population, rng, people=8, takes=2)
        pictures = [
            Picture(dataset, str(row), who, emotion)
            for row, (who, emotion) in enumerate(zip(album.subjects, album.emotions, strict=True))
        ]
        found = np.ones(len(album), bool) if change is None else np.arange(len(album)) % 5 > 0
        worse = rng.normal(size=album.vectors.shape) * (0.0 if change is None else 0.5)
        return Embedded(pictures, (album.vectors + worse).astype(np.float32), None, found)


def test_whole_protocol_in_a_made_up_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Noise, "_sheet", lambda self, context, dataset: None)
    context = MadeUp(shared=tmp_path, network=tmp_path / "x.onnx", estimators={"one": Hierarchical(), "two": Mean()})
    object.__setattr__(context, "population", world()[0])
    monkeypatch.setattr(noise, "finder", lambda chain: face_at)
    protocol = Noise(
        {"ckplus": "development", "cfee": "test"},
        ["blur"],
        (0.0, 0.3),
        2,
        2,
        True,
        100,
        {"ckplus": "development", "jaffe": "test"},
    )
    report = protocol.run(context)
    assert report.roles == {"ckplus": "development"}
    rows = list(report.tables[0].rows)
    assert [(row["change"], row["read by"]) for row in rows[:4]] == [
        ("as it is", "no photo"),
        ("as it is", "classmates' photos"),
        ("as it is", "another subject's photos"),
        ("as it is", "own photos"),
    ]
    assert len(rows) == 2 * 2 * 4
    assert {row["found"] for row in rows if row["change"] == "as it is"} == {1.0}
    assert all(row["found"] == pytest.approx(0.8, abs=0.02) for row in rows if row["change"] == "blur")
    losses = [row["loss"] for row in rows if row["change"] == "blur"]
    assert all(isinstance(loss, Interval) and loss.value > 0 for loss in losses)
    gains = report.tables[1].rows
    assert [(row["change"], row["student brings"]) for row in gains] == [
        (change, brought) for change in ("as it is", "blur") for brought in ("1 neutral", "all but the one asked")
    ]
    for place, row in enumerate(gains):
        # The same people are read by all, so the mean of their differences is the difference of their means.
        level = {told["read by"]: value_of(told["balanced accuracy"]) for told in rows[4 * place : 4 * place + 4]}
        assert row["subjects"] == rows[4 * place]["subjects"]
        for name, control in zip(GAINS, READ_BY, strict=False):
            assert value_of(row[name]) == pytest.approx(level[OWN] - level[control])
    assert {row["estimator"] for row in report.tables[2].rows} == {Hierarchical().name, Mean().name}
    assert {row["data"] for row in report.tables[3].rows} == {"ckplus"}


class Turned(Context):
    """Three people who show every emotion as the population shows the first, second or third after it; three takes.

    What a person shows is the same in every take, and where a picture is changed, anger looks like their sadness.
    """

    population: Any = None
    chain: Any = None

    def embed(self, dataset: str, emotions: Any = (), features: bool = False, change: Any = None) -> Embedded:
        population, _ = world()
        pictures, shown = [], []
        for ahead in range(3):
            for place, emotion in enumerate(EMOTIONS):
                looks = EMOTIONS.index("sad") if change and emotion == "angry" else place
                pictures += [Picture(dataset, f"{ahead}{emotion}{take}", f"p{ahead}", emotion) for take in range(3)]
                shown += [(looks + ahead) % len(EMOTIONS)] * 3
        vectors = (population.mean + population.prototypes[shown]).astype(np.float32)
        return Embedded(pictures, vectors, None, np.ones(len(pictures), bool))


def test_the_controls_of_changed_pictures_have_the_values_that_the_world_was_made_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Noise, "_sheet", lambda self, context, dataset: None)
    monkeypatch.setattr(noise, "finder", lambda chain: face_at)
    # The plain mean: whose photos are enrolled is read by nothing else, and who enrolls none by the population.
    context = Turned(shared=tmp_path, network=tmp_path / "x.onnx", estimators={"one": Mean()})
    object.__setattr__(context, "population", world()[0])
    report = Noise({"jaffe": "test"}, ["blur"], (0.0, 0.3), draws=1, repetitions=2, resamples=100).run(context)
    levels, gains, labels = (table.rows for table in report.tables)
    for row in (*levels, *gains, *labels):
        assert (row["student brings"], row["classmates bring"], row["subjects"]) == ("1 an emotion", "1 an emotion", 3)

    # One of three is as the population is, and nobody is as another is; changed, everybody's anger is lost.
    whole = dict(zip(READ_BY, (1 / 3, 1 / 3, 0.0, 1.0), strict=True))
    assert [(row["change"], row["read by"]) for row in levels] == [
        (c, by) for c in ("as it is", "blur") for by in whole
    ]
    for row in levels:
        kept = 1.0 if row["change"] == "as it is" else 6 / 7
        assert value_of(row["balanced accuracy"]) == pytest.approx(kept * whole[str(row["read by"])])
        if row["change"] == "blur":
            assert value_of(row["loss"]) == pytest.approx(whole[str(row["read by"])] / 7)
    for row, kept in zip(gains, (1.0, 6 / 7), strict=True):
        assert [value_of(row[name]) for name in GAINS] == pytest.approx([kept * 2 / 3, kept * 2 / 3, kept])
        # Over another's all three gain the same, so every resample does; over the classmates' two do, and a resample
        # may hold neither of them, or nobody else.
        assert bounds_of(row, "own - another's") == pytest.approx((kept, kept))
        assert bounds_of(row, "own - classmates'") == pytest.approx((0.0, kept))
    assert str(gains[0]["own - another's"]) == "+1.000 (+1.000 to +1.000)"
    right, wrong = (value_of(row["balanced accuracy"]) for row in labels)
    assert right == 1.0 > wrong


def test_of_a_single_person_nobody_else_s_photos_are_compared() -> None:
    alone = Readings()
    alone.add("a", ["happy"], ["happy"])
    found = Noise({}, resamples=10).gains({OWN: alone, "no photo": alone}, seed=0)
    assert list(found) == ["subjects", "own - no photo"] and value_of(found["own - no photo"]) == 0.0


def test_contact_sheet_holds_every_picture(tmp_path: Path, frame: Frame) -> None:
    path = contact_sheet([frame, frame[..., 0], frame[:100]], ["a", "b\nc", "d"], tmp_path / "s/a.png", 2, side=50)
    sheet = cv2.imread(str(path))
    assert sheet is not None and sheet.shape == (2 * (50 + 2 * 14 + 4), 2 * 54, 3)
    assert cv2.imread(str(contact_sheet([], [], tmp_path / "empty.png"))) is not None
