"""A FAISS index of prototypes under numbers that never change meaning, and the table that says what each one is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from fewshot.prototypes.estimators import Level, Prototype
from fewshot.prototypes.population import Variances
from fewshot.types import Vectors


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
    """

    rows: tuple[Row, ...]
    matrix: Vectors

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
    """FAISS under squared Euclidean distance, exact, plus the table id -> ``Row``.

    The number of a (student, emotion) survives every new estimate and is retired with the student.
    """

    def __init__(self, dimension: int) -> None:
        self.dimension = dimension
        self.rows: dict[int, Row] = {}
        # Whose rows they are: looked up by student, since going through all of them takes minutes in a large school.
        self._owned: dict[str | None, list[Row]] = {}
        self._ids: dict[tuple[str | None, str], int] = {}
        self._next_id = 1
        self._faiss = _empty(dimension)

    def fill(self, prototypes: Iterable[tuple[str | None, Prototype]], network: str, variances: Variances) -> None:
        """Replace all vectors by these (student, prototype) pairs."""
        entries = list(prototypes)
        self.clear()
        ids: dict[tuple[str | None, str], int] = {}
        for student, prototype in entries:
            key = (student, prototype.emotion)
            ids[key] = self._ids[key] if key in self._ids else self._new_id()
            self._put(Row(
                ids[key], student, prototype.emotion, prototype.shots, prototype.level, prototype.radius,
                prototype.reliable, network, variances, prototype.uncertainty,
            ))  # fmt: skip
        self._ids = ids
        if entries:
            matrix = np.stack([prototype.vector for _, prototype in entries])
            self._faiss.add_with_ids(matrix, np.array(list(self.rows), dtype=np.int64))

    def clear(self) -> None:
        """Drop every vector; numbers stay reserved for their (student, emotion)."""
        self.rows, self._owned = {}, {}
        self._faiss = _empty(self.dimension)

    def retire(self, student: str) -> None:
        """Drop every vector, and give this student's numbers up for good."""
        self.clear()
        self._ids = {key: number for key, number in self._ids.items() if key[0] != student}

    def of(self, student: str | None) -> PrototypeSet | None:
        """All prototypes of one student (None: of the class); None if there are none."""
        rows = self._owned.get(student)
        if not rows:
            return None
        return PrototypeSet(
            tuple(rows), self._faiss.reconstruct_batch(np.array([row.id for row in rows], dtype=np.int64))
        )

    def search(
        self, queries: Vectors, count: int, ids: Iterable[int] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The nearest prototypes, nearest first.

        Args:
            queries: transformed, shape (n, d).
            count: how many at most.
            ids: only among these; None for all.

        Returns:
            (ids, squared distances), each of shape (n, m) with m <= count.
        """
        chosen = None if ids is None else np.array(sorted(set(ids)), dtype=np.int64)
        count = min(count, self._faiss.ntotal if chosen is None else len(chosen))
        if not count:
            return np.zeros((len(queries), 0), np.int64), np.zeros((len(queries), 0), np.float32)
        parameters = None if chosen is None else faiss.SearchParameters(sel=faiss.IDSelectorBatch(chosen))  # type: ignore[call-arg]
        distances, found = self._faiss.search(np.ascontiguousarray(queries, np.float32), count, params=parameters)
        return found, distances

    def to_data(self) -> tuple[dict[str, Any], NDArray[np.uint8]]:
        """(table as json, FAISS index as bytes). Bytes, because FAISS cannot open a path with an umlaut on Windows."""
        table = {
            "next_id": self._next_id,
            "ids": [[number, student, emotion] for (student, emotion), number in self._ids.items()],
            "rows": [asdict(row) for row in self.rows.values()],
        }
        return table, faiss.serialize_index(self._faiss)

    @classmethod
    def from_data(cls, dimension: int, table: dict[str, Any], content: NDArray[np.uint8]) -> PrototypeIndex:
        """Inverse of ``to_data``.

        Raises:
            ValueError: table and index do not belong together.
        """
        index = cls(dimension)
        index._next_id = int(table["next_id"])
        index._ids = {(student, emotion): int(number) for number, student, emotion in table["ids"]}
        for row in table["rows"]:
            index._put(Row(**{**row, "variances": Variances(**row["variances"])}))
        index._faiss = faiss.deserialize_index(content)
        stored = faiss.vector_to_array(index._faiss.id_map).tolist()
        if index._faiss.d != dimension or stored != list(index.rows):
            raise ValueError("the table does not describe the index")
        return index

    def _put(self, row: Row) -> None:
        self.rows[row.id] = row
        self._owned.setdefault(row.student, []).append(row)

    def _new_id(self) -> int:
        self._next_id += 1
        return self._next_id - 1


def _empty(dimension: int) -> Any:
    return faiss.IndexIDMap2(faiss.IndexFlatL2(dimension))
