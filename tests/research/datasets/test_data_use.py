"""Who is used for what: the committed file is consistent, and the data are those that it names."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import pytest

from experiments.data_use import differences
from fewshot.errors import UsageError
from fewshot.research.datasets.data_split import DataUse, PictureSet, read_use, short_hashes, write_use
from fewshot.research.datasets.data_split_sets import fer2013_masks, file_sets, leaking_rows, make_use
from fewshot.research.datasets.fer2013 import (
    PRIVATE_TEST,
    PUBLIC_TEST,
    TRAINING,
    Fer2013,
    correlates_with,
    load_fer2013,
)
from fewshot.research.datasets.hashes import file_hashes, pixel_hashes, set_hash
from fewshot.research.datasets.lfw import identities_in_pairs, training_pictures

ROOT = Path(__file__).resolve().parents[3]
FILE = ROOT / "experiments/data_use.json"
PREPARED = ROOT / "outputs/fer2013_prepared.npz"
FACES = ROOT / "outputs/lfw_prepared.npz"
TRAIN, TESTED = ("train", "train identity"), ("test",)

ONE = PictureSet("one", "train", "FER2013", "Training", 2, 3, "some", set_hash(["b", "a"]))
OTHER = PictureSet("two", "test", "JAFFE", "all", 0, 0, "none", set_hash([]))


def made_up(n: int = 12) -> Fer2013:
    """Training, PublicTest, PrivateTest in turn; row 0 is row 2, row 3 nearly row 4, row 7 nearly row 8."""
    faces = np.random.default_rng(0).integers(0, 256, (n, 48, 48)).astype(np.uint8)
    faces[0] = faces[2]
    for copy, original in ((3, 4), (7, 8)):
        faces[copy] = faces[original]
        faces[copy, 0, 0] ^= 1
    usage = np.arange(n) % 3
    votes = np.zeros((n, 10), np.float32)
    votes[np.arange(n), np.arange(n) % 8] = 10
    leaked = np.zeros(n, bool)
    leaked[0] = True
    return Fer2013(faces, np.arange(n) % 7, usage, votes, leaked)


def test_no_file_and_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"No .*use\.json\. Write it with"):
        read_use(tmp_path / "use.json")
    for text in ("", "[]", "{}", '{"sets": [{"name": "x"}], "fer2013_excluded": {}}'):
        (tmp_path / "use.json").write_text(text, encoding="utf-8")
        with pytest.raises(UsageError, match="is no file of data use"):
            read_use(tmp_path / "use.json")
    write_use(DataUse((dataclasses.replace(ONE, role="tset"),), {}), tmp_path / "use.json")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="gives one no role of train"):
        read_use(tmp_path / "use.json")


def test_the_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    use = DataUse((ONE, OTHER), {"Training": frozenset({"ab", "cd"})})
    write_use(use, tmp_path / "use.json")
    assert read_use(tmp_path / "use.json") == use
    assert use["two"] == OTHER
    with pytest.raises(UsageError, match="No set of pictures 'three'"):
        use["three"]


def test_hashes_know_pixels_and_no_order() -> None:
    fer = made_up()
    hashes = pixel_hashes(fer.faces)
    assert hashes[1] == hashlib.sha256(bytes(fer.faces[1].ravel().tolist())).hexdigest()
    assert hashes[0] == hashes[2] != hashes[1]
    assert set_hash(hashes) == set_hash(hashes[::-1]) != set_hash(hashes[1:])
    assert set_hash([]) == hashlib.sha256(b"").hexdigest()


def test_what_leaks_is_found_in_any_order() -> None:
    fer = made_up()
    excluded = leaking_rows(fer)
    assert np.flatnonzero(excluded).tolist() == [0, 3, 7]
    hashes = pixel_hashes(fer.faces)
    words = {"Training": short_hashes([hashes[0], hashes[3]]), "PublicTest": short_hashes([hashes[7]])}
    order = np.random.default_rng(1).permutation(len(hashes))
    parts = (fer.faces, fer.labels, fer.usage, fer.votes, fer.leaked)
    shuffled = Fer2013(*(part[order] for part in parts))
    assert DataUse((), words).excluded_rows(shuffled).tolist() == excluded[order].tolist()
    masks = fer2013_masks(fer, excluded)
    assert np.flatnonzero(masks["fer2013-training"]).tolist() == [6, 9]
    assert np.flatnonzero(masks["fer2013-publictest"]).tolist() == [1, 4, 10]
    # Contempt, the eighth class, is voted for in row 7 only, which is no PrivateTest.
    assert masks["fer2013-privatetest"].sum() == masks["ferplus-test-7"].sum() == 4


def test_differences_are_put_into_words() -> None:
    stated = DataUse((ONE, OTHER), {})
    assert differences(stated, stated) == []
    found = DataUse((dataclasses.replace(ONE, pictures=3),), {"Training": frozenset({"x"})})
    lines = differences(stated, found)
    assert [line.split(":")[0] for line in lines[:2]] == ["one", "two"]
    assert "excluded pictures are others" in lines[2]
    assert "two: not in the file" in differences(found, stated)


# The committed file.


@pytest.fixture(scope="module")
def use() -> DataUse:
    return read_use(FILE)


def test_the_numbers_are_those_of_the_papers(use: DataUse) -> None:
    published = {
        "fer2013-training": (28_709 - 771, 28_709),
        "fer2013-publictest": (3_589 - 51, 3_589),
        "fer2013-privatetest": (3_589, 3_589),
        "ferplus-test-7": (3_136, 3_589),
        "ferplus-test-8": (3_152, 3_589),
        "ferplus-test-plurality": (3_518, 3_589),
        "ckplus": (327 + 593, 920),
        "cfee": (2_500, 2_500),
        "jaffe": (213, 213),
    }
    assert {name: (use[name].pictures, use[name].of) for name in published} == published
    assert all(0 < entry.pictures <= entry.of for entry in use.sets)
    assert all(len(entry.sha256) == 64 for entry in use.sets)


def test_nothing_has_two_roles(use: DataUse) -> None:
    for one, other in combinations(use.sets, 2):
        same_source = (one.dataset, one.split) == (other.dataset, other.split)
        assert one.role == other.role or not same_source, f"{one.name} and {other.name}"
        assert one.sha256 != other.sha256
    assert len({entry.name for entry in use.sets}) == len(use.sets)
    trained = {entry.dataset for entry in use.sets if entry.role in ("train", "train identity")}
    assert trained == {"FER2013", "LFW", "RAF-DB", "Taiwan", "RaFD"}
    chosen = {"fer2013-publictest", "ckplus", "rafdb-left-out", "taiwan-left-out", "people-wild"}
    assert {entry.name for entry in use.sets if entry.role == "choose"} == chosen


def test_the_model_card_names_the_same(use: DataUse) -> None:
    card = (ROOT / "fewshot/weights/model_card.md").read_text(encoding="utf-8")
    data = card.split("## Data", 1)[1].split("\n## ", 1)[0]
    training, public, identity = use["fer2013-training"], use["fer2013-publictest"], use["lfw-identity"]
    for number in (training.of, training.of - training.pictures, public.of - public.pictures, identity.pictures):
        assert f"{number:,}" in data, f"the model card's Data does not say {number:,}"
    trained, chosen = data.split("Chosen on", 1)
    assert all(word in trained for word in ("FER2013 Training", "LFW", "pairs.txt"))
    for name in ("PublicTest", "CK+"):
        assert name in chosen
    for entry in (entry for entry in use.sets if entry.role == "test"):
        assert entry.dataset in ("FER2013", "LFW") or entry.dataset not in trained


# The data themselves.


@pytest.fixture(scope="module")
def fer() -> Fer2013:
    folder = ROOT.parent / "shared/data/fer2013"
    if not folder.is_dir():
        pytest.skip("needs the data folder ../shared, which is not here")
    return load_fer2013(folder)


@pytest.fixture(scope="module")
def hashes(fer: Fer2013) -> list[str]:
    return pixel_hashes(fer.faces)


@pytest.fixture(scope="module")
def excluded(use: DataUse, fer: Fer2013, hashes: list[str]) -> np.ndarray:
    return use.excluded_rows(fer, hashes)


def test_the_data_are_those_of_the_file(use: DataUse, fer: Fer2013, excluded: np.ndarray, shared: Path) -> None:
    assert differences(use, make_use(fer, excluded, shared / "data")) == []


def test_no_test_picture_is_trained_on(fer: Fer2013, hashes: list[str], excluded: np.ndarray) -> None:
    """By content all of them; by correlation one in a hundred of training, drawn anew from a fixed seed."""
    assert (excluded | ~fer.leaked).all()
    content = np.array(hashes)
    kept = {usage: set(content[(fer.usage == usage) & ~excluded]) for usage in (TRAINING, PUBLIC_TEST, PRIVATE_TEST)}
    for one, other in combinations(kept.values(), 2):
        assert not one & other
    rows = np.flatnonzero((fer.usage == TRAINING) & ~excluded)
    rows = np.random.default_rng(0).choice(rows, len(rows) // 100, replace=False)
    assert not correlates_with(fer.faces[rows], fer.faces[fer.usage != TRAINING]).any()
    # The same test finds what is excluded and no exact copy (one of those is black, which correlates with nothing).
    leaks = np.flatnonzero((fer.usage == TRAINING) & excluded & ~fer.leaked)[::4]
    assert correlates_with(fer.faces[leaks], fer.faces[fer.usage != TRAINING]).all()


def test_no_picture_to_choose_with_is_tested_on(fer: Fer2013, excluded: np.ndarray) -> None:
    public, private = np.flatnonzero(fer.usage == PUBLIC_TEST), fer.faces[fer.usage == PRIVATE_TEST]
    rows = public[::20]
    np.testing.assert_array_equal(correlates_with(fer.faces[rows], private), excluded[rows])


def small_grey(paths: list[Path], side: int = 32) -> np.ndarray:
    """Files as grey pictures of one small size, for comparing them, shape (n, side, side)."""
    pictures = [cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) for path in paths]
    return np.stack([cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA) for picture in pictures])


def test_files_have_one_role(use: DataUse, shared: Path) -> None:
    files = file_sets(shared / "data")
    content = {name: set(file_hashes(paths)) for name, paths in files.items()}
    for one, other in combinations(content, 2):
        assert not content[one] & content[other], f"{one} and {other} share pictures"
    trained = {path.stem.rpartition("_")[0] for path in files["lfw-identity"]}
    assert not trained & identities_in_pairs(shared / "data/lfw/pairs.txt")
    assert not correlates_with(small_grey(files["lfw-identity"]), small_grey(files["lfw-pairs"][::8])).any()


def test_training_reads_exactly_these_rows(
    use: DataUse, fer: Fer2013, excluded: np.ndarray, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch", reason="needs the extra 'train'")
    if not (PREPARED.is_file() and FACES.is_file()):
        pytest.skip("needs outputs/fer2013_prepared.npz and lfw_prepared.npz (python experiments/prepare.py)")
    from fewshot.research.training import datamodule

    monkeypatch.setattr(datamodule, "load_fer2013", lambda folder: fer)  # it is the same; reading it again takes long
    with np.load(PREPARED) as stored:
        np.testing.assert_array_equal(stored["excluded"], excluded)
    tables = datamodule.training_tables(shared / "data/fer2013", PREPARED.parent)
    assert set_hash(pixel_hashes(np.stack(tables["public"].faces))) == use["fer2013-publictest"].sha256
    n = use["fer2013-training"].pictures
    faces, identities = tables["train"].faces[:n], tables["train"].faces[n:]
    assert set_hash(pixel_hashes(np.stack(faces))) == use["fer2013-training"].sha256
    assert len(identities) == use["lfw-identity"].pictures, "run: python experiments/prepare.py --only lfw"
    known = {face.tobytes() for face in training_pictures(shared / "data/lfw")}
    assert {face.tobytes() for face in identities} <= known


def test_the_file_holds_no_picture_and_no_path() -> None:
    text = FILE.read_text(encoding="utf-8")
    assert len(text) < 40_000
    assert "/" not in json.dumps([entry["name"] for entry in json.loads(text)["sets"]])
    assert "shared" not in text
