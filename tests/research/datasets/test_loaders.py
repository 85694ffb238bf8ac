"""Sets of people in their published forms and of one's own, on drawn pictures."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from fewshot.errors import UsageError
from fewshot.pictures import read_picture
from fewshot.research.datasets.counts import without_copies
from fewshot.research.datasets.forms import FORMS, load_pictures
from fewshot.research.datasets.lfw import (
    identities_in_pairs,
    identity_pictures,
    pair_pictures,
    read_pairs,
    training_pictures,
)
from fewshot.research.datasets.subjects import Picture, read_subjects
from tests.drawn_faces import draw_photo


def drawn(root: Path, *paths: str, side: int = 24) -> Path:
    """Small pictures at these places, each with a grey level of its own."""
    for level, path in enumerate(paths):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        ok, data = cv2.imencode(Path(path).suffix, np.full((side, side), 40 + level, np.uint8))
        assert ok
        (root / path).write_bytes(data.tobytes())
    return root


@pytest.mark.parametrize("form", ["auto", *FORMS])
def test_an_empty_folder(tmp_path: Path, form: str) -> None:
    with pytest.raises(UsageError, match="No known form of data"):
        load_pictures(tmp_path, form)


def test_no_folder_and_no_form(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No folder"):
        load_pictures(tmp_path / "none")
    with pytest.raises(UsageError, match=r"Unknown form of data 'jafe'.*jaffe"):
        load_pictures(tmp_path, "jafe")


def test_jaffe_by_its_original_names(tmp_path: Path) -> None:
    drawn(tmp_path, "jaffe/KA.AN1.39.tiff", "jaffe/KM.NE3.3.tiff", "jaffe/UY.SU2.160.tiff")
    (tmp_path / "jaffe/README_FIRST.txt").write_text("about JAFFE", encoding="utf-8")
    (tmp_path / "jaffe/.DS_Store").write_bytes(b"x")
    assert load_pictures(tmp_path) == [
        Picture("jaffe", "jaffe/KA.AN1.39.tiff", "KA", "angry", "1"),
        Picture("jaffe", "jaffe/KM.NE3.3.tiff", "KM", "neutral", "3"),
        Picture("jaffe", "jaffe/UY.SU2.160.tiff", "UY", "surprise", "2"),
    ]
    codes = ["AN", "DI", "FE", "HA", "NE", "SA", "SU"]
    drawn(tmp_path / "all", *(f"KA.{code}1.{n}.tiff" for n, code in enumerate(codes)))
    words = ["angry", "disgust", "fear", "happy", "neutral", "sad", "surprise"]
    assert [picture.emotion for picture in load_pictures(tmp_path / "all")] == words


def test_yale_with_and_without_suffix(tmp_path: Path) -> None:
    drawn(tmp_path, "subject01.happy.png", "subject01.wink.png", "subject02.glasses.png", "subject02.centerlight.png")
    (tmp_path / "subject03.surprised").write_bytes((tmp_path / "subject01.happy.png").read_bytes())
    (tmp_path / "Readme.txt").write_text("The Yale Face Database", encoding="utf-8")
    assert [(p.subject, p.emotion, p.session) for p in load_pictures(tmp_path)] == [
        ("subject01", "happy", "happy"),
        ("subject01", "other:wink", "wink"),
        ("subject02", "other:centerlight", "centerlight"),
        ("subject02", "neutral", "glasses"),
        ("subject03", "surprise", "surprised"),
    ]
    assert read_picture(tmp_path / "subject03.surprised").shape == (24, 24, 3)


def test_copies_among_yales_pictures_are_left_out(tmp_path: Path) -> None:
    drawn(tmp_path, "subject04.normal.png", "subject05.noglasses.png", "subject05.sad.png")
    for copy, original in (("subject04.sad", "subject04.normal"), ("subject05.normal", "subject05.noglasses")):
        (tmp_path / f"{copy}.png").write_bytes((tmp_path / f"{original}.png").read_bytes())
    # The same bytes on two people are two pictures.
    (tmp_path / "subject06.happy.png").write_bytes((tmp_path / "subject05.sad.png").read_bytes())
    assert [p.path.removesuffix(".png") for p in load_pictures(tmp_path)] == [
        "subject04.normal",
        "subject05.noglasses",
        "subject05.sad",
        "subject06.happy",
    ]


def ckplus(root: Path) -> Path:
    frames = [f"S005/001/S005_001_{n:08d}.png" for n in range(1, 12)]
    frames += [f"S010/002/S010_002_{n:08d}.png" for n in range(1, 4)]
    drawn(root, *(f"cohn-kanade-images/{frame}" for frame in frames))
    label = root / "Emotion/S005/001/S005_001_00000011_emotion.txt"
    label.parent.mkdir(parents=True)
    label.write_text("   3.0000000e+00\n", encoding="ascii")
    (root / "Emotion/S010/002").mkdir(parents=True)  # a sequence without an emotion
    (root / "cohn-kanade-images/S005/001/.DS_Store").write_bytes(b"x")
    return root


def test_ckplus_as_published(tmp_path: Path) -> None:
    first, peak = (f"cohn-kanade-images/S005/001/S005_001_{n:08d}.png" for n in (1, 11))
    expected = [
        Picture("ckplus", first, "S005", "neutral", "001"),
        Picture("ckplus", peak, "S005", "disgust", "001"),
        Picture("ckplus", "cohn-kanade-images/S010/002/S010_002_00000001.png", "S010", "neutral", "002"),
    ]
    assert load_pictures(ckplus(tmp_path)) == expected
    (tmp_path / "Emotion").rename(tmp_path / "Emotion_labels")
    assert load_pictures(tmp_path) == expected


@pytest.mark.parametrize(
    ("code", "emotion"), enumerate(["neutral", "angry", "contempt", "disgust", "fear", "happy", "sad", "surprise"])
)
def test_the_codes_of_ckplus(tmp_path: Path, code: int, emotion: str) -> None:
    (ckplus(tmp_path) / "Emotion/S005/001/S005_001_00000011_emotion.txt").write_text(f"   {code:.7e}\n")
    assert load_pictures(tmp_path)[1].emotion == emotion


@pytest.mark.parametrize("text", ["", "happy", "8.0", "-1", "2.5", "nan"])
def test_a_broken_emotion_file(tmp_path: Path, text: str) -> None:
    (ckplus(tmp_path) / "Emotion/S005/001/S005_001_00000011_emotion.txt").write_text(text)
    with pytest.raises(UsageError, match=r"S005_001_00000011_emotion\.txt holds no number of 0\.\.7"):
        load_pictures(tmp_path)


def test_ckplus_that_is_not_complete(tmp_path: Path) -> None:
    ckplus(tmp_path)
    (tmp_path / "cohn-kanade-images/S005/001/S005_001_00000011.png").unlink()
    with pytest.raises(UsageError, match=r"is about S005_001_00000011\.png, which is not in"):
        load_pictures(tmp_path)
    (tmp_path / "Emotion").rename(tmp_path / "else")
    with pytest.raises(UsageError, match="no folder Emotion beside it"):
        load_pictures(tmp_path)


def test_ckplus_by_emotion_takes_the_peak_of_three_frames(tmp_path: Path) -> None:
    names = [f"anger/S010_004_{n:08d}.png" for n in (17, 18, 19)]
    names += ["contempt/S138_008_00000009.png", "happy/S010_006_00000015.png", "sadness/S010_004_00000012.png"]
    assert load_pictures(drawn(tmp_path, *names)) == [
        Picture("ckplus", "anger/S010_004_00000019.png", "S010", "angry", "004"),
        Picture("ckplus", "contempt/S138_008_00000009.png", "S138", "contempt", "008"),
        Picture("ckplus", "happy/S010_006_00000015.png", "S010", "happy", "006"),
        Picture("ckplus", "sadness/S010_004_00000012.png", "S010", "sad", "004"),
    ]


PAIRS = "10\t300\nAsha_Rao\t1\t2\nAsha_Rao\t1\tBo_Li\t1\nBo_Li\t1\t7\nCem_Ak\t1\tBo_Li\t1\n"
NAMES = ("Asha_Rao_0001.jpg", "Asha_Rao_0002.jpg", "Asha_Rao_0003.jpg", "Bo_Li_0001.jpg", "Dee_0001.jpg")


@pytest.mark.parametrize("nested", [False, True])
def test_lfw_in_folders_and_flat(tmp_path: Path, nested: bool) -> None:
    drawn(tmp_path, *(f"{name.rpartition('_')[0]}/{name}" if nested else name for name in NAMES))
    (tmp_path / "pairs.txt").write_text(PAIRS, encoding="utf-8")
    pictures = load_pictures(tmp_path)
    assert [p.subject for p in pictures] == ["Asha_Rao"] * 3 + ["Bo_Li", "Dee"]
    assert [p.session for p in pictures] == ["0001", "0002", "0003", "0001", "0001"]
    assert {p.emotion for p in pictures} == {""}
    assert pictures[-1].path == ("Dee/Dee_0001.jpg" if nested else "Dee_0001.jpg")
    assert identities_in_pairs(tmp_path / "pairs.txt") == {"Asha_Rao", "Bo_Li", "Cem_Ak"}
    assert len(read_pairs(tmp_path / "pairs.txt")) == 4
    assert [p.subject for p in identity_pictures(tmp_path)] == ["Dee"]
    # The third and the fourth pair lack a picture; Asha's third picture is in no pair.
    assert [(p.subject, p.session) for p in pair_pictures(tmp_path)] == [
        ("Asha_Rao", "0001"),
        ("Asha_Rao", "0002"),
        ("Bo_Li", "0001"),
    ]
    # A tested person's picture under another name, as Raul_Ibanez_0001 is Carlos_Beltran_0001 in LFW.
    (tmp_path / "Eve_0001.jpg").write_bytes((tmp_path / pictures[0].path).read_bytes())
    assert [p.subject for p in identity_pictures(tmp_path)] == ["Dee"]
    assert training_pictures(tmp_path).tolist() == np.full((1, 24, 24), 44).tolist()


def test_lfw_that_is_broken(tmp_path: Path) -> None:
    drawn(tmp_path, *NAMES)
    with pytest.raises(UsageError, match=r"No .*pairs\.txt"):
        training_pictures(tmp_path)
    (tmp_path / "pairs.txt").write_text(PAIRS, encoding="utf-8")
    (tmp_path / "Dee_0001.jpg").write_bytes(b"\xff\xd8")
    with pytest.raises(UsageError, match=r"Dee_0001\.jpg is damaged"):
        training_pictures(tmp_path)
    (tmp_path / "Dee_0001.jpg").unlink()
    with pytest.raises(UsageError, match="No picture"):
        training_pictures(tmp_path)


def test_a_folder_of_your_own(tmp_path: Path) -> None:
    drawn(tmp_path, "asha/Happiness/1.jpg", "asha/Happiness/IMG 2.png", "asha/confused/a.jpg", "bo/neutral/x.jpeg")
    draw_photo(tmp_path / "bo/smiling/selfie.jpg", {1: 120})
    for noise in ("asha/Happiness/notes.txt", "asha/Happiness/._1.jpg", ".git/hooks/x.jpg", "consent.csv"):
        (tmp_path / noise).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / noise).write_bytes(b"no picture")
    (tmp_path / "cem").mkdir()
    assert load_pictures(tmp_path) == [
        Picture("own", "asha/Happiness/1.jpg", "asha", "happy"),
        Picture("own", "asha/Happiness/IMG 2.png", "asha", "happy"),
        Picture("own", "asha/confused/a.jpg", "asha", "confused"),
        Picture("own", "bo/neutral/x.jpeg", "bo", "neutral"),
        Picture("own", "bo/smiling/selfie.jpg", "bo", "happy"),
    ]


def test_pictures_named_by_their_folder_are_no_lfw(tmp_path: Path) -> None:
    drawn(tmp_path, "asha/happy/happy_0001.jpg")
    assert load_pictures(tmp_path) == [Picture("own", "asha/happy/happy_0001.jpg", "asha", "happy")]


def test_names_that_can_be_no_emotion(tmp_path: Path) -> None:
    drawn(tmp_path, "asha/unsure/1.jpg")
    with pytest.raises(UsageError, match="'unsure' cannot be the name of a state"):
        load_pictures(tmp_path)


def test_a_csv_of_your_own(tmp_path: Path) -> None:
    table = tmp_path / "mine.csv"
    table.write_text(
        "\ufeffpath, subject, emotion,session\npics/1.jpg, asha,Joy ,monday\npics\\2.jpg,bo,proud,\n", encoding="utf-8"
    )
    assert load_pictures(table) == [
        Picture("own", "pics/1.jpg", "asha", "happy", "monday"),
        Picture("own", "pics/2.jpg", "bo", "proud", ""),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no column path, subject, emotion"),
        ("path,subject,emotion\n", "lists no picture"),
        ("path,subject\na.jpg,asha\n", "no column emotion"),
        ("path,subject,emotion\na.jpg,asha,happy\nb.jpg,,sad\n", "Line 3 .* has no subject"),
        ("path,subject,emotion\na.jpg\n", "Line 2 .* has no subject, emotion"),
        ("path,subject,emotion\na.jpg,as/ha,sad\n", "cannot be the name"),
    ],
)
def test_a_broken_csv(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "mine.csv").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=message):
        load_pictures(tmp_path / "mine.csv")


def test_a_csv_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_bytes(b"path,subject,emotion\n\xff\xfe,a,b\n")
    with pytest.raises(UsageError, match="is no csv file in UTF-8"):
        load_pictures(tmp_path / "mine.csv")


def test_a_table_with_all_columns_is_read_word_by_word(tmp_path: Path) -> None:
    rows = "dataset,path,subject,emotion,session\ncfee,cfee/1.jpg,7,compound:Happily surprised,\n"
    (tmp_path / "subjects.csv").write_text(rows, encoding="utf-8")
    expected = [Picture("cfee", "cfee/1.jpg", "7", "compound:Happily surprised")]
    assert load_pictures(tmp_path) == load_pictures(tmp_path / "subjects.csv") == expected


@pytest.mark.parametrize("dataset", ["jaffe", "yale", "ckplus"])
def test_the_names_say_what_the_table_says(shared: Path, dataset: str) -> None:
    """The compact forms kept the published names, and their table was made by other hands."""
    table = read_subjects(shared / "data/subjects.csv", [dataset], emotions=())
    told = {
        f"{dataset}/{p.path}": (p.dataset, p.subject, p.emotion, p.session)
        for p in load_pictures(shared / "data" / dataset)
    }
    kept, copies = without_copies(table, shared / "data")
    assert len(copies) == (9 if dataset == "yale" else 0)
    assert told == {p.path: (p.dataset, p.subject, p.emotion, p.session) for p in (kept if copies else table)}
