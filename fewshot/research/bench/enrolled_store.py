"""A store of prototypes straight from a folder of photos, without a class around it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fewshot.perception import Perception
from fewshot.prototypes.store import PrototypeStore
from fewshot.prototypes.supports import SupportSet
from fewshot.research.datasets.single_faces import faces_of


def enrolled_store(photos: Path, perception: Perception) -> PrototypeStore:
    """Enroll every student of ``<photos>/<student>/<emotion>/*``; photos without a face are passed over."""
    store = PrototypeStore(
        perception.embedder.dimension, perception.identity_dimension, perception.network, perception.identity_network
    )
    for folder in sorted(photos.iterdir()):
        paths = sorted(folder.glob("*/*"))
        faces, kept = faces_of(perception, paths)
        vectors = np.stack([face.expression for face in faces if face.expression is not None])
        supports = SupportSet(vectors, [paths[i].parent.name for i in kept], [str(i) for i in kept])
        store.add(folder.name, supports, np.stack([face.identity for face in faces if face.identity is not None]))
    return store
