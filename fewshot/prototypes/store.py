"""The support sets and identity references of a class, and the prototypes computed from them."""

from __future__ import annotations

import numpy as np

from fewshot.errors import DimensionMismatch, StoreError, UsageError
from fewshot.prototypes.estimators import Prototype, fit_class
from fewshot.prototypes.index import PrototypeIndex, PrototypeSet, Row
from fewshot.prototypes.population import Population
from fewshot.prototypes.supports import SupportSet
from fewshot.translation import later
from fewshot.types import Vectors


class PrototypeStore:
    """Support vectors and identity references of students, and the prototypes computed from them.

    Every prototype depends on the whole class. So every change of a student deletes all prototypes, and ``rebuild``
    computes them again. Nothing of a removed student stays in memory. Only the database is permanent.
    """

    def __init__(self, dimension: int, identity_dimension: int, network: str, identity_network: str = "") -> None:
        """Start an empty store.

        Args:
            dimension: length d of the expression vectors.
            identity_dimension: length k of the identity vectors.
            network: name and hash of the expression network.
            identity_network: name and hash of the identity network.
        """
        self.dimension = dimension
        self.identity_dimension = identity_dimension
        self.network = network
        self.identity_network = identity_network
        self.built_with = ""
        self._supports: dict[str, SupportSet] = {}
        self._identities: dict[str, Vectors] = {}
        self._index = PrototypeIndex(dimension)

    def students(self) -> list[str]:
        """Keys of all students, in the order in which they were added."""
        return list(self._supports)

    def add(self, student: str, supports: SupportSet, identities: Vectors) -> int:
        """Enroll a student, or add photos to one; existing photos are not added again.

        Args:
            student: key; it has no meaning here.
            supports: photos as vectors.
            identities: identity references, unit vectors, shape (m, k).

        Returns:
            Number of new photos.

        Raises:
            DimensionMismatch: another network made the vectors.
        """
        self._check(supports, identities)
        before, known = self.supports_of(student), self.identities_of(student)
        merged = before.plus(supports)
        new = [row for row in np.asarray(identities, np.float32) if not (known == row).all(axis=1).any()]
        self._supports[student] = merged
        self._identities[student] = np.concatenate([known, np.reshape(new, (-1, self.identity_dimension))])
        self._outdate()
        return len(merged) - len(before)

    def replace(self, student: str, supports: SupportSet, identities: Vectors) -> None:
        """Replace the supports and references of a student; an unknown student is added.

        Args:
            student: key of the student.
            supports: photos with their vectors, shape (n, d).
            identities: identity references, shape (m, k).

        Raises:
            DimensionMismatch: another network made the vectors.
        """
        self._check(supports, identities)
        self._supports[student] = SupportSet.empty(self.dimension).plus(supports)
        self._identities[student] = np.array(identities, np.float32)
        self._outdate()

    def remove(self, student: str) -> None:
        """Remove a student.

        Raises:
            UsageError: there is no such student.
        """
        if student not in self._supports:
            known = ", ".join(self._supports) or "none"
            raise UsageError(
                later(
                    "There is no student {student!r} in this class. Enrolled students: {known}.",
                    student=student,
                    known=known,
                )
            )
        del self._supports[student], self._identities[student]
        self._index.retire(student)
        self._outdate()

    def supports_of(self, student: str) -> SupportSet:
        """Support set of a student; empty for an unknown student."""
        return self._supports.get(student, SupportSet.empty(self.dimension))

    def identities_of(self, student: str) -> Vectors:
        """Identity references of a student, shape (m, k); empty for an unknown student."""
        return self._identities.get(student, np.zeros((0, self.identity_dimension), np.float32))

    def identity_references(self) -> tuple[list[str], Vectors]:
        """All identity references: (student of each row, length m; vectors, shape (m, k))."""
        keys = [student for student, vectors in self._identities.items() for _ in vectors]
        return keys, np.concatenate([np.zeros((0, self.identity_dimension), np.float32), *self._identities.values()])

    def photos(self) -> dict[str, str]:
        """Hash of every enrolled photo -> the student it belongs to."""
        return {photo: student for student, supports in self._supports.items() for photo in supports.photos}

    def rebuild(self, population: Population) -> None:
        """Estimate all prototypes again: those of the class (student None), then those of every student.

        Raises:
            StoreError: another network embedded the photos.
        """
        self.require(network=population.network)
        if not any(map(len, self._supports.values())):
            self._index.fill([], self.network, population.variances)
        else:
            model = fit_class(population, list(self._supports.values()))
            made: list[tuple[str | None, Prototype]] = [(None, prototype) for prototype in model.prototypes()]
            for (student, supports), trust in zip(self._supports.items(), model.trusts, strict=True):
                made += [(student, prototype) for prototype in model.prototypes(supports, trust, member=True)]
            self._index.fill(made, self.network, population.variances)
        self.built_with = population.fingerprint

    def prototypes_of(self, student: str | None) -> PrototypeSet | None:
        """Prototypes of one student, or of the class (None). Returns None if there are none since the last change."""
        return self._index.of(student)

    def rows(self) -> dict[int, Row]:
        """Id -> description of the prototype."""
        return dict(self._index.rows)

    @property
    def index(self) -> PrototypeIndex:
        """The prototypes in FAISS; valid until the next change."""
        return self._index

    def require(self, network: str | None = None, identity_network: str | None = None) -> None:
        """Check that these networks made the vectors; None is not checked.

        Raises:
            StoreError: another network made them.
        """
        pairs = (
            (later("expression"), self.network, network),
            (later("identity"), self.identity_network, identity_network),
        )
        for kind, stored, wanted in pairs:
            if wanted is not None and wanted != stored:
                raise StoreError(
                    later(
                        "These students were enrolled with the {kind} network {before!r}, but {now!r} is in use "
                        "now. Their vectors cannot be compared. Enroll the class again from its photos.",
                        kind=kind,
                        before=stored,
                        now=wanted,
                    )
                )

    def _outdate(self) -> None:
        self._index.clear()
        self.built_with = ""

    def _check(self, supports: SupportSet, identities: Vectors) -> None:
        shapes = (
            (supports.vectors, self.dimension, later("expression")),
            (identities, self.identity_dimension, later("identity")),
        )
        for vectors, dimension, kind in shapes:
            if vectors.ndim != 2 or vectors.shape[1] != dimension:
                raise DimensionMismatch(
                    later(
                        "These {kind} vectors have shape {shape}, but this store needs (n, {dimension}): another "
                        "network made them. Enroll the class again with the network in use.",
                        kind=kind,
                        shape=vectors.shape,
                        dimension=dimension,
                    )
                )
