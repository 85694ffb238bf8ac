"""FER2013 as it is published, on a few made-up faces."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from fewshot.errors import FewshotError, UsageError
from fewshot.research.datasets.fer2013 import (
    PRIVATE_TEST,
    PUBLIC_TEST,
    TRAINING,
    Fer2013,
    check_order,
    load_fer2013,
    order_of,
)

FACES = np.random.default_rng(0).integers(0, 256, (5, 48, 48)).astype(np.uint8)
FACES[4] = FACES[0]  # what leaks: a training picture that is in a test split
LABELS = (3, 0, 6, 1, 3)
USAGES = ("Training", "Training", "PublicTest", "PrivateTest", "PrivateTest")
VOTES_HEADER = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
VOTES = """Training,fer0000000.png,1,9,0,0,0,0,0,0,0,0
Training,,0,0,0,0,0,0,0,0,0,10
PublicTest,fer0000001.png,6,0,0,4,0,0,0,0,0,0
PrivateTest,fer0000002.png,0,0,0,0,2,8,0,0,0,0
PrivateTest,fer0000003.png,0,0,0,0,0,0,0,10,0,0
"""


def write_csv(path: Path, icml: bool = False) -> Path:
    columns = ["emotion", " Usage", " pixels"] if icml else ["emotion", "pixels", "Usage"]
    with path.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.writer(lines)
        writer.writerow(columns)
        for face, label, usage in zip(FACES, LABELS, USAGES, strict=True):
            row = {"emotion": label, "Usage": usage, "pixels": " ".join(map(str, face.ravel()))}
            writer.writerow([row[column.strip()] for column in columns])
    return path


def write_votes(folder: Path, rows: str = VOTES) -> None:
    (folder / "fer2013new.csv").write_text(f"{VOTES_HEADER}\n{rows}", encoding="utf-8")


def check_faces(fer: Fer2013) -> None:
    np.testing.assert_array_equal(fer.faces, FACES)
    assert fer.labels.tolist() == list(LABELS)
    assert fer.usage.tolist() == [TRAINING, TRAINING, PUBLIC_TEST, PRIVATE_TEST, PRIVATE_TEST]
    assert fer.leaked.tolist() == [True, False, False, False, False]


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"No FER2013 in .*fer2013\.csv or icml_face_data\.csv"):
        load_fer2013(tmp_path)


@pytest.mark.parametrize(("name", "icml"), [("fer2013.csv", False), ("icml_face_data.csv", True)])
def test_both_csv_files_with_votes(tmp_path: Path, name: str, icml: bool) -> None:
    path = write_csv(tmp_path / name, icml)
    write_votes(tmp_path)
    for place in (tmp_path, path):
        fer = load_fer2013(place)
        check_faces(fer)
        assert fer.notes == ()
        # angry disgust fear happy sad surprise neutral contempt unknown NF
        assert fer.votes[0].tolist() == [0, 0, 0, 9, 0, 0, 1, 0, 0, 0]
        assert fer.votes[1].tolist() == [-1] * 10  # no image name: left out by FER+
        assert fer.votes[2].tolist() == [0, 0, 0, 0, 4, 0, 6, 0, 0, 0]
        assert fer.ferplus_published(7).tolist() == [3, -1, 6, 1, -1]
        assert fer.ferplus_published(8).tolist() == [3, -1, 6, 1, 7]
        assert fer.vote_distribution()[1].tolist() == [True, False, True, True, True]


def test_without_votes_it_is_said(tmp_path: Path) -> None:
    write_csv(tmp_path / "fer2013.csv")
    with pytest.warns(UserWarning, match="no FER\\+ votes"):
        fer = load_fer2013(tmp_path)
    check_faces(fer)
    assert (fer.votes == -1).all()
    assert "fer2013new.csv" in fer.notes[0]
    assert not fer.vote_distribution()[1].any()
    assert fer.ferplus_plurality().tolist() == [-1] * 5


def test_votes_of_other_rows(tmp_path: Path) -> None:
    write_csv(tmp_path / "fer2013.csv")
    lines = VOTES.splitlines(keepends=True)
    for rows, message in [
        ("".join(lines[:4]), "has 4 rows, FER2013's csv 5"),
        ("", "has 0 rows"),
        (VOTES + lines[4], "Line 7 .* does not belong"),
        ("".join([lines[2], *lines[1:]]), "Line 2 .* does not belong"),
        (VOTES.replace("fer0000000.png,1", "fer0000000.png,one"), "Line 2 .* votes must be numbers"),
    ]:
        write_votes(tmp_path, rows)
        with pytest.raises(UsageError, match=message):
            load_fer2013(tmp_path)


def shortened(text: str) -> str:
    head, first, *rest = text.splitlines()
    return "\n".join([head, first.replace(f"{FACES[0, 0, 0]} ", "", 1), *rest])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: "", "no column emotion, pixels, Usage"),
        (lambda text: text.splitlines()[0], "no row of data"),
        (lambda text: text.replace("pixels", "pictures"), "no column pixels"),
        (shortened, "Line 2 .* 2304 pixels .* 2303 read"),
        (lambda text: text.replace(f"{FACES[1, 0, 0]} ", "x ", 1).replace("\r\n", "\n"), "pixels of 0..255"),
        (lambda text: text.replace(f",{FACES[0, 0, 0]} ", ",999 ", 1), "pixels of 0..255"),
        (lambda text: text.replace("\n0,", "\n8,"), "Line 3 .* emotion '8'"),
        (lambda text: text.replace("PublicTest", "Public"), "Line 4 .* Usage 'Public'"),
        (lambda text: "\n".join([*text.splitlines()[:5], "3"]), "Line 6 .* 0 read"),
    ],
)
def test_damaged_csv(tmp_path: Path, change: Callable[[str], str], message: str) -> None:
    path = write_csv(tmp_path / "fer2013.csv")
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(UsageError, match=message):
        load_fer2013(tmp_path)


def test_a_csv_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "fer2013.csv").write_bytes(b"\xff\xfe\x00PK\x03\x04")
    with pytest.raises(UsageError, match="is no csv file"):
        load_fer2013(tmp_path)
    with pytest.raises(UsageError, match="No file"):
        load_fer2013(tmp_path / "other.csv")


def image_folders(folder: Path) -> Path:
    words = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
    for number, (face, label, usage) in enumerate(zip(FACES, LABELS, USAGES, strict=True)):
        place = folder / ("train" if usage == "Training" else "test") / words[label]
        place.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(place / f"{usage}_{number}.png"), face)
    return folder


def test_image_folders_have_one_test_split_and_no_votes(tmp_path: Path) -> None:
    image_folders(tmp_path)
    (tmp_path / "train/angry/Thumbs.db").write_bytes(b"nothing")
    with pytest.warns(UserWarning, match="PublicTest and PrivateTest cannot be told apart"):
        fer = load_fer2013(tmp_path)
    assert fer.labels.tolist() == [0, 3, 1, 3, 6]
    assert fer.usage.tolist() == [TRAINING] * 2 + [PRIVATE_TEST] * 3
    np.testing.assert_array_equal(fer.faces, FACES[[1, 0, 3, 4, 2]])
    assert fer.leaked.tolist() == [False, True, False, False, False]
    assert (fer.votes == -1).all()
    assert len(fer.notes) == 1


def test_broken_image_folders(tmp_path: Path) -> None:
    for name in ("train/happy", "test/happy"):
        (tmp_path / name).mkdir(parents=True)
    with pytest.raises(UsageError, match="No picture in"):
        load_fer2013(tmp_path)
    broken = tmp_path / "train/happy/1.jpg"
    broken.write_bytes(b"\xff\xd8 not a jpeg")
    with pytest.raises(FewshotError, match=r"1\.jpg"):
        load_fer2013(tmp_path)
    cv2.imwrite(str(broken), np.zeros((40, 50), np.uint8))
    with pytest.raises(UsageError, match=r"1.jpg has 50x40 pixels; FER2013 has 48x48"):
        load_fer2013(tmp_path)
    broken.unlink()
    (tmp_path / "train/bored").mkdir()
    with pytest.raises(UsageError, match="bored is no folder of FER2013"):
        load_fer2013(tmp_path)


def compact(folder: Path) -> Path:
    mosaic = np.zeros((40, 48, 40, 48), np.uint8)
    mosaic[0, :, :5] = FACES.transpose(1, 0, 2)
    cv2.imwrite(str(folder / "faces_00.webp"), mosaic.reshape(1920, 1920), [cv2.IMWRITE_WEBP_QUALITY, 101])
    names = VOTES_HEADER.split(",")[2:]
    votes = [[int(v) for v in row.split(",")[2:]] if ",," not in row else [-1] * 10 for row in VOTES.splitlines()]
    np.savez(
        folder / "labels.npz",
        labels=np.array(LABELS, np.int8),
        usage=np.array([0, 0, 1, 2, 2], np.int8),
        ferplus_votes=np.array(votes, np.int8),
        ferplus_names=np.array(names),
        train_duplicate_of_test=np.array([1, 0, 0, 0, 0], bool),
    )
    return folder


def test_the_compact_form_is_the_csv(tmp_path: Path) -> None:
    small, published = tmp_path / "compact", tmp_path / "csv"
    small.mkdir()
    published.mkdir()
    write_csv(published / "fer2013.csv")
    write_votes(published)
    one, other = load_fer2013(compact(small)), load_fer2013(published)
    check_faces(one)
    np.testing.assert_array_equal(one.votes, other.votes)


def test_a_compact_form_that_lacks_or_has_a_broken_mosaic(tmp_path: Path) -> None:
    mosaic = compact(tmp_path) / "faces_00.webp"
    mosaic.write_bytes(mosaic.read_bytes()[:100])
    with pytest.raises(UsageError, match=r"faces_00\.webp is no picture of 40x40 faces"):
        load_fer2013(tmp_path)
    mosaic.unlink()
    with pytest.raises(UsageError, match=r"has 0 faces, labels\.npz has 5"):
        load_fer2013(tmp_path)


def test_what_was_prepared_in_another_order_is_refused(tmp_path: Path) -> None:
    fer = load_fer2013(compact(tmp_path))
    path = tmp_path / "fer2013_prepared.npz"
    for order, fits in ((order_of(fer.faces), True), (order_of(fer.faces[::-1]), False), (None, True)):
        np.savez(path, **({} if order is None else {"order": np.array(order)}), scores=np.zeros(5))
        with np.load(path) as stored:
            if fits:
                check_order(fer, stored, path)
            else:
                with pytest.raises(UsageError, match="another form or order"):
                    check_order(fer, stored, path)
