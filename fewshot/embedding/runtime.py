"""The trained network as the running system uses it: crops in, unit vectors out, ONNX Runtime alone."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fewshot.errors import ModelUnavailable
from fewshot.faces.align import CROP_SIZE
from fewshot.faces.onnx import open_session
from fewshot.models import resolve
from fewshot.types import Vectors


def grey_crops(crops: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """BGR crops [n, 112, 112, 3] as the grey pictures [n, 112, 112] that the network was trained on."""
    if len(crops) == 0:
        return np.empty((0, CROP_SIZE, CROP_SIZE), np.uint8)
    # One call for the whole stack: rows of all crops under each other are one tall picture.
    tall = np.ascontiguousarray(crops).reshape(-1, CROP_SIZE, 3)
    return np.asarray(cv2.cvtColor(tall, cv2.COLOR_BGR2GRAY), np.uint8).reshape(-1, CROP_SIZE, CROP_SIZE)


class Embedder:
    """The prototypical network's f_phi (Snell et al. 2017), exported.

    Args:
        path: an ONNX file written by ``experiments/export.py``.
        threads: of ONNX Runtime; None lets it choose.

    Attributes:
        network: name and fingerprint of the weights. Vectors of different networks must never meet, so stores keep it.
        dimension: of the expression vector.
        identity_dimension: of the identity vector.

    Raises:
        ModelUnavailable: the file is missing or not such a network.
    """

    def __init__(self, path: Path, threads: int | None = None) -> None:
        try:
            model = Path(path).read_bytes()
            self._session = open_session(Path(path), threads)
        except Exception as error:  # ONNX Runtime raises a family of its own that it does not export
            raise ModelUnavailable(
                f"The expression network {path} cannot be loaded ({error}). Expected an ONNX file made by "
                "experiments/export.py. Run: fewshot models verify"
            ) from error
        outputs = {output.name: output.shape for output in self._session.get_outputs()}
        if set(outputs) != {"expression", "identity"}:
            raise ModelUnavailable(
                f"{path} has the outputs {sorted(outputs)}, expected 'expression' and 'identity'. "
                "Export it again with experiments/export.py."
            )
        name = self._session.get_modelmeta().custom_metadata_map.get("backbone", Path(path).stem)
        self.network = f"{name}-{hashlib.sha256(model).hexdigest()[:12]}"
        self.dimension = int(outputs["expression"][1])
        self.identity_dimension = int(outputs["identity"][1])

    def embed(self, crops: NDArray[np.uint8]) -> tuple[Vectors, Vectors]:
        """Embed expression crops.

        Args:
            crops: BGR in the framing of ``EXPRESSION_TEMPLATE``, shape (n, 112, 112, 3); n may be 0.

        Returns:
            (expression, shape (n, dimension); identity, shape (n, identity_dimension)), float32 rows of length 1.
        """
        return self.embed_grey(grey_crops(crops))

    def embed_grey(self, crops: NDArray[np.uint8]) -> tuple[Vectors, Vectors]:
        """``embed`` for crops that are grey already, shape (n, 112, 112)."""
        if len(crops) == 0:
            return np.empty((0, self.dimension), np.float32), np.empty((0, self.identity_dimension), np.float32)
        expression, identity = self._session.run(["expression", "identity"], {"crops": crops})
        return expression, identity


def open_embedder(path: Path | None = None) -> Embedder:
    """The network at ``path``, or the one that ships with the package."""
    return Embedder(resolve("expression", path))
