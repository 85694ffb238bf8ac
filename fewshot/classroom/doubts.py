"""Which of the photos just enrolled may lie in the wrong folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from fewshot.prototypes.doubt import opinions
from fewshot.prototypes.population import Population
from fewshot.prototypes.store import PrototypeStore

LOOKS = {"disgust": "disgusted", "fear": "afraid", "surprise": "surprised"}
"""Adjectives of the emotions that are named by a noun."""


def doubts(population: Population, store: PrototypeStore, files: Mapping[str, Path]) -> dict[Path, str]:
    """In words; a photo without doubt is missing.

    Args:
        store: everybody's photos.
        files: hash of a new photo -> its file; others were judged when they were new.
    """
    supports = [store.supports_of(student) for student in store.students()]
    found = {}
    for photos, thought in zip(supports, opinions(population, supports), strict=True):
        for sha256, label, opinion in zip(photos.photos, photos.emotions, thought, strict=True):
            if opinion.doubtful and sha256 in files:
                looks = LOOKS.get(opinion.looks, opinion.looks)
                found[files[sha256]] = f"looks {looks}, and is enrolled as {label}. Is that right?"
    return found
