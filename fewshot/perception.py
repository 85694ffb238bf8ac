"""One frame to faces with vectors: detect, align, check, embed, identify.

Enrollment, the loop, ``fewshot embed`` and every evaluation call this one chain, so what is enrolled is what is seen.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Protocol

import cv2
import numpy as np

from fewshot.embedding.runtime import Embedder, open_embedder
from fewshot.errors import ModelUnavailable
from fewshot.faces.align import ARCFACE_TEMPLATE, align
from fewshot.faces.any_size import any_size
from fewshot.faces.detections import Detector
from fewshot.faces.following import EVERY, FollowingDetector
from fewshot.faces.identity import Recogniser
from fewshot.faces.open_detector import open_detector
from fewshot.faces.quality import LIVE_LIMITS, Limits, assess
from fewshot.models.files import resolve
from fewshot.types import Face, Frame


class Perceives(Protocol):
    """What others need of a ``Perception``; calls for different frames may run beside each other."""

    @property
    def times(self) -> Mapping[str, float]:
        """Seconds of each stage of the latest call by this thread."""
        ...

    def look(self, frame: Frame) -> list[Face]: ...

    def find(self, frame: Frame) -> list[Face]: ...

    def embed(self, faces: Sequence[Face]) -> None: ...

    def identify(self, frame: Frame, faces: Sequence[Face]) -> None: ...


class Perception:
    """Detector, expression network and identity network behind two calls.

    Args:
        detector: finds boxes and landmarks.
        embedder: gives every readable crop its expression vector.
        recogniser: gives identity vectors; None uses the expression network's second, weaker output.
        limits: what counts as readable.

    Attributes:
        network: fingerprint of the expression network.
        identity_network: name of what makes the identity vectors.
        identity_dimension: of those vectors.
        notes: lines a user should see once, such as "using the built-in detector".
        times: seconds of each stage in the latest calls by this thread.
    """

    def __init__(
        self,
        detector: Detector,
        embedder: Embedder,
        recogniser: Recogniser | None = None,
        limits: Limits = LIVE_LIMITS,
        notes: Sequence[str] = (),
    ) -> None:
        self.detector, self.embedder, self.recogniser, self.limits = detector, embedder, recogniser, limits
        self.network = embedder.network
        self.identity_network = recogniser.name if recogniser else f"{embedder.network}:identity"
        self.identity_dimension = recogniser.dimension if recogniser else embedder.identity_dimension
        self.notes = tuple(notes)
        self._clock = threading.local()

    def look(self, frame: Frame, limits: Limits | None = None) -> list[Face]:
        """All faces of a frame; the readable ones with their expression vector: ``find``, then ``embed``.

        Args:
            frame: BGR, shape (height, width, 3).
            limits: of the quality check, in place of the usual ones (enrollment is stricter).
        """
        faces = self.find(frame, limits)
        found = self.times
        self.embed(faces)
        self.times = {**found, **self.times}
        return faces

    def find(self, frame: Frame, limits: Limits | None = None) -> list[Face]:
        """All faces of a frame with crops and quality, without vectors. May run beside ``embed`` of another frame."""
        start = perf_counter()
        found = self.detector.detect(frame)
        detected = perf_counter()
        # The network sees grey: turning the frame grey once costs less than cutting out three colours of every face.
        crops = align(np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), np.uint8), found.landmarks)
        qualities = assess(frame.shape, found, crops, limits or self.limits)
        faces = [
            Face(box, landmarks, float(score), crop, quality)
            for box, landmarks, score, crop, quality in zip(
                found.boxes, found.landmarks, found.scores, crops, qualities, strict=True
            )
        ]
        self.times = {"detect": detected - start, "align": perf_counter() - detected}
        return faces

    def following(self, every: int = EVERY) -> Perception:
        """The same chain for the frames of one video: between two looks of the detector faces are followed.

        It remembers the frame before: frames must come in their order, one at a time, through ``find``; a picture that
        belongs to no video should go through the chain itself. What else ``find`` does may run beside.

        Args:
            every: frames from one look to the next, at most; 1 looks at every frame.
        """
        detector = FollowingDetector(self.detector, every) if every > 1 else self.detector
        return Perception(detector, self.embedder, self.recogniser, self.limits, self.notes)

    def embed(self, faces: Sequence[Face]) -> None:
        """Fill in ``expression`` of the readable ones among these faces, in one batch."""
        start = perf_counter()
        readable = [face for face in faces if face.quality.ok]
        if readable:
            expression = self.embedder.embed_grey(np.stack([face.crop for face in readable]))
            for face, vector in zip(readable, expression, strict=True):
                face.expression = vector
        self.times = {"embed": perf_counter() - start, "identify": 0.0}

    @property
    def times(self) -> dict[str, float]:
        return getattr(self._clock, "times", {})

    @times.setter
    def times(self, times: dict[str, float]) -> None:
        self._clock.times = times

    def identify(self, frame: Frame, faces: Sequence[Face]) -> None:
        """Fill in ``identity`` of these faces of this frame, in one batch."""
        if not faces:
            return
        start = perf_counter()
        if self.recogniser is None:
            vectors = self.embedder.identify_grey(np.stack([face.crop for face in faces]))
        else:
            crops = align(frame, np.stack([face.landmarks for face in faces]), ARCFACE_TEMPLATE)
            vectors = self.recogniser.encode(crops)
        for face, vector in zip(faces, vectors, strict=True):
            face.identity = vector
        self.times = {**self.times, "identify": self.times.get("identify", 0.0) + perf_counter() - start}


def open_perception(
    detector: str | Detector = "auto",
    *,
    download: bool = True,
    network: Path | None = None,
    recogniser: str = "auto",
    threads: int | None = None,
) -> Perception:
    """The chain with the best parts at hand; ``notes`` says where a weaker one had to do.

    Args:
        detector: "auto", "scrfd", "yunet", "cascade", or an open detector.
        download: whether missing model files may be fetched.
        network: an expression network of your own, an ONNX file; None: ``$FEWSHOT_NETWORK``, or the shipped one.
        recogniser: "auto", "mobilefacenet", or "own" for the expression network's second output.
        threads: of each network, see ``open_session``; 1 where ``find`` and ``embed`` run beside each other.

    Raises:
        ModelUnavailable: a part that was asked for by name cannot be had.
    """
    embedder = open_embedder(network, threads)
    opened = open_detector(detector, download=download, threads=threads) if isinstance(detector, str) else detector
    notes = [opened.note] if getattr(opened, "note", None) else []
    face_recogniser: Recogniser | None = None
    # InsightFace's terms bind its recogniser as well: who chose another detector by name still gets to choose here.
    if recogniser != "own":
        try:
            face_recogniser = Recogniser(resolve("mobilefacenet", download=download), threads)
        except ModelUnavailable:
            if recogniser != "auto":
                raise
            notes.append("No face recogniser here: students are told apart by the built-in network, less surely.")
    return Perception(any_size(opened), embedder, face_recogniser, notes=[note for note in notes if note])
