"""Prototypes in FAISS under numbers that never change meaning, and the table that says what each one is."""

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
"""Up to this many numbers (31,250 students with 8 prototypes of 128 numbers: 128 MB) prototypes lie in a flat index.
Beyond, in an inverted file with one list per student and 16 bits per number: half the memory, and one list is read for
a face, however many students there are (docs/explanation/store.md)."""


@dataclass(frozen=True, slots=True)
class Row:
    """What the table says about one prototype in the index.

    Attributes:
        id: its number in the index, 64 bit, never used again for anything else.
        student: key of the student; None for a prototype of the whole class.
        emotion, shots, level, radius, reliable, uncertainty: see ``Prototype``.
        network: the network that made the vectors behind it.
        variances: those it was estimated under.
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
        rows: table rows, k of them: the population's emotions in its order, then own states.
        matrix: their vectors in the transformed space, float32, shape (k, d).
        positions: where they lie in the index, for ``PrototypeIndex.distances``, shape (k,).
    """

    rows: tuple[Row, ...]
    matrix: Vectors
    positions: NDArray[np.int64]

    @property
    def emotions(self) -> tuple[str, ...]:
        return tuple(row.emotion for row in self.rows)

    @property
    def shots(self) -> tuple[float, ...]:
        return tuple(row.shots for row in self.rows)

    @property
    def level(self) -> Level:
        return self.rows[0].level


class PrototypeIndex:
    """FAISS under squared Euclidean distance, plus the table id -> ``Row``.

    The number of a (student, emotion) survives every new estimate and is retired with the student. Several rows of one
    student and emotion are legal. Below ``flat_numbers`` distances are exact in 32 bits.

    Args:
        dimension: of the vectors.
        flat_numbers: size above which the index is an inverted file; see ``FLAT_NUMBERS``.
    """

    def __init__(self, dimension: int, flat_numbers: int = FLAT_NUMBERS) -> None:
        self.dimension, self._flat_numbers = dimension, flat_numbers
        self.rows: dict[int, Row] = {}
        # Whose rows they are: looked up by student, since going through all of them takes minutes in a large school.
        self._owned: dict[str | None, list[Row]] = {}
        self._places: dict[int, int] = {}
        self._ids: dict[tuple[str | None, str, int], int] = {}
        self._next_id = 1
        self._vectors: FlatVectors | ListedVectors = FlatVectors(
            np.zeros((0, dimension), np.float32), np.zeros(0, np.int64)
        )

    @property
    def kind(self) -> str:
        """ "flat" or "lists"."""
        return self._vectors.kind

    @property
    def nbytes(self) -> int:
        """Bytes of the vectors as they are kept."""
        return len(self.rows) * self.dimension * self._vectors.bytes_per_number

    def fill(self, prototypes: Iterable[tuple[str | None, Prototype]], network: str, variances: Variances) -> None:
        """Replace all vectors by these (student, prototype) pairs."""
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
        """Drop every vector; numbers stay reserved for their (student, emotion)."""
        self.rows, self._owned, self._places = {}, {}, {}
        self._vectors = FlatVectors(np.zeros((0, self.dimension), np.float32), np.zeros(0, np.int64))

    def retire(self, student: str) -> None:
        """Drop every vector, and give this student's numbers up for good."""
        self.clear()
        self._ids = {key: number for key, number in self._ids.items() if key[0] != student}

    def of(self, student: str | None) -> PrototypeSet | None:
        """All prototypes of one student (None: of the class); None if there are none."""
        rows = self._owned.get(student)
        if not rows:
            return None
        positions = np.array([self._places[row.id] for row in rows], np.int64)
        return PrototypeSet(tuple(rows), self._vectors.at(positions), positions)

    def distances(self, queries: Vectors, positions: NDArray[np.int64]) -> NDArray[np.float32]:
        """Squared distances of every query to prototypes of one student, all queries in one call of FAISS.

        Args:
            queries: transformed vectors u, shape (n, d).
            positions: for every query the places of one student's prototypes (``PrototypeSet.positions``), -1 where
                there are fewer than k, shape (n, k).

        Returns:
            Distances >= 0, inf at -1, shape (n, k).

        Raises:
            DimensionMismatch: queries of another network.
        """
        if queries.ndim != 2 or queries.shape[1] != self.dimension:
            raise DimensionMismatch(
                f"Queries have shape {queries.shape}, the prototypes (n, {self.dimension}): they were made by "
                f"different networks. Embed and enroll with the same one."
            )
        if not positions.size:
            return np.full(positions.shape, np.inf, np.float32)
        with one_thread():
            return self._vectors.distances(np.ascontiguousarray(queries, np.float32), np.ascontiguousarray(positions))

    def snapshot(self) -> PrototypeIndex:
        """The index as it is now; changes of the original do not reach it."""
        copy = PrototypeIndex(self.dimension, self._flat_numbers)
        copy.rows, copy._owned, copy._places, copy._vectors = self.rows, self._owned, self._places, self._vectors
        return copy

    def _new_id(self) -> int:
        self._next_id += 1
        return self._next_id - 1


