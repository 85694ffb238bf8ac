"""Prototypes in FAISS under permanent numbers, and the table that describes each prototype."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from fewshot.errors import DimensionMismatch
from fewshot.prototypes.estimators import Level, Prototype
from fewshot.prototypes.one_thread import one_thread
from fewshot.prototypes.population import Variances
from fewshot.types import Vectors

FLAT_NUMBERS = 32_000_000
"""Up to this many numbers (31,250 students with 8 prototypes of 128 numbers: 128 MB) prototypes are in a flat index.
Above, they are in an inverted file with one list per student and 16 bits per number. It needs half the memory, and only
one list is searched per face, for any number of students (docs/explanation/store.md)."""


@dataclass(frozen=True, slots=True)
class Row:
    """The description of one prototype in the index.

    Attributes:
        id: its number in the index, 64 bits, never used again for another prototype.
        student: key of the student; None for a prototype of the whole class.
        emotion, shots, level, radius, reliable, uncertainty: see ``Prototype``.
        network: the network that made its support vectors.
        variances: the variances used in its estimation.
    """

    id: int
    student: str | None
    emotion: str
    shots: float
    level: Level
    radius: float | None
    reliable: bool
    network: str
    variances: Variances
    uncertainty: float = 0.0


@dataclass(frozen=True, eq=False, slots=True)
class PrototypeSet:
    """The prototypes one face is compared with.

    Attributes:
        rows: k descriptions: the population's emotions in its order, then the student's own states.
        matrix: vectors in the transformed space, float32, shape (k, d).
        positions: positions in the index, for ``PrototypeIndex.distances``, shape (k,).
    """

    rows: tuple[Row, ...]
    matrix: Vectors
    positions: NDArray[np.int64]

    @property
    def emotions(self) -> tuple[str, ...]:
        """Emotion of every row."""
        return tuple(row.emotion for row in self.rows)

    @property
    def shots(self) -> tuple[float, ...]:
        """Number of photos of every row."""
        return tuple(row.shots for row in self.rows)

    @property
    def level(self) -> Level:
        """Whose photos were used."""
        return self.rows[0].level


class PrototypeIndex:
    """A FAISS index with squared Euclidean distance, and the table id -> ``Row``.

    A pair (student, emotion) keeps its number in every new estimate; when the student is removed, the number is never
    used again. A student may have several prototypes of one emotion. Up to ``flat_numbers``, distances are exact in 32
    bits.

    Args:
        dimension: length of the vectors.
        flat_numbers: size above which the index is an inverted file; see ``FLAT_NUMBERS``.
    """

    def __init__(self, dimension: int, flat_numbers: int = FLAT_NUMBERS) -> None:
        self.dimension, self._flat_numbers = dimension, flat_numbers
        self.rows: dict[int, Row] = {}
        # Student -> rows, because searching all rows for each student takes minutes in a large school.
        self._owned: dict[str | None, list[Row]] = {}
        self._places: dict[int, int] = {}
        self._ids: dict[tuple[str | None, str, int], int] = {}
        self._next_id = 1
        self._vectors: FlatVectors | ListedVectors = _empty(dimension)

    @property
    def kind(self) -> str:
        """ "flat" or "lists"."""
        return self._vectors.kind

    @property
    def nbytes(self) -> int:
        """Size of the stored vectors in bytes."""
        return len(self.rows) * self.dimension * self._vectors.bytes_per_number

    def fill(self, prototypes: Iterable[tuple[str | None, Prototype]], network: str, variances: Variances) -> None:
        """Replace all vectors with these (student, prototype) pairs."""
        entries = list(prototypes)
        self.clear()
        ids: dict[tuple[str | None, str, int], int] = {}
        for place, (student, prototype) in enumerate(entries):
            key = (student, prototype.emotion, 0)
            while key in ids:
                key = (student, prototype.emotion, key[2] + 1)
            number = ids[key] = self._ids[key] if key in self._ids else self._new_id()
            row = Row(
                number, student, prototype.emotion, prototype.shots, prototype.level, prototype.radius,
                prototype.reliable, network, variances, prototype.uncertainty,
            )  # fmt: skip
            self.rows[number] = row
            self._owned.setdefault(student, []).append(row)
            self._places[number] = place
        self._ids = ids
        if entries:
            matrix = np.stack([prototype.vector for _, prototype in entries]).astype(np.float32)
            numbers = np.array(list(self.rows), np.int64)
            if matrix.size <= self._flat_numbers:
                self._vectors = FlatVectors(matrix, numbers)
            else:
                owners = {student: number for number, student in enumerate(self._owned)}
                self._vectors = ListedVectors(matrix, np.array([owners[student] for student, _ in entries], np.int64))

    def clear(self) -> None:
        """Delete all vectors; numbers stay reserved for their (student, emotion)."""
        self.rows, self._owned, self._places = {}, {}, {}
        self._vectors = _empty(self.dimension)

    def retire(self, student: str) -> None:
        """Delete all vectors; this student's numbers are never used again."""
        self.clear()
        self._ids = {key: number for key, number in self._ids.items() if key[0] != student}

    def of(self, student: str | None) -> PrototypeSet | None:
        """All prototypes of one student (None: of the class); returns None if there are none."""
        rows = self._owned.get(student)
        if not rows:
            return None
        positions = np.array([self._places[row.id] for row in rows], np.int64)
        return PrototypeSet(tuple(rows), self._vectors.at(positions), positions)

    def distances(self, queries: Vectors, positions: NDArray[np.int64]) -> NDArray[np.float32]:
        """Squared distances of every query to prototypes of one student, all queries in one call of FAISS.

        Args:
            queries: transformed vectors u, shape (n, d).
            positions: for every query the positions of one student's prototypes (``PrototypeSet.positions``), filled
                with -1 if there are fewer than k, shape (n, k).

        Returns:
            Distances >= 0; inf where the position is -1; shape (n, k).

        Raises:
            DimensionMismatch: another network made the queries.
        """
        if queries.ndim != 2 or queries.shape[1] != self.dimension:
            raise DimensionMismatch(
                f"The queries have shape {queries.shape}, but the prototypes need (n, {self.dimension}): they were "
                f"made by different networks. Embed and enroll with the same network."
            )
        if not positions.size:
            return np.full(positions.shape, np.inf, np.float32)
        with one_thread():
            return self._vectors.distances(np.ascontiguousarray(queries, np.float32), np.ascontiguousarray(positions))

    def snapshot(self) -> PrototypeIndex:
        """A copy of the index as it is now; later changes of the original do not affect it."""
        copy = PrototypeIndex(self.dimension, self._flat_numbers)
        copy.rows, copy._owned, copy._places, copy._vectors = self.rows, self._owned, self._places, self._vectors
        return copy

    def _new_id(self) -> int:
        self._next_id += 1
        return self._next_id - 1


