"""The trained network in the running system: crops in, unit vectors out, without torch.

It consists of two files, because they are needed at different times: expression vectors for every face in every frame;
identity vectors only if no face recogniser is installed, and only for some faces. The two may come from different
trainings: each file has the name of its own network.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fewshot.checksums import sha256_of
from fewshot.errors import ModelUnavailable, Note
from fewshot.faces.align import CROP_SIZE
from fewshot.inference.onnx import Engine, Session, choose_engine, open_session
from fewshot.models.files import network_file, resolve
from fewshot.translation import later
from fewshot.types import Vectors

EIGHT_BITS_INSTEAD = later(
    "The engine {engine} uses the 8-bit network, because the network in 32-bit floats, which is faster there, is "
    "missing or damaged."
)


def grey_crops(crops: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Convert BGR crops [n, 112, 112, 3] to grey crops [n, 112, 112], as in the training of the network.

    Raises:
        ValueError: the crops have another shape.
    """
    if len(crops) == 0:
        return np.empty((0, CROP_SIZE, CROP_SIZE), np.uint8)
    if crops.shape[1:] != (CROP_SIZE, CROP_SIZE, 3):
        expected = f"(n, {CROP_SIZE}, {CROP_SIZE}, 3)"
        raise ValueError(f"Crops have the shape {crops.shape}, expected {expected}. For grey crops use embed_grey.")
    # One call for all crops: stacked on top of each other they are one tall picture.
    tall = np.ascontiguousarray(crops).reshape(-1, CROP_SIZE, 3)
    return np.asarray(cv2.cvtColor(tall, cv2.COLOR_BGR2GRAY), np.uint8).reshape(-1, CROP_SIZE, CROP_SIZE)


