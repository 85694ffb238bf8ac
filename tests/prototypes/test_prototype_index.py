"""Distances as FAISS gives them, in both kinds of index, against NumPy."""

from __future__ import annotations

import faiss
import numpy as np
import pytest
from small_world import DIMENSION, unit

from fewshot.errors import DimensionMismatch
from fewshot.prototypes.estimators import Prototype
from fewshot.prototypes.index import PrototypeIndex
from fewshot.prototypes.one_thread import one_thread
from fewshot.prototypes.space import squared_distances

COUNTS = {None: 7, "asha": 8, "béla/7": 7, "chen": 9}


def made(seed: int = 0) -> list[tuple[str | None, Prototype]]:
    rng = np.random.default_rng(seed)
    return [
        (student, Prototype(f"state {k}", unit(rng.normal(size=(1, DIMENSION)))[0], 1.0, "personal"))
        for student, count in COUNTS.items()
        for k in range(count)
    ]


@pytest.fixture(params=[1_000_000, 0], ids=["flat", "lists"])
def index(request, population) -> PrototypeIndex:
    index = PrototypeIndex(DIMENSION, flat_numbers=request.param)
    index.fill(made(), "test-1", population.variances)
    assert index.kind == ("flat" if request.param else "lists")
    return index


def table_of(index: PrototypeIndex, students: list[str | None]) -> np.ndarray:
    sets = [index.of(student).positions.tolist() for student in students]
    return np.array([places + [-1] * (9 - len(places)) for places in sets])


def test_every_query_is_compared_with_its_own_students_prototypes(index):
    students = ["chen", None, "asha", "asha", "béla/7"]
    queries = unit(np.random.default_rng(1).normal(size=(5, DIMENSION)))
    found = index.distances(queries, table_of(index, students))
    exact = 1e-6 if index.kind == "flat" else 5e-3  # lists hold 16 bits per number
    for row, student in enumerate(students):
        own = np.stack([one.vector for who, one in made() if who == student])
        expected = squared_distances(queries[row : row + 1], own)[0]
        np.testing.assert_allclose(found[row, : len(own)], expected, atol=exact)
        assert np.isinf(found[row, len(own) :]).all()


def test_nothing_to_compare(index):
    nobody = np.zeros((0, DIMENSION), np.float32)
    assert index.distances(nobody, np.zeros((0, 9), np.int64)).shape == (0, 9)
    assert index.of("dora") is None


def test_queries_of_another_network_are_refused(index):
    with pytest.raises(DimensionMismatch, match="different networks"):
        index.distances(np.zeros((1, 5), np.float32), np.zeros((1, 9), np.int64))


def test_what_comes_back_is_what_was_put_in(index):
    for student, count in COUNTS.items():
        own = np.stack([one.vector for who, one in made() if who == student])
        np.testing.assert_allclose(index.of(student).matrix, own, atol=0 if index.kind == "flat" else 5e-4)
        assert [row.emotion for row in index.of(student).rows] == [f"state {k}" for k in range(count)]


def test_two_rows_of_one_emotion_are_two_prototypes(population):
    index = PrototypeIndex(DIMENSION)
    axes = np.eye(DIMENSION, dtype=np.float32)
    twice = [("asha", Prototype("happy", vector, 1.0, "personal")) for vector in axes[:2]]
    index.fill(twice, "test-1", population.variances)
    before = list(index.rows)
    assert len(set(before)) == 2
    found = index.distances(axes[:1], index.of("asha").positions[None])
    assert found.tolist() == [[0.0, 2.0]]
    index.fill(twice, "test-1", population.variances)
    assert list(index.rows) == before


def test_a_snapshot_does_not_change_with_the_original(index, population):
    queries, places = np.eye(DIMENSION, dtype=np.float32)[:1], table_of(index, ["asha"])
    copy, before = index.snapshot(), index.distances(queries, places)
    index.fill(made(seed=5), "test-1", population.variances)
    np.testing.assert_array_equal(copy.distances(queries, places), before)
    assert not np.allclose(index.distances(queries, places), before)


def test_a_small_search_wakes_no_other_thread_and_leaves_the_number_as_it_was():
    before = faiss.omp_get_max_threads()
    with pytest.raises(KeyError), one_thread():
        assert faiss.omp_get_max_threads() == 1
        raise KeyError
    assert faiss.omp_get_max_threads() == before