def _empty(dimension: int) -> FlatVectors:
    return FlatVectors(np.zeros((0, dimension), np.float32), np.zeros(0, np.int64))


class FlatVectors:
    """``IndexFlatL2`` under the prototypes' own numbers."""

    kind, bytes_per_number = "flat", 4

    def __init__(self, matrix: Vectors, numbers: NDArray[np.int64]) -> None:
        self._flat: Any = faiss.IndexFlatL2(matrix.shape[1])
        self._numbered: Any = faiss.IndexIDMap2(self._flat)
        if len(matrix):
            self._numbered.add_with_ids(np.ascontiguousarray(matrix), numbers)

    def at(self, positions: NDArray[np.int64]) -> Vectors:
        """The vectors at positions of shape (k,), shape (k, d)."""
        return np.asarray(self._flat.reconstruct_batch(positions), np.float32)

    def distances(self, queries: Vectors, positions: NDArray[np.int64]) -> NDArray[np.float32]:
        """See ``PrototypeIndex.distances``; shapes (n, d) and (n, k)."""
        found = np.empty(positions.shape, np.float32)
        # The only FAISS call that compares queries with selected vectors; it has no Python wrapper.
        self._flat.compute_distance_subset(
            len(queries), faiss.swig_ptr(queries), positions.shape[1], faiss.swig_ptr(found), faiss.swig_ptr(positions)
        )
        return np.where(positions < 0, np.float32(np.inf), found)


class ListedVectors:
    """An inverted file with one list per owner, 16 bits per number.

    The student of each face is known, so only this student's list is searched (``search_preassigned``). A selector on a
    common index would have to skip the vectors of all other students for every face.
    """

    kind, bytes_per_number = "lists", 2

    def __init__(self, matrix: Vectors, owners: NDArray[np.int64]) -> None:
        dimension, count = matrix.shape[1], int(owners.max()) + 1
        self._quantizer = faiss.IndexFlatL2(dimension)  # required by FAISS; never searched
        self._quantizer.add(np.zeros((count, dimension), np.float32))
        kind = faiss.ScalarQuantizer.QT_fp16
        self._lists: Any = faiss.IndexIVFScalarQuantizer(
            self._quantizer, dimension, count, kind, faiss.METRIC_L2, False
        )
        self._lists.is_trained = True  # rounding to 16 bits needs no training
        matrix = np.ascontiguousarray(matrix, np.float32)
        places = np.arange(len(matrix), dtype=np.int64)
        self._lists.add_core(len(matrix), faiss.swig_ptr(matrix), faiss.swig_ptr(places), faiss.swig_ptr(owners))
        self._lists.make_direct_map()
        self._owners, self._most = owners, int(np.bincount(owners).max())

    def at(self, positions: NDArray[np.int64]) -> Vectors:
        """The vectors at positions of shape (k,), shape (k, d)."""
        return np.asarray(self._lists.reconstruct_batch(positions), np.float32)

    def distances(self, queries: Vectors, positions: NDArray[np.int64]) -> NDArray[np.float32]:
        """See ``PrototypeIndex.distances``; shapes (n, d) and (n, k)."""
        owners = self._owners[positions[:, :1]]
        found, places = self._lists.search_preassigned(queries, self._most, owners, None)
        table = np.full(positions.shape, np.inf, np.float32)
        rows, columns = np.nonzero(positions >= 0)
        same = places[rows] == positions[rows, columns][:, None]
        table[rows, columns] = np.where(same, found[rows], np.inf).min(axis=1)
        return table
