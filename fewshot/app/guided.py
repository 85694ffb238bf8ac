"""Guided enrollment: half a minute with the camera, prompt by prompt; the program chooses the best frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fewshot.classroom.photo_perception import CLEAR_SUBJECT
from fewshot.faces.boxes import face_area
from fewshot.translation import later
from fewshot.types import EMOTIONS, Face, Frame, Vectors
from fewshot.unit_vectors import unit_rows

Shares = Sequence[dict[str, float]]

KEEP = 3
"""Pictures that are offered per prompt."""
APART = 0.6
"""Least number of seconds between two of them, because neighbouring frames add nothing new."""
PROBABLE = 0.25
"""A picture matches a state of the student's own if its distance from neutral, see ``fit_of``, is at least this."""
SHARPEST, FRONTAL = 1.0, 22.0
OVAL = (0.5, 0.48, 0.66)
"""Where the face should be: middle across and down, and height, as shares of the picture's width and height."""
FAR, NEAR, ASIDE = 0.22, 0.66, 0.2
"""Least and most height of a face's box, and how far its middle may be from the oval's, as shares of the picture."""
DIM, GLARE, STILL = 50.0, 215.0, 0.25
"""Mean grey levels of a face below and above which the light should change; sharpness below which it moves too fast."""
# The hints are translated where they are shown: the guide runs in a thread of its own.
CLOSER, FURTHER = later("Closer, please."), later("Further away, please.")
INTO_THE_OVAL = later("Move your face into the oval.")
MORE_LIGHT, LESS_LIGHT = later("More light on your face, please."), later("Less light on your face, please.")
LOOK_HERE, HOLD_STILL = later("Look here, into the camera."), later("Hold still.")
UPRIGHT = later("Hold your head upright.")
RELAX = later("Relax your face, as when you listen.")
MORE = later("A little more, so that it differs clearly from your usual face.")
_HINTS = {
    "face too small": CLOSER, "face cut off": INTO_THE_OVAL, "too blurred": HOLD_STILL, "face turned": LOOK_HERE,
    "head tilted": UPRIGHT, "face upside down": UPRIGHT, "too dark": MORE_LIGHT, "too little contrast": MORE_LIGHT,
    "too bright": LESS_LIGHT,
}  # fmt: skip
_MOST = 40
_GET_READY = 1.5


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the student should do, for how many seconds, and the state that the pictures will show."""

    state: str
    words: str
    seconds: float = 7.0


PROMPTS = (
    Prompt("neutral", later("Look at the camera as you usually do.")),
    Prompt("happy", later("Smile.")),
    Prompt("surprise", later("Look surprised.")),
    Prompt("confused", later("Look as if you do not understand.")),
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A picture that may be enrolled.

    Attributes:
        picture: head and shoulders, BGR.
        time: seconds, when it was taken.
        score: the larger the better; high for sharp, frontal, large faces that match the prompt.
        fit: probability of the prompt's expression, 0..1; for a student's own state, how far it is from neutral.
        identity: unit vector.
        reads: the expression that the network finds most probable.
    """

    picture: Frame
    time: float
    score: float
    fit: float
    identity: NDArray[np.float32]
    reads: str = ""
    fits: bool = True
    """Whether the network's own reading is what the prompt asked for."""


@dataclass(frozen=True, slots=True)
class Progress:
    """The position of the guide.

    Attributes:
        index: of the prompt; the number of prompts when all are done.
        left: seconds that this prompt still takes.
        hint: what to do differently, or "".
        ready: whether pictures are being taken (after a moment to read the prompt).
        counts: pictures so far that match, per prompt.
    """

    index: int
    left: float
    hint: str
    ready: bool
    counts: tuple[int, ...]

    @property
    def done(self) -> bool:
        """Whether every prompt had its turn."""
        return self.index >= len(self.counts)


@dataclass(slots=True)
class _Take:
    """Everything seen for one prompt."""

    began: float | None = None
    over: bool = False
    found: list[Candidate] = field(default_factory=list)


