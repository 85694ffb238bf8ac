"""What flows from the camera to the teacher's screen. Nothing else travels between the packages."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Frame = NDArray[np.uint8]
"""A picture as OpenCV has it: BGR, uint8, shape (height, width, 3)."""

Vectors = NDArray[np.float32]
"""Row vectors, float32, shape (n, dimension)."""

EMOTIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
"""The seven emotions with a population prototype. Any other word is a state of a student's own ("confused")."""


@dataclass(frozen=True, slots=True)
class Quality:
    """Can this face be read at all?

    Attributes:
        size: shorter side of the box, pixels of the source.
        sharpness: 1 for a crisp crop, towards 0 for a blurred one.
        yaw, pitch, roll: head pose in degrees, rough, from the five landmarks; 0 is frontal.
        brightness: mean grey level of the crop, 0..255.
        reasons: in words, why the face cannot be read; empty if it can.
    """

    size: float
    sharpness: float
    yaw: float
    pitch: float
    roll: float
    brightness: float
    reasons: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.reasons


@dataclass(slots=True)
class Face:
    """One face in one frame; every stage adds to it.

    Attributes:
        box: x0, y0, x1, y1 in pixels of the source, clipped to it, float32, shape (4,).
        landmarks: left eye, right eye, nose, left and right mouth corner (as seen in the picture), pixels of the
            source, float32, shape (5, 2).
        score: the detector's, 0..1.
        crop: the aligned crop that the expression network sees, grey uint8, shape (112, 112).
        quality: whether it can be read.
        track: number of the track, never reused within a run; -1 for an untracked picture.
        expression: unit vector of the expression network, float32, shape (d,); None until embedded.
        identity: unit vector of the identity network, float32, shape (k,); None unless it was asked for.
    """

    box: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    score: float
    crop: NDArray[np.uint8]
    quality: Quality
    track: int = -1
    expression: NDArray[np.float32] | None = None
    identity: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What is said about one face in one frame. Uncertain by nature: ``emotion`` None is shown as "unsure".

    Attributes:
        track: number of the track, -1 for an untracked picture.
        box: x0, y0, x1, y1, pixels of the source.
        score: the detector's, 0..1.
        student: key of the student, or None for a stranger or a face not yet identified.
        identity_score: cosine similarity that ``student`` rests on, or the best one that did not suffice; None if
            identity was not looked at.
        emotion: the nearest prototype's, or None (reject option).
        confidence: probability of the nearest prototype's emotion; None if the crop could not be read.
        probabilities: over the seven emotions and this student's own states, sums to 1; {} if it could not be read.
        prototypes: whose prototypes decided: "personal", "class" or "population".
        age: seconds since the crop was embedded that this reading rests on.
    """

    track: int
    box: tuple[float, float, float, float]
    score: float
    student: str | None = None
    identity_score: float | None = None
    emotion: str | None = None
    confidence: float | None = None
    probabilities: dict[str, float] = field(default_factory=dict)
    prototypes: str = "population"
    age: float = 0.0


@dataclass(frozen=True, slots=True)
class FrameResult:
    """One frame of one source.

    Attributes:
        source: the path as given, or the file within a folder.
        index: counts from 0 within the source.
        time: seconds: presentation time (files), since the start (live), 0 (pictures).
        width, height: of the source frame, pixels.
        readings: one a face; empty is legal.
    """

    source: str
    index: int
    time: float
    width: int
    height: int
    readings: tuple[Reading, ...] = ()
