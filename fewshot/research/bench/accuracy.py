"""How right the whole system is, end to end, on virtual classrooms."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np

from fewshot.classroom.matching import TrackStudents
from fewshot.classroom.thresholds import identity_thresholds
from fewshot.errors import SourceError
from fewshot.faces.boxes import largest_face
from fewshot.live.loop import Loop
from fewshot.live.smoothing import Smoother
from fewshot.live.sources import open_source
from fewshot.live.times import StageTimes
from fewshot.loops import open_population
from fewshot.perception import Perception, open_perception
from fewshot.prototypes.classifier import Classifier
from fewshot.prototypes.population import Population
from fewshot.prototypes.store import PrototypeStore
from fewshot.research.bench.replay import Recorder
from fewshot.research.bench.scorecard import as_row, score
from fewshot.research.simulation.dataset_writer import classroom_at
from fewshot.research.simulation.truth import Truth
from fewshot.research.simulation.virtual_classroom import Settings
from fewshot.room import Classroom
from fewshot.types import Vectors

NO_PHOTO = "none"
PHOTOS = {NO_PHOTO: "no photo", "neutral": "neutral only", "1": "1 an emotion", "2": "2 an emotion"}
"""Sets of enrollment photos, and what the tables call them."""
IDENTITY_OF = {"scrfd": "mobilefacenet", "yunet": "mobilefacenet", "cascade": "own"}
"""Chains of models: the cascades stand for a machine where nothing can be downloaded, so no recogniser either."""


@dataclass(frozen=True, slots=True)
class Video:
    """A virtual classroom; ``photos`` are the sets of enrollment photos to measure it with, the timed one first."""

    dataset: str
    settings: Settings
    photos: tuple[str, ...]


def videos(seconds: float, seed: int) -> dict[str, Video]:
    """All videos of the benchmark, of so many seconds; the small class is shown twice as long: it has fewer faces."""
    large = Settings(seconds=seconds, seed=seed)
    small = replace(large, columns=5, rows=2, seconds=2 * seconds, modes=("neutral", "1", "2"))
    return {
        "cfee_49": Video("cfee", large, ("neutral", NO_PHOTO)),
        "cfee_42_strangers_7": Video("cfee", replace(large, strangers=7, leaving=6, seed=seed + 1), ("neutral",)),
        "jaffe_10": Video("jaffe", small, ("2", "1", "neutral", NO_PHOTO)),
    }


class MeasuredRoom(Classroom):
    """A class like any other, but in a folder of the benchmark and with models chosen part by part."""

    _given: Perception
    _given_population: Population

    @classmethod
    def with_models(cls, folder: Path, perception: Perception, population: Population) -> MeasuredRoom:
        """A class in ``folder`` that is seen and read by these."""
        room = cls.in_folder(folder)
        room._given, room._given_population = perception, population
        return room

    @property
    def perception(self) -> Perception:
        """The given chain."""
        return self._given

    @property
    def population(self) -> Population:
        """The given population."""
        return self._given_population


@dataclass(frozen=True, slots=True)
class Class:
    """Who is enrolled, ready for any number of runs; ``store`` is None where nobody is."""

    classifier: Classifier
    store: PrototypeStore | None
    enrolled: str

    def loop(self, recorder: Recorder, identity_network: str, time_constant: float) -> Loop:
        """A fresh loop, as ``Classroom.loop`` makes it, save for the smoothing."""
        students = None
        if self.store is not None:
            students = TrackStudents(*self.store.identity_references(), identity_thresholds(identity_network))
        return Loop(recorder, self.classifier, students, Smoother(time_constant))

    def verdicts(self, stills: Mapping[str, tuple[str, Vectors | None]]) -> dict[str, str | None]:
        """Picture -> the emotion that the still picture itself is read as."""
        known = {path: (student, vector) for path, (student, vector) in stills.items() if vector is not None}
        if not known:
            return {}
        vectors = np.stack([vector for _, vector in known.values()])
        read = self.classifier.read(vectors, [student for student, _ in known.values()])
        return {path: verdict.emotion for path, verdict in zip(known, read, strict=True)}


def enrolled_class(folder: Path, photos: Path | None, perception: Perception, population: Population) -> Class:
    """Enroll everybody in ``photos`` anew; None is the class nobody is enrolled in."""
    if photos is None:
        return Class(Classifier(population), None, "-")
    shutil.rmtree(folder, ignore_errors=True)
    room = MeasuredRoom.with_models(folder, perception, population)
    report = room.enroll_folder(photos, consent_by="the terms of the dataset")
    accepted = sum(result.count("accepted") for result in report.students)
    offered = sum(len(result.photos) for result in report.students)
    enrolled = f"{len(report.standing)}/{len(report.students)} ({accepted}/{offered} photos)"
    store = room.vectors()
    return Class(Classifier(population, store), store, enrolled)


def without_students(truth: Truth) -> Truth:
    """The same lesson for a class nobody is enrolled in."""
    return replace(truth, seats=tuple(replace(seat, enrolled=False) for seat in truth.seats))


def still_vectors(truth: Truth, root: Path, perception: Perception) -> dict[str, tuple[str, Vectors | None]]:
    """Picture -> (student in it, expression vector of its largest face, None if it cannot be read)."""
    vectors: dict[str, tuple[str, Vectors | None]] = {}
    for seat in truth.seats:
        for path in sorted({segment.picture for segment in seat.segments}):
            picture = cv2.imread(str(root / path))
            if picture is None:
                raise SourceError(f"Cannot read {path}, which the truth of the video names. Draw the video again.")
            faces = perception.look(picture.astype(np.uint8, copy=False))
            largest = largest_face(faces)
            vectors[path] = (seat.student, largest.expression if largest else None)
    return vectors


def speed_row(times: StageTimes, frames: int, seconds: float) -> dict[str, str]:
    """Frames a second with reading the file, and median / 95th percentile of every stage in milliseconds."""
    row = {"frames a second": f"{frames / seconds:.1f}"}
    for stage, numbers in times.table().items():
        row[f"{stage} ms p50 / p95"] = f"{numbers['p50_ms']:.1f} / {numbers['p95_ms']:.1f}"
    return row


def measure(
    folder: Path, video: Video, detector: str, shared: Path, network: Path | None, smoothing: float
) -> tuple[list[dict[str, str]], dict[str, str]]:
    """All runs of one chain of models over one video: rows of the table of accuracy, and the row of speed.

    Args:
        folder: of the video, drawn there first if it is not there; its name stands in the tables.
        detector: a key of ``IDENTITY_OF``.
        shared: the folder with data/ and models/.
        network: an expression network with its .json beside it; None is the shipped one.
        smoothing: time constant in seconds; every run is made with it and without.
    """
    truth = classroom_at(folder, shared, video.dataset, video.settings)
    perception = open_perception(detector, recogniser=IDENTITY_OF[detector], network=network)
    population = open_population(network)
    stills = still_vectors(truth, shared / "data", perception)
    recorder = Recorder(perception)
    identity = perception.recogniser.name if perception.recogniser else "own network"
    head = {"video": folder.name, "detector": detector, "identity by": identity}
    rows: list[dict[str, str]] = []
    speed: dict[str, str] = {}
    for photos in video.photos:
        source = None if photos == NO_PHOTO else folder / "photos" / photos
        enrolled = enrolled_class(folder / "class", source, perception, population)
        verdicts = enrolled.verdicts(stills)
        for time_constant in (smoothing, 0.0):
            recorder.rewind()
            loop = enrolled.loop(recorder, perception.identity_network, time_constant)
            start = perf_counter()
            results = [step.result for step in loop.run(open_source(folder / "video.mp4"))]
            elapsed = perf_counter() - start
            speed = speed or {**head, "faces": str(len(truth.seats)), **speed_row(loop.times, len(results), elapsed)}
            said = {"photos": PHOTOS[photos], "smoothing": "yes" if time_constant else "no"}
            card = score(truth if source else without_students(truth), results, verdicts)
            rows.append({**head, **said, "enrolled": enrolled.enrolled, **as_row(card)})
    return rows, speed
