"""The sets of ``experiments/data_use.json``, made of the data itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fewshot.research.datasets.data_split import DataUse, PictureSet, Role, short_hashes
from fewshot.research.datasets.fer2013 import PRIVATE_TEST, PUBLIC_TEST, TRAINING, Fer2013, correlates_with
from fewshot.research.datasets.hashes import file_hashes, pixel_hashes, set_hash
from fewshot.research.datasets.lfw import identity_pictures, pair_pictures, read_lfw
from fewshot.research.datasets.mosaics import LabelledFaces, may_train, read_mosaics
from fewshot.research.datasets.subjects import read_subjects

Masks = dict[str, NDArray[np.bool_]]
Paths = dict[str, list[Path]]

PEOPLE: tuple[tuple[str, str, Role, str], ...] = (
    ("ckplus", "CK+", "choose", "peaks and neutral frames; every table marks them as development"),
    ("cfee", "CFEE", "test", "seven emotions and fifteen compound ones"),
    ("jaffe", "JAFFE", "test", "all"),
    ("yale", "Yale", "test", "all, with sleepy and wink as new states"),
)
"""Sets of people: key in the table of subjects, name, role, what of them is used."""

MOSAICS: tuple[tuple[str, str, str, Role, str], ...] = (
    ("rafdb-training", "RAF-DB", "nine tenths of its training split", "train", "of each emotion"),
    ("rafdb-left-out", "RAF-DB", "the other tenth", "choose", "development"),
    ("taiwan-training", "Taiwan", "half of the performers", "train", "by a fixed seed"),
    (
        "taiwan-left-out",
        "Taiwan",
        "other performers",
        "choose",
        "development",
    ),
    ("rafd", "RaFD", "all", "train", "posed"),
    ("people-wild", "press photos", "all", "choose", "how far everyday photos are trusted"),
)
"""Sets of mosaics: key, name, split, role, what of them is used."""


def leaking_rows(fer: Fer2013) -> NDArray[np.bool_]:
    """Training rows that occur in, or correlate above 0.99 with, a test split; PublicTest's with PrivateTest: (n,).

    About a minute of one core.
    """
    excluded = fer.leaked.copy()
    train, public = np.flatnonzero(fer.usage == TRAINING), np.flatnonzero(fer.usage == PUBLIC_TEST)
    excluded[train] |= correlates_with(fer.faces[train], fer.faces[fer.usage != TRAINING])
    excluded[public] |= correlates_with(fer.faces[public], fer.faces[fer.usage == PRIVATE_TEST])
    return excluded


def fer2013_masks(fer: Fer2013, excluded: NDArray[np.bool_]) -> Masks:
    """Rows of every set that FER2013 gives, each shape (n,)."""
    private = fer.usage == PRIVATE_TEST
    return {
        "fer2013-training": (fer.usage == TRAINING) & ~excluded,
        "fer2013-publictest": (fer.usage == PUBLIC_TEST) & ~excluded,
        "fer2013-privatetest": private,
        "ferplus-test-7": private & (fer.ferplus_published(7) >= 0),
        "ferplus-test-8": private & (fer.ferplus_published(8) >= 0),
        "ferplus-test-plurality": private & (fer.ferplus_plurality() >= 0),
    }


def file_sets(data: Path) -> Paths:
    """Files of every other set, below the folder that holds ``subjects.csv``, ``lfw`` and ``orl``."""
    found = {"lfw-identity": [data / "lfw" / picture.path for picture in identity_pictures(data / "lfw")]}
    found["lfw-pairs"] = [data / "lfw" / picture.path for picture in pair_pictures(data / "lfw")]
    for key, *_ in PEOPLE:
        rows = read_subjects(data / "subjects.csv", [key], emotions=())
        found[key] = [data / row.path for row in rows]
    found["london"] = sorted((data / "london").glob("*.jpg"))
    found["orl"] = sorted((data / "orl").rglob("*.png"))
    return found


def mosaic_sets(data: Path) -> dict[str, tuple[LabelledFaces, int]]:
    """Faces of each of ``MOSAICS``, and how many their data set has."""
    rafdb, taiwan = read_mosaics(data / "rafdb"), read_mosaics(data / "taiwan")
    web, performers = may_train(rafdb), may_train(taiwan)
    rafd, wild = read_mosaics(data / "rafd"), read_mosaics(data / "people_wild")
    return {
        "rafdb-training": (rafdb.rows(web), len(rafdb)),
        "rafdb-left-out": (rafdb.rows(~web), len(rafdb)),
        "taiwan-training": (taiwan.rows(performers), len(taiwan)),
        "taiwan-left-out": (taiwan.rows(~performers), len(taiwan)),
        "rafd": (rafd, len(rafd)),
        "people-wild": (wild, len(wild)),
    }


def make_use(fer: Fer2013, excluded: NDArray[np.bool_], data: Path) -> DataUse:
    """Who is used for what, with the hash of every set.

    Args:
        fer: all of FER2013 with FER+ votes.
        excluded: rows that may be used for nothing, shape (n,).
        data: folder of the other sets.
    """
    masks, files = fer2013_masks(fer, excluded), file_sets(data)
    hashes = pixel_hashes(fer.faces)

    def of_fer(name: str, role: Role, split: str, rule: str) -> PictureSet:
        usage = ("Training", "PublicTest", "PrivateTest").index(split)
        chosen = [hashes[row] for row in np.flatnonzero(masks[name])]
        n = int((fer.usage == usage).sum())
        return PictureSet(name, role, "FER2013", split, len(chosen), n, rule, set_hash(chosen))

    mosaics = mosaic_sets(data)

    def of_mosaic(key: str, name: str, split: str, role: Role, rule: str) -> PictureSet:
        faces, n = mosaics[key]
        return PictureSet(key, role, name, split, len(faces), n, rule, set_hash(pixel_hashes(faces.pictures)))

    def of_files(name: str, role: Role, dataset: str, split: str, n: int, rule: str) -> PictureSet:
        paths = files[name]
        return PictureSet(name, role, dataset, split, len(paths), n, rule, set_hash(file_hashes(paths)))

    lfw = len(read_lfw(data / "lfw"))
    untested = "identities in no line of pairs.txt, less copies of pictures of those that are"
    leaks = "less what occurs in a test split or correlates above 0.99 with one of its pictures"
    sets = [
        of_fer("fer2013-training", "train", "Training", leaks),
        of_files(
            "lfw-identity",
            "train identity",
            "LFW",
            "rest",
            lfw,
            untested,
        ),
        of_fer("fer2013-publictest", "choose", "PublicTest", "less what recurs in PrivateTest (0.99)"),
        of_fer("fer2013-privatetest", "test", "PrivateTest", "all, FER2013's own labels"),
        of_fer("ferplus-test-7", "test", "PrivateTest", "FER+ published rule, 7 classes"),
        of_fer("ferplus-test-8", "test", "PrivateTest", "FER+ published rule, 8 classes"),
        of_fer("ferplus-test-plurality", "test", "PrivateTest", "FER+ plurality, 7 classes"),
        of_files("lfw-pairs", "test", "LFW", "pairs", lfw, "pictures of the pairs that are complete here"),
        *(of_files(key, role, name, "all", len(files[key]), rule) for key, name, role, rule in PEOPLE),
        *(of_mosaic(*entry) for entry in MOSAICS),
        of_files("london", "test", "London", "all", len(files["london"]), "fairness; may be shown, with its credit"),
        of_files("orl", "unused", "ORL", "all", len(files["orl"]), "23x28 pixels here: too small to teach identity"),
    ]
    left_out = {
        split: short_hashes(hashes[row] for row in np.flatnonzero(excluded & (fer.usage == usage)))
        for usage, split in enumerate(("Training", "PublicTest"))
    }
    return DataUse(tuple(sets), left_out)
