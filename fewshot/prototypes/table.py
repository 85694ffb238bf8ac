"""Prototypes of a class as arrays, for analysis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fewshot.errors import UsageError
from fewshot.prototypes.classifier import Classifier
from fewshot.prototypes.estimators import Level
from fewshot.prototypes.population import Population
from fewshot.prototypes.space import squared_distances
from fewshot.prototypes.store import PrototypeStore
from fewshot.types import Vectors

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, eq=False)
class PrototypeTable:
    """Prototypes, one per row.

    Attributes:
        students: student of each prototype; None for a prototype of the whole class. Length n.
        labels: emotion or state of each prototype. Length n.
        vectors: in the space of ``Population.transform``, float32, shape (n, d).
        shots: number of photos behind each prototype; a fraction if it includes unlabelled photos. Shape (n,).
        levels: "personal", "class" or "population": whose photos were used. Length n.
        distances: squared Euclidean distance of every prototype to every other one, float32, shape (n, n).
        network: the network that made the vectors.
    """

    students: list[str | None]
    labels: list[str]
    vectors: Vectors
    shots: NDArray[np.float64]
    levels: list[Level]
    distances: NDArray[np.float32]
    network: str
    _population: Population

    @classmethod
    def of(cls, store: PrototypeStore | None, population: Population, student: str | None = None) -> PrototypeTable:
        """All prototypes of a class, or those of one student (the class's prototypes if the student has none)."""
        sets = Classifier(population, store).prototype_sets()
        wanted = {student: sets.get(student, sets[None])} if student is not None else sets
        rows = [(who, row) for who, one in wanted.items() for row in one.rows]
        vectors = np.concatenate([one.matrix for one in wanted.values()])
        return cls(
            [who for who, _ in rows],
            [row.emotion for _, row in rows],
            vectors,
            np.array([row.shots for _, row in rows], np.float64),
            [row.level for _, row in rows],
            squared_distances(vectors, vectors),
            population.network,
            population,
        )

    def __len__(self) -> int:
        return len(self.labels)

    def distances_to(self, expressions: Vectors) -> NDArray[np.float32]:
        """Squared distances of expression vectors to every prototype, as used in classification.

        Args:
            expressions: ``Face.expression`` of m faces, shape (m, d).

        Returns:
            Shape (m, n).

        Raises:
            DimensionMismatch: another network made the vectors.
        """
        return squared_distances(self._population.transform(expressions), self.vectors)

    def to_pandas(self) -> pandas.DataFrame:
        """One row per prototype: student, label, shots, level, and the numbers of its vector (v0, v1, ...).

        Raises:
            UsageError: pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise UsageError("A DataFrame needs pandas.", hint="Type: pip install pandas") from error
        head = {"student": self.students, "label": self.labels, "shots": self.shots, "level": self.levels}
        numbers = {f"v{k}": self.vectors[:, k] for k in range(self.vectors.shape[1])}
        return pd.DataFrame({**head, **numbers})