class Guide:
    """Rates a stream of frames. One thread may feed it while others read it.

    Args:
        prompts: in order.
        read: expression vectors (n, d) to probabilities over the seven emotions.
        same: cosine similarity from which two identity vectors count as the same person.
    """

    def __init__(self, prompts: Sequence[Prompt], read: Callable[[Vectors], Shares], same: float) -> None:
        self.prompts = tuple(prompts)
        self._read, self._same = read, same
        self._takes = [_Take() for _ in prompts]
        self._hint = ""
        self._now = 0.0

    @property
    def progress(self) -> Progress:
        """Where the guide stands now: prompt, seconds left, hint, and the pictures found for each prompt."""
        index = self._current()
        counts = tuple(sum(one.fits for one in take.found) for take in self._takes)
        if index >= len(self.prompts):
            return Progress(index, 0.0, "", False, counts)
        began = self._takes[index].began
        passed = 0.0 if began is None else self._now - began
        left = max(0.0, self.prompts[index].seconds - passed)
        return Progress(index, left, self._hint, passed >= _GET_READY, counts)

    def feed(self, frame: Frame, faces: Sequence[Face], time: float) -> None:
        """Take in one frame; the subject's face must have both vectors.

        Args:
            frame: BGR.
            faces: of the frame, after the limits of enrollment.
            time: seconds, increasing.
        """
        self._now = time
        index = self._current()
        if index >= len(self.prompts):
            return
        take = self._takes[index]
        take.began = time if take.began is None else take.began
        if time - take.began >= self.prompts[index].seconds:
            take.over, self._hint = True, ""
            return
        face, self._hint = subject(faces)
        self._hint = self._hint or (coach(face, frame) if face is not None else "")
        if face is None or time - take.began < _GET_READY:
            return
        candidate = self._candidate(frame, face, self.prompts[index], time)
        if candidate is not None:
            take.found = sorted([*take.found, candidate], key=lambda c: (not c.fits, -c.score))[:_MOST]

    def best(self, index: int, keep: int = KEEP) -> list[Candidate]:
        """The pictures to offer for a prompt: the best ones, spread in time.

        Those that do not match the prompt are offered only if none does.
        """
        chosen: list[Candidate] = []
        found = self._takes[index].found
        matching = [candidate for candidate in found if candidate.fits] or found
        for candidate in sorted(matching, key=lambda c: -c.score):
            if len(chosen) < keep and all(abs(candidate.time - other.time) >= APART for other in chosen):
                chosen.append(candidate)
        return sorted(chosen, key=lambda c: c.time)

    def retake(self, index: int) -> None:
        """Repeat one prompt."""
        self._takes[index] = _Take()

    def _current(self) -> int:
        return next((index for index, take in enumerate(self._takes) if not take.over), len(self._takes))

    def _candidate(self, frame: Frame, face: Face, prompt: Prompt, time: float) -> Candidate | None:
        if face.expression is None or face.identity is None:
            return None
        person = self._person()
        if person is not None and float(person @ face.identity) < self._same:
            self._hint = later("This does not look like the same person as before.")
            return None
        shares = self._read(face.expression[None])[0]
        fit, reads = fit_of(prompt.state, shares), max(shares, key=lambda state: shares[state], default="")
        fits = reads == prompt.state if prompt.state in EMOTIONS else fit >= PROBABLE
        if not fits:
            self._hint = self._hint or RELAX if prompt.state == "neutral" else MORE
        picture = portrait(frame, face.box)
        score = (0.25 + min(fit, 1.0)) * goodness(face)
        return Candidate(picture, time, score, fit, face.identity, reads, fits)

    def _person(self) -> NDArray[np.float32] | None:
        """Mean identity of the first good pictures; None until there are three."""
        vectors = [candidate.identity for take in self._takes for candidate in take.found[:5]]
        if len(vectors) < 3:
            return None
        return np.asarray(unit_rows(np.mean(vectors, axis=0)), np.float32)


def subject(faces: Sequence[Face]) -> tuple[Face | None, str]:
    """The one face to enroll, or what is wrong with the frame."""
    if not faces:
        return None, later("No face is in the picture.")
    by_area = sorted(faces, key=face_area, reverse=True)
    if len(by_area) > 1 and face_area(by_area[0]) < CLEAR_SUBJECT * face_area(by_area[1]):
        return None, later("Only one person, please.")
    face = by_area[0]
    if not face.quality.ok:
        return None, _hint_of(face.quality.reasons[0])
    if abs(face.quality.yaw) > FRONTAL:
        return None, LOOK_HERE
    return face, ""


def coach(face: Face, frame: Frame) -> str:
    """What would make the pictures of a usable face better, in words for the student; "" if nothing would.

    Args:
        face: the subject.
        frame: BGR, shape (height, width, 3).
    """
    height, width = frame.shape[:2]
    x0, y0, x1, y1 = (float(value) for value in face.box)
    tall, quality = (y1 - y0) / height, face.quality
    aside = max(abs((x0 + x1) / 2 / width - OVAL[0]), abs((y0 + y1) / 2 / height - OVAL[1]))
    hints = (
        (tall < FAR, CLOSER),
        (tall > NEAR, FURTHER),
        (aside > ASIDE, INTO_THE_OVAL),
        (quality.brightness < DIM, MORE_LIGHT),
        (quality.brightness > GLARE, LESS_LIGHT),
        (quality.sharpness < STILL, HOLD_STILL),
    )
    return next((hint for needed, hint in hints if needed), "")


def _hint_of(reason: str) -> str:
    """A reason why enrollment would refuse a face, as a word to the student."""
    return next((hint for start, hint in _HINTS.items() if reason.startswith(start)), f"{reason.capitalize()}.")


def fit_of(state: str, shares: dict[str, float]) -> float:
    """How well an expression matches a prompt, 0..1; for a student's own state: 1 minus the share of neutral."""
    return shares.get(state, 0.0) if state in EMOTIONS else 1 - shares.get("neutral", 0.0)


def portrait(frame: Frame, box: NDArray[np.float32], room: float = 2.2) -> Frame:
    """Head and shoulders: a square of ``room`` times the box, cut off at the frame's edges.

    Args:
        frame: BGR, shape (height, width, 3).
        box: x0, y0, x1, y1 in pixels, shape (4,).
        room: side of the square, as a multiple of the side of the box.
    """
    x0, y0, x1, y1 = (float(value) for value in box)
    half = room * max(x1 - x0, y1 - y0) / 2
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    top, left = max(0, round(y - half)), max(0, round(x - half))
    return frame[top : round(y + half), left : round(x + half)].copy()


def goodness(face: Face) -> float:
    """How good the picture of a face is for enrollment, whatever it shows: high for sharp, frontal, large faces."""
    frontal = 1 - min(1.0, abs(face.quality.yaw) / 60 + abs(face.quality.pitch) / 90)
    size = min(1.0, face.quality.size / 160)
    return (0.3 + min(SHARPEST, face.quality.sharpness)) * frontal * (0.5 + 0.5 * size)
