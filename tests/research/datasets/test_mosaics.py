"""Faces in mosaics: their order, their splits, and what becomes of them in training."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from fewshot.errors import UsageError
from fewshot.faces.align import EXPRESSION_TEMPLATE
from fewshot.research.datasets.mosaics import COLUMNS, rafdb_left_out, read_mosaics, taiwan_performers
from fewshot.research.training.face_table import FaceTable
from fewshot.research.training.more_faces import ABSENT, as_table, log_prior, targets_of, with_more_faces
from fewshot.types import EMOTIONS

SIDE = 20


@pytest.fixture
def folder(tmp_path):
    """43 tiles, each of its own grey: two rows of a mosaic, the second one padded."""
    made = tmp_path / "taiwan"
    made.mkdir()
    tiles = np.zeros((2 * COLUMNS, SIDE, SIDE, 3), np.uint8)
    for number in range(43):
        tiles[number] = 5 * number
    mosaic = tiles.reshape(2, COLUMNS, SIDE, SIDE, 3).transpose(0, 2, 1, 3, 4).reshape(2 * SIDE, COLUMNS * SIDE, 3)
    cv2.imwrite(str(made / "faces_00.webp"), mosaic, [cv2.IMWRITE_WEBP_QUALITY, 101])
    share = np.zeros((43, 6), np.float32)
    share[:, 1] = 1
    np.savez(
        made / "labels.npz", labels=np.arange(43) % 7, subject=[f"p{n % 4}" for n in range(43)],
        landmarks=np.full((43, 5, 2), np.nan), rater_share=share,
        rater_share_names=["sad", "fear", "happy", "angry", "disgust", "surprise"],
    )  # fmt: skip
    return made


def test_tiles_are_in_the_order_of_the_labels(folder):
    faces = read_mosaics(folder)
    assert faces.pictures.shape == (43, SIDE, SIDE, 3)
    assert faces.pictures[:, 10, 10, 0].tolist() == [5 * number for number in range(43)]
    assert faces.subjects[:5] == ["p0", "p1", "p2", "p3", "p0"]
    assert faces.shares.argmax(axis=1).tolist() == [EMOTIONS.index("fear")] * 43
    assert read_mosaics(folder).rows(faces.labels == 6).labels.tolist() == [6] * 6


def test_a_folder_without_mosaics_is_refused_in_words(tmp_path, folder):
    with pytest.raises(UsageError, match=r"data-sets\.md"):
        read_mosaics(tmp_path)
    (folder / "faces_00.webp").write_bytes(b"no picture")
    with pytest.raises(UsageError, match="Copy the data set again"):
        read_mosaics(folder)


def test_a_tenth_of_every_emotion_is_left_out_and_never_another():
    labels = np.repeat(np.arange(7), [100, 50, 20, 10, 30, 40, 200])
    left = rafdb_left_out(labels)
    assert np.bincount(labels[left], minlength=7).tolist() == [10, 5, 2, 1, 3, 4, 20]
    np.testing.assert_array_equal(left, rafdb_left_out(labels))


def test_performers_are_halved_without_overlap():
    trains, chooses = taiwan_performers([f"tw{n:02d}" for n in range(22)] * 3)
    assert (len(trains), len(chooses)) == (11, 11)
    assert not set(trains) & set(chooses)


def test_targets_mix_the_label_with_the_raters(folder):
    targets = targets_of(read_mosaics(folder))
    assert targets.shape == (43, 8)
    np.testing.assert_allclose(targets.sum(axis=1), 1, atol=1e-6)
    happy = targets[EMOTIONS.index("happy")]
    assert happy[EMOTIONS.index("happy")] == pytest.approx(0.5 * (0.9 + 0.1 / 7))
    assert happy[EMOTIONS.index("fear")] == pytest.approx(0.5 * 0.1 / 7 + 0.5)
    # The raters could not say "neutral".
    assert targets[EMOTIONS.index("neutral"), EMOTIONS.index("neutral")] == pytest.approx(0.9 + 0.1 / 7)
    assert (targets[:, 7] == 0).all()


def test_a_class_that_a_data_set_lacks_takes_no_part():
    prior = log_prior(np.array([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]]), np.ones(2))
    np.testing.assert_allclose(prior, [np.log(0.75), np.log(0.25), ABSENT], rtol=1e-6)


def test_more_faces_stand_behind_those_of_fer2013_as_often_as_asked(folder):
    first = FaceTable(
        faces=[np.zeros((48, 48), np.uint8)] * 2,
        to_crop=np.zeros((2, 2, 2, 3), np.float32),
        targets={
            "votes": np.eye(8, dtype=np.float32)[:2], "has_votes": np.ones(2, np.float32), "label": np.array([0, 1]),
            "shapes": np.ones((2, 4), np.float32), "has_shapes": np.ones(2, np.float32), "row": np.array([7, 8]),
        },
    )  # fmt: skip
    both = with_more_faces(first, folder.parent, {"taiwan": 2})
    trains = sum(name in taiwan_performers(["p0", "p1", "p2", "p3"])[0] for name in read_mosaics(folder).subjects)
    assert len(both) == 2 + 2 * trains
    assert both.targets["row"][:3].tolist() == [7, 8, -1]
    assert both.targets["has_shapes"].sum() == 2
    assert (both.targets["label"][2:] == -1).all()
    assert both.faces[2].shape == (SIDE, SIDE)
    assert both.targets["prior"][0, 7] == both.targets["prior"][2, 7] == ABSENT


def test_a_training_crop_shows_the_face_where_the_network_expects_it(folder):
    """Landmarks are in units of the side; read as pixels they cut a corner of the cheek out of every face."""
    faces = read_mosaics(folder)
    faces.landmarks[:] = (EXPRESSION_TEMPLATE / 112 * 0.5 + 0.25).astype(np.float32)
    like = FaceTable([], np.zeros((0, 2, 2, 3), np.float32), {"votes": np.zeros((0, 8)), "row": np.zeros(0, int)})
    table = as_table(faces, like)
    points = faces.landmarks[0] * SIDE
    placed = points @ table.to_crop[0, 1][:, :2].T + table.to_crop[0, 1][:, 2]
    np.testing.assert_allclose(placed, EXPRESSION_TEMPLATE, atol=0.5)
