"""Ways to read a vector as one of the fixed classes: learned class vectors, and the runtime's prototypes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fewshot.errors import FewshotError
from fewshot.prototypes.population import Population
from fewshot.prototypes.space import squared_distances
from fewshot.types import Vectors

RUNTIME = "runtime prototypes"
NEAREST = "nearest learned class vector"
WITH_PRIOR = "learned class vectors, training prior"


@dataclass(frozen=True, eq=False)
class Reader:
    """Logits from vectors.

    Attributes:
        name: in tables.
        logits: z (n, d) to (n, k), larger is nearer.
    """

    name: str
    logits: Callable[[Vectors], NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class ClassVectors:
    """One head of the training: unit class vectors, how sharp they are, and how frequent each class was.

    Attributes:
        weight: unit rows, shape (k, d).
        scale: inverse temperature of the training.
        prior: log frequencies that training added to its logits, shape (k,); zeros if it added none.
    """

    weight: Vectors
    scale: float
    prior: NDArray[np.float64]

    def logits(self, vectors: Vectors, with_prior: bool, classes: int) -> NDArray[np.float64]:
        """-scale |z - p|^2, plus the prior if asked, of the first ``classes``: shape (n, classes)."""
        near = -self.scale * squared_distances(vectors, self.weight[:classes]).astype(np.float64)
        return near + self.prior[:classes] if with_prior else near

    def readers(self, classes: int) -> list[Reader]:
        """With the frequencies of the training data, and without: the nearest class vector."""
        readers = [Reader(NEAREST, lambda z: self.logits(z, False, classes))]
        if self.prior.any():
            readers.insert(0, Reader(WITH_PRIOR, lambda z: self.logits(z, True, classes)))
        return readers


def class_vectors(weights: Path, head: str) -> ClassVectors:
    """The head "votes" (8 classes of FER+) or "labels" (7 of FER2013) that was stored with a network.

    Raises:
        FewshotError: the file has no such head.
    """
    from safetensors import safe_open

    with safe_open(str(weights), framework="numpy") as stored:
        # A file is no dict: it has to be asked for its keys.
        arrays = {key: stored.get_tensor(key) for key in stored.keys() if key.startswith(head)}  # noqa: SIM118
    if f"{head}.weight" not in arrays:
        raise FewshotError(f"{weights} has no {head}.weight. Export the network again with experiments/export.py.")
    weight = arrays[f"{head}.weight"].astype(np.float32)
    weight /= np.linalg.norm(weight, axis=1, keepdims=True)
    prior = arrays.get(f"{head}_prior", np.zeros(len(weight))).astype(np.float64)
    return ClassVectors(weight, float(np.exp(arrays[f"{head}.log_scale"].astype(np.float64))), prior)


def runtime_reader(population: Population) -> Reader:
    """What the running system does with a stranger: minus the squared distance to each population prototype."""

    def logits(vectors: Vectors) -> NDArray[np.float64]:
        return -squared_distances(population.transform(vectors), population.prototypes).astype(np.float64)

    return Reader(RUNTIME, logits)
