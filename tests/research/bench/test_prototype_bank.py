"""Blocks of prototypes in a file: fetched by number, compared exactly, overwritten when a student goes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from small_world import unit

from fewshot.errors import DimensionMismatch, StoreError, UsageError
from fewshot.prototypes.space import squared_distances
from fewshot.research.bench.prototype_bank import PrototypeBank

D, WIDTH = 16, 8


@pytest.fixture
def vectors() -> np.ndarray:
    return unit(np.random.default_rng(0).normal(size=(30, 7, D)))


@pytest.fixture
def path(tmp_path: Path, vectors: np.ndarray) -> Path:
    PrototypeBank.create(tmp_path / "bank", 40, WIDTH, D, bits=32).put(np.arange(30), vectors)
    return tmp_path / "bank"


def test_nobody_has_no_distances(path: Path) -> None:
    assert PrototypeBank(path).distances(np.zeros((0, D), np.float32), np.zeros(0, np.int64)).shape == (0, WIDTH)


@pytest.mark.parametrize(("bits", "tolerance"), [(32, 1e-6), (16, 5e-3)])
def test_each_face_is_compared_with_its_own_student(
    tmp_path: Path, vectors: np.ndarray, bits: int, tolerance: float
) -> None:
    bank = PrototypeBank.create(tmp_path / "b", 30, WIDTH, D, bits)
    bank.put(np.arange(30), vectors)
    queries, students = unit(np.random.default_rng(1).normal(size=(5, D))), np.array([3, 0, 29, 3, 7])
    found = bank.distances(queries, students)
    for row, student in enumerate(students):
        np.testing.assert_allclose(
            found[row, :7], squared_distances(queries[row : row + 1], vectors[student])[0], atol=tolerance
        )
    assert np.isinf(found[:, 7]).all() and bank.nbytes == 30 * WIDTH * D * bits // 8


def test_an_empty_block_is_infinitely_far(path: Path) -> None:
    assert np.isinf(PrototypeBank(path).distances(np.zeros((1, D), np.float32), np.array([35]))).all()


def test_what_is_erased_is_not_in_the_file(path: Path, vectors: np.ndarray) -> None:
    bank = PrototypeBank(path)
    bank.flush()
    assert vectors[4].tobytes() in path.read_bytes()
    bank.erase(4)
    assert vectors[4].tobytes() not in path.read_bytes() and vectors[5].tobytes() in path.read_bytes()
    assert np.isinf(PrototypeBank(path).distances(vectors[4, :1], np.array([4]))).all()


def test_fewer_prototypes_leave_none_of_the_old(path: Path, vectors: np.ndarray) -> None:
    bank = PrototypeBank(path)
    bank.put(np.array([2]), vectors[9:10, :3])
    assert np.isfinite(bank.distances(vectors[2, :1], np.array([2]))).sum() == 3


def test_wrong_usage(tmp_path: Path, path: Path, vectors: np.ndarray) -> None:
    bank = PrototypeBank(path)
    with pytest.raises(DimensionMismatch):
        bank.distances(np.zeros((1, D + 1), np.float32), np.array([0]))
    with pytest.raises(DimensionMismatch):
        bank.put(np.array([0]), np.zeros((1, WIDTH + 1, D), np.float32))
    for student in (-1, 40):
        with pytest.raises(UsageError, match="0 to 39"):
            bank.distances(vectors[0, :1], np.array([student]))
    with pytest.raises(UsageError, match="16 or 32"):
        PrototypeBank.create(tmp_path / "x", 1, 1, 1, bits=8)
    (tmp_path / "text").write_text("no bank")
    np.save(tmp_path / "flat.npy", np.zeros(3))
    for wrong in ("nowhere", "text", "flat.npy"):
        with pytest.raises(StoreError):
            PrototypeBank(tmp_path / wrong)
