"""Identity references in FAISS under permanent numbers: finds the person for a face, in galleries of any size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any, Literal

import faiss
import numpy as np
from numpy.typing import NDArray

from fewshot.errors import DimensionMismatch, UsageError
from fewshot.prototypes import ivf_index
from fewshot.prototypes.one_thread import one_thread
from fewshot.types import Vectors

Ids = NDArray[np.int64]
Scores = NDArray[np.float32]
Kind = Literal["exact", "cells"]

EXACT_NUMBERS = 4_000_000
"""Largest gallery with exact search, in numbers (7,812 references of 512). At this size 49 queries take about 10 ms;
in an inverted file they take 1.5 ms."""
SMALL_SEARCH = 500_000
"""Up to this many pairs of query and reference, the search uses one thread."""
_NOBODY = -1


def choose_kind(count: int, dimension: int) -> Kind:
    """The kind of search for a gallery of this size: exact as long as that is fast, else an inverted file ("cells").

    "exact" is ``IndexFlatIP``; "cells" is an inverted file with scalar quantisation (``ivf_index.py``). HNSW is not
    used: its graph takes longer to build and finds less in the same time. FAISS also cannot remove a vector from it,
    but a student has the right to be removed (measurements: docs/explanation/store.md).
    """
    return "exact" if count * dimension <= EXACT_NUMBERS else "cells"


class IdentityGallery:
    """Identity vectors of people, searched with cosine similarity.

    Every reference has a number that is never used again. If a gallery becomes too large for its kind of index, ``add``
    builds a new index and keeps the numbers. Removed vectors are overwritten in memory and missing from the next
    ``save``.

    Args:
        dimension: length of the vectors.
        network: name and hash of the identity network.

    Examples:
        >>> gallery = IdentityGallery(4)
        >>> ids = gallery.add(["asha", "ben"], np.eye(4, dtype=np.float32)[:2])
        >>> found, scores = gallery.search(np.eye(4, dtype=np.float32)[1:2])
        >>> gallery.students_of(found[:, 0])
        ['ben']
    """

    def __init__(self, dimension: int, network: str = "") -> None:
        self.dimension, self.network, self.kind = dimension, network, choose_kind(0, dimension)
        self._index: Any = faiss.IndexFlatIP(dimension)
        self._next_id = 1
        # One entry per row of the index, with ascending ids. Arrays, because a million Python objects would need more
        # memory than the vectors.
        self._ids: Ids = np.zeros(0, np.int64)
        self._owners: NDArray[np.int32] = np.zeros(0, np.int32)
        self._names: list[str] = []
        self._numbers: dict[str, int] = {}

    def __len__(self) -> int:
        return int((self._owners != _NOBODY).sum())

    @property
    def nbytes(self) -> int:
        """Size of the stored vectors in bytes."""
        size = 4 * self.dimension if self.kind == "exact" else ivf_index.code_size(self._index)
        return int(self._index.ntotal) * size

    def students(self) -> list[str]:
        """Keys of all students in the gallery."""
        return list(self._numbers)

    def add(self, students: Sequence[str], references: Vectors) -> Ids:
        """Add references.

        Args:
            students: student of each reference; a student may have several.
            references: unit vectors, shape (n, dimension).

        Returns:
            Numbers of the references, shape (n,).

        Raises:
            DimensionMismatch: another network made the vectors.
            UsageError: there is not exactly one student per reference.
        """
        vectors = self._checked(references)
        if len(students) != len(vectors):
            raise UsageError(f"{len(vectors)} references do not fit {len(students)} students. Give one per reference.")
        ids = np.arange(self._next_id, self._next_id + len(vectors), dtype=np.int64)
        owners = np.array([self._number(student) for student in students], np.int32)
        if self._outgrown(len(self) + len(vectors)):
            self._rebuild(ids, owners, vectors)
        else:
            self._ids, self._owners = np.concatenate([self._ids, ids]), np.concatenate([self._owners, owners])
            if self.kind == "exact":
                self._index.add(vectors)
            else:
                ivf_index.add(self._index, vectors)
        self._next_id += len(vectors)
        return ids

    def remove(self, student: str) -> int:
        """Remove a student.

        Returns:
            Number of removed references.

        Raises:
            UsageError: there is no such student.
        """
        if student not in self._numbers:
            raise UsageError(f"There is no student {student!r} in this gallery of {len(self._numbers)} students.")
        number = self._numbers.pop(student)
        self._names[number] = ""
        rows = np.flatnonzero(self._owners == number)
        if self.kind == "exact":
            self._owners[rows] = _NOBODY
            self._rebuild(np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros((0, self.dimension), np.float32))
        else:
            ivf_index.erase(self._index, rows)
            self._owners[rows] = _NOBODY
        return len(rows)

    def search(self, queries: Vectors, count: int = 1) -> tuple[Ids, Scores]:
        """The most similar references, best first.

        Args:
            queries: unit vectors, shape (n, dimension).
            count: largest number of results per query.

        Returns:
            (numbers, cosine similarities), each of shape (n, m) with m <= count. In an inverted file a query may find
            fewer references; missing results have number 0 and similarity -inf.

        Raises:
            DimensionMismatch: another network made the vectors.
        """
        vectors, count = self._checked(queries), min(count, len(self))
        if not count or not len(vectors):
            return np.zeros((len(vectors), count), np.int64), np.zeros((len(vectors), count), np.float32)
        # Two threads halve the time of a large search, but delay a small one by milliseconds.
        with one_thread() if self._index.ntotal * len(vectors) < SMALL_SEARCH else nullcontext():
            scores, rows = self._index.search(vectors, count)
        return np.where(rows < 0, 0, self._ids[rows]), np.where(rows < 0, -np.inf, scores).astype(np.float32)

    def students_of(self, ids: Ids) -> list[str | None]:
        """Students of these reference numbers, shape (n,); None for a number that is not in the gallery."""
        if not len(self._ids):
            return [None] * len(ids)
        rows = np.minimum(np.searchsorted(self._ids, ids), len(self._ids) - 1)
        owners = np.where(self._ids[rows] == ids, self._owners[rows], _NOBODY)
        return [None if owner == _NOBODY else self._names[owner] for owner in owners.tolist()]

    def parts(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]], Any]:
        """The complete gallery: a header for JSON, ids and owners, each of shape (n,), and the index."""
        header = {
            "kind": self.kind,
            "dimension": self.dimension,
            "network": self.network,
            "next_id": self._next_id,
            "names": self._names,
        }
        return header, {"ids": self._ids, "owners": self._owners}, self._index

    @classmethod
    def from_parts(cls, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], index: Any) -> IdentityGallery:
        """Inverse of ``parts``; ids and owners have shape (n,).

        Raises:
            ValueError, KeyError, TypeError: they do not belong together.
        """
        gallery = cls(header["dimension"], header["network"])
        gallery.kind, gallery._index, gallery._next_id = header["kind"], index, header["next_id"]
        gallery._ids, gallery._owners, gallery._names = arrays["ids"], arrays["owners"], list(header["names"])
        present = set(arrays["owners"].tolist())
        gallery._numbers = {name: number for number, name in enumerate(gallery._names) if number in present}
        if index.d != gallery.dimension or not index.ntotal == len(gallery._ids) == len(gallery._owners):
            raise ValueError("the table does not describe the index")
        return gallery

    def _outgrown(self, count: int) -> bool:
        if self.kind == "exact":
            return choose_kind(count, self.dimension) != "exact"
        return ivf_index.choose_cells(count) >= 4 * ivf_index.cells_of(self._index)

    def _rebuild(self, ids: Ids, owners: NDArray[np.int32], vectors: Vectors) -> None:
        """Build a new index of the existing and these vectors, without removed rows."""
        rows = np.flatnonzero(self._owners != _NOBODY)
        if self.kind == "exact":
            kept = self._index.reconstruct_batch(rows) if len(rows) else vectors[:0]
            ivf_index.overwrite(self._index)
        else:
            kept = ivf_index.vectors_of(self._index, rows)
        everything = np.concatenate([kept, vectors]) if len(kept) else vectors
        # Vectors that were stored with 8 bits stay in an inverted file: an exact index could not restore them.
        self.kind = "cells" if self.kind == "cells" else choose_kind(len(everything), self.dimension)
        if self.kind == "exact":
            self._index = faiss.IndexFlatIP(self.dimension)
            self._index.add(everything)
        else:
            self._index = ivf_index.build(everything)
        self._ids, self._owners = np.concatenate([self._ids[rows], ids]), np.concatenate([self._owners[rows], owners])

    def _number(self, student: str) -> int:
        number = self._numbers.get(student)
        if number is None:
            number = self._numbers[student] = len(self._names)
            self._names.append(student)
        return number

    def _checked(self, vectors: Vectors) -> Vectors:
        if vectors.ndim != 2 or vectors.shape[1] != self.dimension:
            raise DimensionMismatch(
                f"These identity vectors have shape {vectors.shape}, but this gallery needs (n, {self.dimension}): "
                f"another network made them. Enroll the students again with the network in use."
            )
        return np.ascontiguousarray(vectors, np.float32)
