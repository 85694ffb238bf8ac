"""Drawn photos and eyes that read them: who a "face" is, and what it shows, stands in its colour."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from fewshot.classroom.consent import Consent, make_consent
from fewshot.classroom.enrollment import Enrollment
from fewshot.classroom.enrollment_report import StudentResult
from fewshot.classroom.photo_folder import list_photos
from fewshot.classroom.roster import Roster
from fewshot.classroom.thresholds import IdentityThresholds
from fewshot.prototypes.calibration import Calibration
from fewshot.prototypes.population import Population, Variances
from fewshot.prototypes.store import PrototypeStore
from fewshot.types import EMOTIONS, Face, Frame, Quality

DIMENSION, IDENTITY_DIMENSION = 8, 16
THRESHOLDS = IdentityThresholds(accept=0.42, margin=0.05, sure=0.55, same=0.30, duplicate=0.55)


def person_vector(person: int, wobble: float = 0.0, seed: int = 0) -> np.ndarray:
    """The unit identity vector of person 0..15, with some noise."""
    vector = np.eye(IDENTITY_DIMENSION, dtype=np.float32)[person]
    noise = np.random.default_rng(seed).normal(size=IDENTITY_DIMENSION).astype(np.float32)
    vector = vector + wobble * noise / np.linalg.norm(noise)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def make_face(person: int | None = None, track: int = 0, wobble: float = 0.0, seed: int = 0, **quality: float) -> Face:
    """A face as the loop hands it over; with an identity vector if ``person`` is given."""
    values = {"size": 100.0, "sharpness": 0.8, "yaw": 0.0, "pitch": 0.0, "roll": 0.0, "brightness": 128.0}
    reasons = ("too blurred",) if quality.pop("unreadable", 0) else ()
    face = Face(
        box=np.array([0, 0, 100, 100], np.float32),
        landmarks=np.zeros((5, 2), np.float32),
        score=0.9,
        crop=np.zeros((112, 112, 3), np.uint8),
        quality=Quality(**(values | quality), reasons=reasons),
        track=track,
    )
    if person is not None:
        face.identity = person_vector(person, wobble, seed)
    return face


def draw_photo(path: Path, people: dict[int, int], emotion: int = 0, seed: int = 0) -> Path:
    """A noisy picture with a square for each person: {person: side in pixels}."""
    noise = np.random.default_rng(seed).integers(0, 100, (16, 24, 3), dtype=np.uint8)
    photo = cv2.resize(noise, (480, 320), interpolation=cv2.INTER_NEAREST)
    for place, (person, side) in enumerate(people.items()):
        x = 20 + place * 150
        photo[40 : 40 + side, x : x + side] = (person * 12 + 6, emotion * 12 + 6, 255)
    path.parent.mkdir(parents=True, exist_ok=True)
    ok, data = cv2.imencode(path.suffix, photo)
    assert ok
    path.write_bytes(data.tobytes())
    return path


def draw_video(path: Path, people: dict[int, int], frames: int = 3) -> Path:
    """A video (.avi) of one drawn picture of happy people, ten frames per second."""
    path.parent.mkdir(parents=True, exist_ok=True)
    frame = draw_frame(path.parent / "drawn.png", people)
    (path.parent / "drawn.png").unlink()
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, frame.shape[1::-1])
    for _ in range(frames):
        writer.write(frame)
    writer.release()
    return path


def draw_class(folder: Path, people: Mapping[str, int]) -> Path:
    """Photos of a class, one happy and one neutral of each: ``folder``/asha/happy/1.png for {"asha": 1}."""
    for name, person in people.items():
        for number, word in ((1, "happy"), (2, "neutral")):
            path = folder / name / word / f"{number}.png"
            draw_photo(path, {person: 100}, emotion=EMOTIONS.index(word), seed=person + 50 * (number - 1))
    return folder


def draw_frame(path: Path, people: dict[int, int]) -> Frame:
    """A frame of happy people, as ``draw_photo`` draws it."""
    return np.asarray(cv2.imread(str(draw_photo(path, people, emotion=EMOTIONS.index("happy"), seed=99))), np.uint8)


class DrawnEyes:
    """Finds the squares of ``draw_photo``."""

    network, identity_network = "drawn-1", "drawn-identity-1"
    dimension, identity_dimension = DIMENSION, IDENTITY_DIMENSION
    notes: tuple[str, ...] = ()
    can_identify = True

    def __init__(self) -> None:
        self.times: dict[str, float] = {}
        self.embedder = self

    def look(self, frame: Frame) -> list[Face]:
        return self.find(frame)

    def embed(self, faces: Sequence[Face]) -> None:
        """``find`` has done it."""

    def find(self, frame: Frame) -> list[Face]:
        found, _, stats, centres = cv2.connectedComponentsWithStats((frame[..., 2] > 200).astype(np.uint8))
        return [self._face(frame, stats[i], centres[i]) for i in range(1, found) if stats[i][4] > 100]

    def _face(self, frame: Frame, stat: np.ndarray, centre: np.ndarray) -> Face:
        x, y, width, height, _ = (int(value) for value in stat)
        blue, green, _ = (int(value) for value in frame[int(centre[1]), int(centre[0])])
        face = make_face(track=-1, size=float(width))  # it gets a track from the loop, or none in a picture
        face.box = np.array([x, y, x + width, y + height], np.float32)
        face.crop = cv2.resize(frame[max(0, y - 20) : y + height + 20, max(0, x - 20) : x + width + 20], (112, 112))
        if width < 48:
            face.quality = Quality(width, 1, 0, 0, 0, 128, ("too small: 30 pixels wide, 48 needed",))
            return face
        # The camera of this class adds something to every face: the last axis.
        vector = np.eye(DIMENSION, dtype=np.float32)[round((green - 6) / 12)]
        vector[-1] += 0.4
        face.expression = vector / np.linalg.norm(vector)
        face.landmarks[0] = blue, 0
        return face

    def following(self) -> DrawnEyes:
        return self

    def identify(self, frame: Frame, faces: Sequence[Face]) -> None:
        for face in faces:
            face.identity = person_vector(round((face.landmarks[0, 0] - 6) / 12), wobble=0.1, seed=int(face.box[0]))


class SlowEyes(DrawnEyes):
    """Takes time for every face it embeds, as a network does; ``embedded`` counts them, frame by frame."""

    def __init__(self, seconds: float = 0.002) -> None:
        super().__init__()
        self.seconds, self.embedded = seconds, list[int]()

    def find(self, frame: Frame) -> list[Face]:
        faces = super().find(frame)
        for face in faces:
            if face.expression is not None:
                face.landmarks[1], face.expression = (0, int(np.argmax(face.expression))), None
        return faces

    def embed(self, faces: Sequence[Face]) -> None:
        time.sleep(self.seconds * len(faces))
        self.embedded.append(len(faces))
        for face in faces:
            face.expression = np.eye(DIMENSION, dtype=np.float32)[int(face.landmarks[1, 1])]


def drawn_population(network: str = "drawn-1") -> Population:
    """Emotion e lies on axis e."""
    return Population(
        network=network,
        classes=EMOTIONS,
        mean=np.zeros(DIMENSION, np.float32),
        prototypes=np.eye(DIMENSION, dtype=np.float32)[: len(EMOTIONS)],
        variances=Variances(0.1, 0.2, 0.1, 0.1),
        calibration=Calibration((0.0,), (0.2,), (3.0,), (0.05,)),
    )


def see_drawings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything real but perception and the population."""
    for module in ("class_models", "commands.runs", "commands.vectors"):
        monkeypatch.setattr(f"fewshot.{module}.open_perception", lambda *args, **options: DrawnEyes())
    monkeypatch.setattr("fewshot.shared_models.SharedModels.perception", lambda self, *args, **options: DrawnEyes())
    for module in ("classroom.class_enrollment", "commands.vectors"):
        monkeypatch.setattr(f"fewshot.{module}.photo_perception", lambda perception, *limits: perception)
    for module in ("class_models", "loops"):
        monkeypatch.setattr(f"fewshot.{module}.open_population", lambda network=None: drawn_population())


class Desk:
    """An enrollment with drawn eyes, and a folder for its photos."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.photos = folder
        self.roster = Roster("physics")
        self.store = PrototypeStore(DIMENSION, IDENTITY_DIMENSION, "drawn-1", "drawn-identity-1")
        self.consent: Consent = make_consent("her mother")
        self.neutral = True

    def enroll(self, student: str) -> StudentResult:
        enrollment = Enrollment(DrawnEyes(), self.roster, self.store, THRESHOLDS, lambda supports: self.neutral)
        return enrollment.add(student, list_photos(self.photos).students[student], self.consent)
