"""Finds the faces of a frame and computes their vectors: detect, align, check quality, embed, identify.

Enrollment, the loop, ``fewshot embed`` and all evaluations use this same chain, so their vectors can be compared.
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
from fewshot.errors import ModelMissing, Note
from fewshot.faces.align import ARCFACE_TEMPLATE, align
from fewshot.faces.any_size import AnySizeDetector, any_size
from fewshot.faces.detections import Detector
from fewshot.faces.following import EVERY, FollowingDetector
from fewshot.faces.identity import Recogniser
from fewshot.faces.light import face_levels, in_good_light
from fewshot.faces.open_detector import open_detector
from fewshot.faces.quality import LIVE_LIMITS, Limits, assess
from fewshot.models.files import resolve
from fewshot.translation import later
from fewshot.types import Face, Frame


class Perceives(Protocol):
    """The interface of a ``Perception``. Calls for different frames may run in parallel."""

    @property
    def times(self) -> Mapping[str, float]:
        """Seconds of each stage of the latest call by this thread."""
        ...

    def look(self, frame: Frame) -> list[Face]: ...

    def find(self, frame: Frame) -> list[Face]: ...

    def embed(self, faces: Sequence[Face]) -> None: ...

    def identify(self, frame: Frame, faces: Sequence[Face]) -> None: ...


class Perception:
    """Combines detector, expression network and identity network.

    Args:
        detector: finds boxes and landmarks.
        embedder: computes the expression vectors of readable faces.
        recogniser: computes identity vectors; None uses the expression network's second, weaker output.
        limits: limits for a readable face.
        notes: see below.

    Attributes:
        network: fingerprint of the expression network.
        identity_network: name of the network that makes the identity vectors.
        notes: notes that a user should see once, for example that a weaker detector is used.
        times: seconds of each stage in the latest call by this thread.
        shared: the chain whose models these are, if another one opened them (``SharedModels``).
    """

    shared: Perception | None = None

    def __init__(
        self,
        detector: Detector,
        embedder: Embedder,
        recogniser: Recogniser | None = None,
        limits: Limits = LIVE_LIMITS,
        notes: Sequence[Note] = (),
    ) -> None:
        self.detector, self.embedder, self.recogniser, self.limits = detector, embedder, recogniser, limits
        self.network = embedder.network
        self.identity_network = recogniser.name if recogniser else embedder.identity_network
        self.notes = tuple(notes)
        self._clock = threading.local()

    @property
    def can_identify(self) -> bool:
        """Whether there is a network for identity vectors: without a recogniser, your own network may have none."""
        return self.recogniser is not None or self.embedder.has_identity

    @property
    def identity_dimension(self) -> int:
        """Length of the identity vectors.

        Raises:
            ModelUnavailable: there is no network for identity vectors.
        """
        return self.recogniser.dimension if self.recogniser else self.embedder.identity_dimension

    def look(self, frame: Frame, limits: Limits | None = None) -> list[Face]:
        """All faces of a frame, the readable ones with expression vectors: ``find``, then ``embed``.

        Args:
            frame: BGR, shape (height, width, 3).
            limits: limits for a readable face; None uses the default limits of this chain.
        """
        faces = self.find(frame, limits)
        found = self.times
        self.embed(faces)
        self.times = {**found, **self.times}
        return faces

    def find(self, frame: Frame, limits: Limits | None = None) -> list[Face]:
        """All faces of a frame with crops and quality, without vectors. May run in parallel with ``embed``."""
        start = perf_counter()
        # The network needs grey crops, and faces are followed in grey: converting the frame once is faster than
        # cropping and shrinking three colours.
        grey = np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), np.uint8)
        if isinstance(self.detector, FollowingDetector):
            found = self.detector.detect(frame, grey)
        else:
            found = self.detector.detect(frame)
        detected = perf_counter()
        crops = align(grey, found.landmarks)
        levels = face_levels(crops)
        qualities = assess(frame.shape, found, crops, limits or self.limits, levels)
        faces = [
            Face(box, landmarks, float(score), crop, quality)
            for box, landmarks, score, crop, quality in zip(
                found.boxes, found.landmarks, found.scores, in_good_light(crops, levels), qualities, strict=True
            )
        ]
        self.times = {"detect": detected - start, "align": perf_counter() - detected}
        return faces

    def following(self, every: int = EVERY) -> Perception:
        """The same chain for the frames of one video: between two detection passes the faces are followed.

        It remembers the frame before, so its ``find`` needs the frames in order, one at a time. For single pictures use
        the original chain. The other methods may run in parallel.

        Args:
            every: largest number of frames from one detection pass to the next; 1 runs the detector in every frame.
        """
        rested = self.detector.for_video() if isinstance(self.detector, AnySizeDetector) else self.detector
        detector = FollowingDetector(rested, every) if every > 1 else rested
        return Perception(detector, self.embedder, self.recogniser, self.limits, self.notes)

    def embed(self, faces: Sequence[Face]) -> None:
        """Set ``expression`` of the readable faces, in one batch."""
        start = perf_counter()
        readable = [face for face in faces if face.quality.ok]
        if readable:
            expression = self.embedder.embed_grey(np.stack([face.crop for face in readable]))
            for face, vector in zip(readable, expression, strict=True):
                face.expression = vector
        self.times = {"embed": perf_counter() - start, "identify": 0.0}

    @property
    def times(self) -> dict[str, float]:
        """Seconds of each stage in the latest frame of this thread."""
        return getattr(self._clock, "times", {})

    @times.setter
    def times(self, times: dict[str, float]) -> None:
        self._clock.times = times

    def identify(self, frame: Frame, faces: Sequence[Face]) -> None:
        """Set ``identity`` of these faces of this frame, in one batch."""
        if not faces:
            return
        start = perf_counter()
        if self.recogniser is None:
            vectors = self.embedder.identify_grey(np.stack([face.crop for face in faces]))
        else:
            crops = align(frame, np.stack([face.landmarks for face in faces]), ARCFACE_TEMPLATE)
            vectors = self.recogniser.encode(in_good_light(crops))
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
    """Open the chain with the best models on this machine; ``notes`` names weaker models that are used instead.

    Args:
        detector: "auto", "scrfd", "yunet", "cascade", or an open detector.
        download: whether missing model files may be downloaded.
        network: your own expression network, an ONNX file; None: ``$FEWSHOT_NETWORK``, or the shipped network.
        recogniser: "auto", "mobilefacenet", or "own" for the expression network's second output.
        threads: threads for each network, see ``open_session``; 1 if ``find`` and ``embed`` run in parallel.

    Raises:
        ModelMissing: a model that was requested by name is missing and cannot be downloaded.
        ModelUnavailable: a model is there but does not load.
    """
    embedder = open_embedder(network, threads)
    opened = open_detector(detector, download=download, threads=threads) if isinstance(detector, str) else detector
    notes = [part.note for part in (embedder, opened) if getattr(part, "note", None)]
    face_recogniser: Recogniser | None = None
    # InsightFace's licence also applies to its recogniser, so the recogniser is chosen separately from the detector.
    if recogniser != "own":
        try:
            file = resolve("mobilefacenet", download=download)
        except ModelMissing:
            if recogniser != "auto":
                raise
            notes.append(
                Note(
                    later(
                        "The face recogniser is not on this computer. The built-in network recognises students "
                        "instead, but less reliably."
                    ),
                    "To download it, type: fewshot models pull",
                )
            )
        else:
            # A file that is there and does not load is an error: a new class would keep the weaker network for good.
            face_recogniser = Recogniser(file, threads)
    return Perception(any_size(opened), embedder, face_recogniser, notes=[note for note in notes if note])