def shrunk(crops: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Grey crops resized to the input size of a network.

    Args:
        crops: shape (n, 112, 112), or one crop of shape (112, 112).
        size: side length of the input, pixels.

    Returns:
        Shape (n, size, size), or (size, size).
    """
    if crops.shape[-1] == size:
        return crops
    if crops.ndim == 2:
        return np.asarray(cv2.resize(crops, (size, size), interpolation=cv2.INTER_AREA), np.uint8)
    small = np.empty((len(crops), size, size), np.uint8)
    for target, crop in zip(small, crops, strict=True):
        cv2.resize(crop, (size, size), dst=target, interpolation=cv2.INTER_AREA)
    return small


class Embedder:
    """The prototypical network's f_phi (Snell et al. 2017), exported.

    Several threads may call it at the same time.

    Args:
        path: an ONNX file with the output ``expression``, written by ``experiments/export.py``.
        identity: the file with the output ``identity``, opened when it is first used; None uses ``identity.onnx``
            beside ``path``.
        threads: number of threads for one run; None lets ``open_session`` choose.
        engine: see ``open_session``.

    Attributes:
        path: as given.
        engine: name of the engine.
        network: name and fingerprint of the trained weights, the same in every precision. Vectors of different
            networks must never be compared, so stores save it.
        dimension: length of the expression vector.
        note: a note that a user should see once, if a less suitable file is used.

    Raises:
        ModelUnavailable: the file is missing or not such a network.
    """

    note: Note | None = None

    def __init__(
        self, path: Path, identity: Path | None = None, threads: int | None = None, engine: Engine = "auto"
    ) -> None:
        self.path = Path(path)
        self._identity = identity or self.path.with_name("identity.onnx")
        self._options = (threads, engine)
        self._lock = threading.Lock()
        self._session = _open(self.path, "expression", *self._options)
        self._who: Session | None = None
        self.engine = self._session.engine
        properties = self._session.properties
        self.network = fingerprint(self.path, properties)
        self.dimension = int(self._session.get_outputs()[0].shape[1])
        self._size = int(properties.get("size", CROP_SIZE))

    @property
    def has_identity(self) -> bool:
        """Whether the file with the identity output is there."""
        return self._identity.is_file()

    @property
    def identity_dimension(self) -> int:
        """Length k of the identity vector; the identity network is opened.

        Raises:
            ModelUnavailable: the file with this output is missing.
        """
        return int(self._identity_session().get_outputs()[0].shape[1])

    @property
    def identity_network(self) -> str:
        """Name of the network that makes the identity vectors; it is opened if it is there."""
        if not self.has_identity:
            return f"{self.network}:identity"
        return f"{fingerprint(self._identity, self._identity_session().properties)}:identity"

    def embed(self, crops: NDArray[np.uint8]) -> Vectors:
        """Expression vectors, float32 rows of length 1, shape (n, dimension).

        Args:
            crops: BGR in the framing of ``EXPRESSION_TEMPLATE``, shape (n, 112, 112, 3); n may be 0.
        """
        return self.embed_grey(grey_crops(crops))

    def embed_grey(self, crops: NDArray[np.uint8]) -> Vectors:
        """``embed`` for crops that are grey already, shape (n, 112, 112)."""
        if len(crops) == 0:
            return np.empty((0, self.dimension), np.float32)
        return np.asarray(self._session.run(["expression"], {"crops": shrunk(crops, self._size)})[0], np.float32)

    def identify(self, crops: NDArray[np.uint8]) -> Vectors:
        """Identity vectors of crops as ``embed`` takes them, float32 rows of length 1, shape (n, identity_dimension).

        Raises:
            ModelUnavailable: the file with this output is missing.
        """
        return self.identify_grey(grey_crops(crops))

    def identify_grey(self, crops: NDArray[np.uint8]) -> Vectors:
        """``identify`` for crops that are grey already, shape (n, 112, 112)."""
        if len(crops) == 0:
            return np.empty((0, self.identity_dimension), np.float32)
        small = shrunk(crops, self._size)
        return np.asarray(self._identity_session().run(["identity"], {"crops": small})[0], np.float32)

    def _identity_session(self) -> Session:
        with self._lock:
            if self._who is None:
                self._who = self._open_identity()
            return self._who

    def _open_identity(self) -> Session:
        if not self._identity.is_file():
            raise ModelUnavailable(
                later(
                    "There is no face recogniser on this machine, and no {network} that could recognise people "
                    "instead. Export the network again with experiments/export.py.",
                    network=self._identity,
                ),
                hint="Or download the face recogniser. Type: fewshot models pull",
            )
        return _open(self._identity, "identity", *self._options)


def cache_key(embedder: Embedder) -> str:
    """A key for cached vectors: network, file and engine, because precisions and engines differ slightly."""
    return f"{embedder.network}_{sha256_of(embedder.path)[:8]}_{embedder.engine.replace(' ', '_')}"


def fingerprint(path: Path, properties: Mapping[str, str]) -> str:
    """The network's name in the file, as written by the exporter; without one, a name computed from the content."""
    written = properties.get("network")
    return written or f"{properties.get('backbone', path.stem)}-{sha256_of(path)[:12]}"


def _open(path: Path, output: str, threads: int | None, engine: Engine) -> Session:
    """Open one of the two files.

    Raises:
        ModelUnavailable: the file is missing or has another output.
    """
    if not path.is_file():
        raise ModelUnavailable(
            later("There is no network {path}. Expected an ONNX file made by experiments/export.py.", path=path)
        )
    session = open_session(path, threads, engine, fast=True)
    names = [port.name for port in session.get_outputs()]
    if names != [output]:
        raise ModelUnavailable(
            later(
                "{path} has the outputs {names}, expected only {output!r}. Export it again with experiments/export.py.",
                path=path,
                names=names,
                output=output,
            )
        )
    return session


def open_embedder(path: Path | None = None, threads: int | None = None, engine: Engine = "auto") -> Embedder:
    """Open the network at ``path`` or ``$FEWSHOT_NETWORK``, or the shipped one in the best precision for the engine.

    The file in 32-bit floats is not part of the wheel. If it is missing, a graphics card uses the 8-bit file, and the
    embedder has a ``note``.

    Raises:
        UsageError: there is no file at ``path``.
        ModelUnavailable: the file is not such a network, or the engine is not available.
    """
    given, chosen = network_file(path), choose_engine(engine).engine
    if given is not None:
        return Embedder(given, None, threads, engine)
    # Processors are fastest with 8-bit integers; graphics cards and Apple's chips gain nothing from them.
    if chosen in ("onnxruntime", "openvino"):
        return Embedder(resolve("expression"), None, threads, engine)
    try:
        network, note = resolve("expression_fp32"), None
    except ModelUnavailable:
        network, note = resolve("expression"), _eight_bits_instead(chosen)
    # The 32-bit file is in another folder than the file with the identity output.
    embedder = Embedder(network, resolve("identity"), threads, engine)
    embedder.note = note
    return embedder


def _eight_bits_instead(engine: str) -> Note:
    return Note(later(EIGHT_BITS_INSTEAD, engine=engine), "To see how to get it, type: fewshot models list")
