"""Which photos of a class may be enrolled under a wrong emotion."""

from __future__ import annotations

from fewshot.prototypes.doubt import opinions
from fewshot.prototypes.population import Population
from fewshot.prototypes.store import PrototypeStore


def doubts(population: Population, store: PrototypeStore) -> dict[str, str]:
    """Hash of each photo whose label the others do not believe -> the emotion it looks like."""
    supports = [store.supports_of(student) for student in store.students()]
    return {
        sha256: opinion.looks
        for photos, thought in zip(supports, opinions(population, supports), strict=True)
        for sha256, opinion in zip(photos.photos, thought, strict=True)
        if opinion.doubtful
    }
