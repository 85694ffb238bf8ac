"""What FAISS answers in the running system is what NumPy answers, on vectors of real faces.

The faces are the six of the sample picture inside the insightface package, seen through the shipped network.
"""

from __future__ import annotations

import numpy as np
import pytest

from fewshot.classroom.matching import TrackStudents
from fewshot.classroom.thresholds import identity_thresholds
from fewshot.demo.sample import sample_picture
from fewshot.loops import open_population
from fewshot.perception import open_perception
from fewshot.prototypes.classifier import Classifier
from fewshot.prototypes.space import allowed_distances, squared_distances
from fewshot.prototypes.store import PrototypeStore
from fewshot.prototypes.supports import SupportSet
from fewshot.types import Face

STATES = ["neutral", "happy", "confused"]


@pytest.fixture(scope="module")
def faces() -> list[list[Face]]:
    """The same six people in three copies of the picture: as it is, darker, and mirrored."""
    perception = open_perception("cascade", download=False, recogniser="own")
    picture = sample_picture()
    found = []
    for copy in (picture, (picture * 0.7).astype(np.uint8), np.ascontiguousarray(picture[:, ::-1])):
        seen = sorted(perception.look(copy), key=lambda face: face.box[0])
        perception.identify(copy, seen)
        found.append([face for face in seen if face.expression is not None])
    assert min(map(len, found)) >= 5
    return found


def store_of(faces: list[list[Face]]) -> PrototypeStore:
    population, first = open_population(), faces[0]
    store = PrototypeStore(len(population.mean), len(first[0].identity), population.network, "own")
    for number, pair in enumerate(zip(*faces[:2], strict=False)):
        vectors = np.stack([face.expression for face in pair])
        states = [STATES[(number + k) % 3] for k in range(2)]
        store.add(f"s{number}", SupportSet(vectors, states, [f"{number}-{k}" for k in range(2)]),
                  np.stack([face.identity for face in pair]))  # fmt: skip
    store.rebuild(population)
    return store


def test_verdicts_rest_on_the_distances_of_faiss(faces: list[list[Face]], monkeypatch: pytest.MonkeyPatch) -> None:
    population, store = open_population(), store_of(faces)
    queries = np.stack([face.expression for face in faces[2]])
    students = [store.students()[k % len(store.students())] for k in range(len(queries) - 1)] + [None]
    reader = Classifier(population, store)
    for vector, student, verdict in zip(queries, students, reader.read(queries, students), strict=True):
        own = store.prototypes_of(student)
        by_hand = squared_distances(population.transform(vector[None]), own.matrix)[0]
        np.testing.assert_allclose(list(verdict.distances.values()), by_hand, atol=1e-5)
        known = len(population.classes)
        card = np.array([row.uncertainty for row in own.rows])
        compared = allowed_distances(by_hand[None], card, population.allowance)[0]
        candidates = [k for k, row in enumerate(own.rows) if k < known or by_hand[k] <= row.radius]
        temperature = population.calibration.at(sum(own.shots[:known]) / known).temperature
        odds = np.exp(-(compared[candidates] - compared[candidates].min()) / temperature)
        said = [list(verdict.probabilities.values())[k] for k in candidates]
        np.testing.assert_allclose(said, odds / odds.sum(), atol=1e-5)
    # Were the distances not those of the index, this would change nothing.
    monkeypatch.setattr(type(store.index), "distances", lambda self, u, places: np.zeros(places.shape, np.float32))
    assert set(reader.read(queries, students)[0].distances.values()) == {0.0}


def test_identity_scores_are_those_of_a_matrix_product(faces: list[list[Face]]) -> None:
    store = store_of(faces)
    keys, references = store.identity_references()
    students = TrackStudents(keys, references, identity_thresholds("own:identity"))
    templates = np.stack([references[2 * k : 2 * k + 2].mean(axis=0) for k in range(len(students.keys))])
    templates /= np.linalg.norm(templates, axis=1, keepdims=True)
    queries = [face.identity for face in faces[2]]
    found = students._alike([*queries, None])
    np.testing.assert_allclose(found[:-1], np.stack(queries) @ templates.T, atol=1e-5)
    assert (found[-1] == 0).all()
