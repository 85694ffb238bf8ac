"""The data types that flow from the camera to the teacher's screen; the packages exchange only these."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Frame = NDArray[np.uint8]
"""A picture as OpenCV has it: BGR, uint8, shape (height, width, 3)."""

Vectors = NDArray[np.float32]
"""Row vectors, float32, shape (n, dimension)."""

EMOTIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
"""The seven emotions with a population prototype. Any other word is a student's own state ("confused")."""


@dataclass(frozen=True, slots=True)
class Quality:
    """The quality of a face, and whether the face is readable (good enough to be classified).

    Attributes:
        size: shorter side of the box, pixels of the source.
        sharpness: 1 for a crisp crop, towards 0 for a blurred one.
        yaw, pitch, roll: head pose in degrees, rough, from the five landmarks; 0 is frontal.
        brightness: mean grey level of the crop, 0..255.
        reasons: in words, why the face is not readable; empty if it is.
        recognisable: whether a face that is not readable is still good enough to recognise the student.
    """

    size: float
    sharpness: float
    yaw: float
    pitch: float
    roll: float
    brightness: float
    reasons: tuple[str, ...] = ()
    recognisable: bool = False

    @property
    def identifiable(self) -> bool:
        """Whether the student can be recognised: expression and identity have limits of their own."""
        return self.ok or self.recognisable

    @property
    def ok(self) -> bool:
        """Whether the face is readable."""
        return not self.reasons


@dataclass(slots=True)
class Face:
    """One face in one frame; every stage adds to it.

    Attributes:
        box: x0, y0, x1, y1 in pixels of the source, clipped to it, float32, shape (4,).
        landmarks: left eye, right eye, nose, left and right mouth corner (as seen in the picture), pixels of the
            source, float32, shape (5, 2).
        score: the detector's, 0..1.
        crop: the aligned crop for the expression network, grey uint8, shape (112, 112).
        quality: whether the face is readable.
        track: number of the track, never reused within a run; -1 for an untracked picture.
        expression: unit vector of the expression network, float32, shape (d,); None until embedded.
        identity: unit vector of the identity network, float32, shape (k,); None unless it was requested.
        person: number of a person who is not enrolled, see ``Reading``.
        named_by: what named the student, see ``Reading``; "" if nothing was said about it.
        doubt: see ``Reading``.
    """

    box: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    score: float
    crop: NDArray[np.uint8]
    quality: Quality
    track: int = -1
    expression: NDArray[np.float32] | None = None
    identity: NDArray[np.float32] | None = None
    person: int | None = None
    named_by: str = ""
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """The result for one face in one frame. Readings are uncertain: ``emotion`` None is shown as "unsure".

    Attributes:
        track: number of the track, -1 for an untracked picture.
        box: x0, y0, x1, y1, pixels of the source.
        score: the detector's, 0..1.
        student: key of the student; None for a stranger or a face that is not identified yet.
        identity_score: cosine similarity to ``student``, or the best one if it was too low; None if the identity was
            not checked.
        emotion: the predicted emotion; None if the reject option applies.
        confidence: probability of the most probable emotion; None if the face is not readable.
        probabilities: over the seven emotions and this student's own states, sums to 1; {} if it is not readable.
        prototypes: kind of prototypes that were used: "personal", "class" or "population".
        age: seconds since the crop of this reading was embedded.
        reasons: in words, why the face is not readable; empty if it is.
        person: number of a person who is not enrolled, from 1, the same in all tracks of this run that show the person;
            None for a student, and until the person is known well enough.
        named_by: what ``student`` rests on: "face", or "label" for the name that a video call writes on the tile; ""
            without a student.
        doubt: in words, why a face that could have a name has none; "" if nothing speaks against its name.
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
    reasons: tuple[str, ...] = ()
    person: int | None = None
    named_by: str = ""
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class FrameResult:
    """One frame of one source.

    Attributes:
        source: the path as given, or the file within a folder.
        index: counts from 0 within the source.
        time: seconds: presentation time (files), since the start (live), 0 (pictures).
        width, height: of the source frame, pixels.
        readings: one reading per face; may be empty.
    """

    source: str
    index: int
    time: float
    width: int
    height: int
    readings: tuple[Reading, ...] = ()
