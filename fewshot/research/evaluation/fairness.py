"""Are readings and recognition as right for everybody? By self-reported gender, age and ethnicity, on the London set.

DeBruine, L. & Jones, B. (2017), Face Research Lab London Set, https://doi.org/10.6084/m9.figshare.5047666: 102 adults,
each neutral and smiling, in one studio. So it says nothing about other emotions, other light, or children.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fewshot.classroom.photo_perception import photo_perception
from fewshot.classroom.thresholds import identity_thresholds
from fewshot.faces.boxes import largest_face
from fewshot.perception import Perception
from fewshot.prototypes.classifier import Classifier
from fewshot.prototypes.population import Population
from fewshot.research.evaluation.intervals import bootstrap_mean, bootstrap_ratio
from fewshot.research.evaluation.protocol_results import Row
from fewshot.types import Frame, Vectors

KINDS = ("neutral", "happy")
OLDER = 30
"""First year of age of the older half: the median is 25, and few are much older."""
LEAST = 5
"""People of a group, below which no share of them is worth printing."""


@dataclass(frozen=True)
class Person:
    """One person's answers about themselves."""

    key: str
    age: float
    gender: str
    ethnicity: str


@dataclass(frozen=True, eq=False)
class Seen:
    """Both pictures of n people.

    Attributes:
        people: n people, those of whom a face was found on both.
        expression: shape (2, n, d), in the order of ``KINDS``.
        identity: likewise, shape (2, n, k).
    """

    people: list[Person]
    expression: Vectors
    identity: Vectors


def read_people(folder: Path) -> list[Person]:
    """Everybody in ``info.csv``; an age that was not given is NaN."""
    with (folder / "info.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    ages = [float(row["face_age"]) if row["face_age"].replace(".", "").isdigit() else np.nan for row in rows]
    return [
        Person(row["face_id"], age, row["face_gender"], row["face_eth"]) for row, age in zip(rows, ages, strict=True)
    ]


def look(chain: Perception, folder: Path) -> tuple[Seen, int]:
    """Both pictures of everybody through the whole chain, and how many pictures had no face."""
    eyes, people = photo_perception(chain), read_people(folder)
    kept: list[Person] = []
    vectors: list[list[tuple[Vectors, Vectors]]] = []
    missed = 0
    for person in people:
        pair = []
        for kind in KINDS:
            picture = cv2.imread(str(folder / f"{person.key}_{kind}.jpg"))
            found = None if picture is None else _vectors(eyes, np.asarray(picture, np.uint8))
            missed += found is None
            pair += [found] if found is not None else []
        if len(pair) == len(KINDS):
            kept.append(person)
            vectors.append(pair)
    parts = [np.array([[pair[kind][which] for pair in vectors] for kind in range(len(KINDS))]) for which in range(2)]
    return Seen(kept, parts[0], parts[1]), missed


def groups_of(people: list[Person]) -> dict[str, NDArray[np.bool_]]:
    """Name of a group -> who belongs to it, shape (n,). Everybody first."""
    age = np.array([person.age for person in people])
    groups = {"everybody": np.ones(len(people), bool)}
    for gender in sorted({person.gender for person in people}):
        groups[gender] = np.array([person.gender == gender for person in people])
    groups[f"younger than {OLDER}"], groups[f"{OLDER} and older"] = age < OLDER, age >= OLDER
    for ethnicity in sorted({person.ethnicity for person in people}):
        groups[ethnicity.replace("_", " ")] = np.array([person.ethnicity == ethnicity for person in people])
    return {name: chosen for name, chosen in groups.items() if chosen.sum() >= LEAST}


def fairness_rows(seen: Seen, population: Population, network: str) -> list[Row]:
    """One row for each group: readings without any photo, and recognition from the neutral photo.

    Args:
        population: the population prototypes.
        network: name of the identity network, for its thresholds.
    """
    reader = Classifier(population)
    right, unsure = [], []
    for kind, vectors in zip(KINDS, seen.expression, strict=True):
        verdicts = reader.read(vectors, [None] * len(vectors))
        best = [max(verdict.probabilities, key=verdict.probabilities.__getitem__) for verdict in verdicts]
        right.append(np.array([emotion == kind for emotion in best], float))
        unsure.append(np.array([verdict.emotion is None for verdict in verdicts], float))
    limits = identity_thresholds(network)
    alike = seen.identity[1] @ seen.identity[0].T
    own = np.diag(alike)
    rows: list[Row] = []
    for name, chosen in groups_of(seen.people).items():
        # The hardest strangers of a group are the others of the same group.
        others = alike[np.ix_(chosen, chosen)]
        taken = (others >= limits.accept) & ~np.eye(len(others), dtype=bool)
        rows.append(
            {
                "group": name,
                "people": int(chosen.sum()),
                "neutral read right": str(bootstrap_mean(right[0][chosen])),
                "smile read right": str(bootstrap_mean(right[1][chosen])),
                "unsure": str(bootstrap_mean((unsure[0] + unsure[1])[chosen] / 2)),
                "not recognised": str(bootstrap_mean((own[chosen] < limits.accept).astype(float))),
                "another's photo is alike": str(bootstrap_ratio(taken.sum(1), np.full(len(others), len(others) - 1))),
                "similarity to own photo, lowest": float(own[chosen].min()),
            }
        )
    return rows


def _vectors(eyes: Perception, picture: Frame) -> tuple[Vectors, Vectors] | None:
    face = largest_face([face for face in eyes.look(picture) if face.quality.ok])
    if face is None or face.expression is None:
        return None
    eyes.identify(picture, [face])
    return None if face.identity is None else (face.expression, face.identity)