class FlatVectors:
    """``IndexFlatL2`` under the prototypes' own numbers."""

    kind, bytes_per_number = "flat", 4

    def __init__(self, matrix: Vectors, numbers: NDArray[np.int64]) -> None:
        self._flat: Any = faiss.IndexFlatL2(matrix.shape[1])
        self._numbered: Any = faiss.IndexIDMap2(self._flat)
        if len(matrix):
            self._numbered.add_with_ids(np.ascontiguousarray(matrix), numbers)

    def at(self, positions: NDArray[np.int64]) -> Vectors:
        return np.asarray(self._flat.reconstruct_batch(positions), np.float32)

    def distances(self, queries: Vectors, positions: NDArray[np.int64]) -> NDArray[np.float32]:
        found = np.empty(positions.shape, np.float32)
        # The one call that compares a query with chosen vectors alone; FAISS has no Python form of it.
        self._flat.compute_distance_subset(
            len(queries), faiss.swig_ptr(queries), positions.shape[1], faiss.swig_ptr(found), faiss.swig_ptr(positions)
        )
        return np.where(positions < 0, np.float32(np.inf), found)


class ListedVectors:
    """An inverted file with one list for each owner, 16 bits per number.

    Whose prototypes are compared is known, so the list is named outright (``search_preassigned``) and nothing else is
    read: a selector over a common index would pass over everybody else's vectors for every face.
    """

    kind, bytes_per_number = "lists", 2

    def __init__(self, matrix: Vectors, owners: NDArray[np.int64]) -> None:
        dimension, count = matrix.shape[1], int(owners.max()) + 1
        self._quantizer = faiss.IndexFlatL2(dimension)  # stands for the lists; never searched
        self._quantizer.add(np.zeros((count, dimension), np.float32))
        kind = faiss.ScalarQuantizer.QT_fp16
        self._lists: Any = faiss.IndexIVFScalarQuantizer(
            self._quantizer, dimension, count, kind, faiss.METRIC_L2, False
        )
        self._lists.is_trained = True  # 16 bits are cut off, nothing is learned
        matrix = np.ascontiguousarray(matrix, np.float32)
        places = np.arange(len(matrix), dtype=np.int64)
        self._lists.add_core(len(matrix), faiss.swig_ptr(matrix), faiss.swig_ptr(places), faiss.swig_ptr(owners))
        self._lists.make_direct_map()
        self._owners, self._most = owners, int(np.bincount(owners).max())

    def at(self, positions: NDArray[np.int64]) -> Vectors:
        return np.asarray(self._lists.reconstruct_batch(positions), np.float32)

    def distances(self, queries: Vectors, positions: NDArray[np.int64]) -> NDArray[np.float32]:
        owners = self._owners[positions[:, :1]]
        found, places = self._lists.search_preassigned(queries, self._most, owners, None)
        table = np.full(positions.shape, np.inf, np.float32)
        rows, columns = np.nonzero(positions >= 0)
        same = places[rows] == positions[rows, columns][:, None]
        table[rows, columns] = np.where(same, found[rows], np.inf).min(axis=1)
        return table
