"""Pictures of known people as vectors, through the whole chain, once for every network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fewshot.checksums import sha256_of
from fewshot.embedding.runtime import Embedder, cache_key, shrunk
from fewshot.errors import UsageError
from fewshot.faces.detectors.scrfd import ScrfdDetector
from fewshot.models.files import REPOSITORY_WEIGHTS, WEIGHTS
from fewshot.perception import Perception
from fewshot.research.datasets.subjects import Picture
from fewshot.research.evaluation.crops import Change, crop_pictures, picture_key, saved
from fewshot.types import Vectors

BATCH = 256


@dataclass(frozen=True, eq=False)
class Embedded:
    """n pictures as one network sees them.

    Attributes:
        pictures: whose they are and what they show, length n.
        vectors: z of the network, shape (n, d); zeros where no face was found.
        features: pooled features of the backbone, not negative, shape (n, f); None unless asked for.
        found: which pictures gave a face, shape (n,).
    """

    pictures: list[Picture]
    vectors: Vectors
    features: NDArray[np.float32] | None
    found: NDArray[np.bool_]

    @property
    def subjects(self) -> list[str]:
        """Who is in each picture."""
        return [picture.student for picture in self.pictures]

    @property
    def emotions(self) -> list[str]:
        """What each picture shows."""
        return [picture.emotion for picture in self.pictures]

    @property
    def sessions(self) -> list[str]:
        """When each picture was taken."""
        return [picture.session for picture in self.pictures]

    def only(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> Embedded:
        """Some of the rows: a mask of shape (n,) or indices."""
        kept = np.arange(len(self.pictures))[rows]
        features = None if self.features is None else self.features[kept]
        return Embedded([self.pictures[row] for row in kept], self.vectors[kept], features, self.found[kept])


def detector_of(shared: Path) -> ScrfdDetector:
    """The detector of every protocol, SCRFD-500M.

    Raises:
        UsageError: its file is not there.
    """
    path = shared / "models/insightface/models/buffalo_sc/det_500m.onnx"
    if not path.is_file():
        raise UsageError(f"No detector at {path}. Name the folder with data and models: shared=PATH.")
    return ScrfdDetector(path)


def embed_pictures(
    chain: Perception,
    pictures: Sequence[Picture],
    root: Path,
    cache_folder: Path,
    features: bool = False,
    change: Change | None = None,
) -> Embedded:
    """Vectors of the largest face of every picture, from the cache if these very pictures were embedded before.

    Args:
        chain: detector and network; its quality limits are not applied.
        pictures: n of them.
        root: folder that ``Picture.path`` starts from.
        cache_folder: where crops and vectors are kept.
        features: also run the backbone (needs torch, and the safetensors file beside the network).
        change: what is done to every picture first.

    Raises:
        UsageError: ``change`` has no name, or the weights are not there.
        FewshotError: a picture cannot be read.
    """
    crops = crop_pictures(chain, pictures, root, cache_folder, change)
    key = picture_key(chain, pictures, root, change)
    found = crops.found
    stored = cache_folder / f"vectors_{key}_{cache_key(chain.embedder)}.npz"
    vectors = kept(stored, lambda: crop_vectors(chain.embedder, crops.grey[found]))
    pooled = None
    if features:
        weights = weights_of(chain.embedder.path)
        stored = cache_folder / f"features_{key}_{chain.network}_{sha256_of(weights)[:8]}.npz"
        pooled = spread(kept(stored, lambda: backbone_features(weights, crops.grey[found])), found)
    return Embedded(list(pictures), spread(vectors, found), pooled, found)


def spread(rows: NDArray[np.float32], found: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Rows (m, d) of the m found pictures at their places among all n, zeros elsewhere: shape (n, d)."""
    full = np.zeros((len(found), rows.shape[1]), np.float32)
    full[found] = rows
    return full


def beside(network: Path, suffix: str) -> Path:
    """The file with this suffix that lies beside an ONNX file of any precision, such as its Population (".json").

    The files of the shipped network lie in two folders, of which only one is part of the installed package.
    """
    path = network.with_name(network.stem.removesuffix("_fp32").removesuffix("_fp16") + suffix)
    folders = [folder.resolve() for folder in (WEIGHTS, REPOSITORY_WEIGHTS)]
    if path.is_file() or network.resolve().parent not in folders:
        return path
    return next((folder / path.name for folder in folders if (folder / path.name).is_file()), path)


def weights_of(network: Path) -> Path:
    """The safetensors file that an ONNX file (of any precision) was exported from.

    Raises:
        UsageError: it is not there.
    """
    path = beside(network, ".safetensors")
    if not path.is_file():
        raise UsageError(
            f"No weights {path} beside {network.name}. They are written by experiments/export.py; those of the shipped "
            "network lie in experiments/weights of a checkout."
        )
    return path


def backbone_features(weights: Path, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Pooled features of the torch network before its projection: grey crops (n, 112, 112) to (n, f)."""
    import torch

    from fewshot.research.training.export import load_state

    network, _ = load_state(weights)
    size, rows = network.config["size"], []
    with torch.inference_mode():
        for start in range(0, max(len(crops), 1), BATCH):
            grey = torch.from_numpy(shrunk(crops[start : start + BATCH], size))
            rows.append(network.pooled(grey.unsqueeze(1).float()).numpy())
    return np.concatenate(rows)


def crop_vectors(embedder: Embedder, crops: NDArray[np.uint8]) -> Vectors:
    """z of grey crops (n, 112, 112), shape (n, d)."""
    starts = range(0, max(len(crops), 1), BATCH)
    return np.concatenate([embedder.embed_grey(crops[start : start + BATCH]) for start in starts])


def kept(stored: Path, make: Callable[[], NDArray[np.float32]]) -> NDArray[np.float32]:
    """The rows of a file of the cache, of any shape; made and kept there the first time."""
    if not stored.is_file():
        saved(stored, rows=make())
    with np.load(stored) as data:
        return np.asarray(data["rows"], np.float32)
