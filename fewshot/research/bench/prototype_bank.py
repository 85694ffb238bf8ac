"""The prototypes of more students than memory should hold: one block a student in a mapped file, fetched by number."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fewshot.errors import DimensionMismatch, StoreError, UsageError
from fewshot.types import Vectors

Numbers = NDArray[np.int64]


class PrototypeBank:
    """Blocks of prototypes on disk, compared exactly; only the blocks that are asked for come into memory.

    A class reads its prototypes from a ``PrototypeStore``. This is for who serves many schools: the students of a frame
    cost the same among fifty and among a million. Which number is which student is the caller's to know.

    Args:
        path: a file that ``PrototypeBank.create`` made.

    Raises:
        StoreError: it cannot be read, or is no such file.
    """

    def __init__(self, path: str | Path) -> None:
        try:
            self._blocks: NDArray[np.floating] = np.lib.format.open_memmap(Path(path), mode="r+")
        except (OSError, ValueError) as error:
            raise StoreError(f"{path} cannot be read as a prototype bank ({error}). Create it again.") from error
        if self._blocks.ndim != 3 or self._blocks.dtype.kind != "f":
            raise StoreError(
                f"{path} holds an array of shape {self._blocks.shape}, expected (students, width, dimension)."
            )

    @classmethod
    def create(cls, path: str | Path, students: int, width: int, dimension: int, bits: int = 16) -> PrototypeBank:
        """A new file with room for so many students, all blocks empty.

        Args:
            path: one that is there is written over.
            width: prototypes a student may have.
            bits: of a number, 16 or 32.

        Raises:
            UsageError: no number has so many bits, or there is room for nothing.
            StoreError: it cannot be written.
        """
        if bits not in (16, 32) or min(students, width, dimension) < 1:
            raise UsageError(
                f"No bank of {students} x {width} x {dimension} numbers of {bits} bits. Use 16 or 32 bits."
            )
        try:
            blocks = np.lib.format.open_memmap(Path(path), "w+", f"<f{bits // 8}", (students, width, dimension))
            # In pieces, so that filling a large file does not fill the memory.
            for start in range(0, students, 10_000):
                blocks[start : start + 10_000] = np.nan
            blocks.flush()
        except OSError as error:
            raise StoreError(f"{path} could not be written ({error.strerror or error}). Free some space.") from error
        del blocks
        return cls(path)

    def __len__(self) -> int:
        """Students there is room for."""
        return len(self._blocks)

    @property
    def nbytes(self) -> int:
        """Bytes of the file's blocks."""
        return int(self._blocks.nbytes)

    def put(self, students: Numbers, prototypes: Vectors) -> None:
        """Write the prototypes of students.

        Args:
            students: their numbers, shape (n,).
            prototypes: transformed, shape (n, k, dimension) with k <= width; places beyond k are emptied.

        Raises:
            DimensionMismatch: they do not fit.
        """
        if (
            prototypes.ndim != 3
            or prototypes.shape[1] > self._blocks.shape[1]
            or prototypes.shape[2] != self._blocks.shape[2]
        ):
            raise DimensionMismatch(
                f"Prototypes of shape {prototypes.shape} do not fit blocks of {self._blocks.shape[1:]}. Use (n, k, "
                "dimension), k at most the width."
            )
        rows = self._rows(students)
        self._blocks[rows] = np.nan
        self._blocks[rows, : prototypes.shape[1]] = prototypes

    def erase(self, student: int) -> None:
        """Overwrite a student's block, in memory and on the disk."""
        self._blocks[self._rows(np.array([student]))] = np.nan
        self.flush()

    def flush(self) -> None:
        """See that everything written is on the disk."""
        if isinstance(self._blocks, np.memmap):
            self._blocks.flush()

    def distances(self, queries: Vectors, students: Numbers) -> NDArray[np.float32]:
        """Squared Euclidean distances of every face to its own student's prototypes.

        Args:
            queries: transformed, shape (n, dimension).
            students: one number a query, shape (n,).

        Returns:
            Shape (n, width); infinite where a student has no prototype.

        Raises:
            DimensionMismatch: vectors of another network.
            UsageError: a number that no student can have.
        """
        if queries.ndim != 2 or queries.shape[1] != self._blocks.shape[2]:
            raise DimensionMismatch(f"Queries of shape {queries.shape}, expected (n, {self._blocks.shape[2]}).")
        differences = self._blocks[self._rows(students)].astype(np.float32) - queries[:, None, :]
        squared = np.einsum("nkd,nkd->nk", differences, differences)
        return np.where(np.isnan(squared), np.inf, squared).astype(np.float32)

    def _rows(self, students: Numbers) -> Numbers:
        rows = np.asarray(students, np.int64)
        if len(rows) and not (rows.min() >= 0 and rows.max() < len(self)):
            raise UsageError(f"Students are numbered 0 to {len(self) - 1} here, not {rows.min()} to {rows.max()}.")
        return rows
