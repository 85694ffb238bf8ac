"""Measure how right the whole system is, end to end, on virtual classrooms (how fast: experiments/benchmark.py).

    python experiments/accuracy.py                              both chains of models, all videos
    python experiments/accuracy.py --detector scrfd --video cfee_49 --seconds 10

Builds the videos (or takes those of an earlier run), enrolls through ``fewshot.room.Classroom``, runs the real loop
over every frame and compares what it said with the truth. Writes ``accuracy`` and ``speed`` as CSV and Markdown to
experiments/results/. The first run over a video does the looking, frame after frame, and is the one timed; the others
(fewer photos, no smoothing) read the same faces again. Videos and class stores go to outputs/ and hold faces: do not
publish them.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np

from fewshot.classroom.matching import TrackStudents
from fewshot.classroom.thresholds import identity_thresholds
from fewshot.database import in_folder
from fewshot.embedding.runtime import open_embedder
from fewshot.errors import FewshotError, SourceError
from fewshot.faces.boxes import largest_face
from fewshot.live.loop import Loop
from fewshot.live.smoothing import Smoother
from fewshot.live.sources import open_source
from fewshot.live.times import StageTimes
from fewshot.perception import Perception, open_perception
from fewshot.prototypes.classifier import Classifier
from fewshot.prototypes.population import Population
from fewshot.prototypes.store import PrototypeStore
from fewshot.research.bench.replay import Recorder
from fewshot.research.bench.scorecard import as_row, score
from fewshot.research.evaluation.tables import markdown, show, write_csv
from fewshot.research.simulation.dataset_writer import classroom_at
from fewshot.research.simulation.truth import Truth
from fewshot.research.simulation.virtual_classroom import Settings
from fewshot.room import Classroom, open_population
from fewshot.types import Vectors

HEAD = """# The whole system on virtual classrooms

    python experiments/accuracy.py

Network `{network}`, seed {seed}, videos of {seconds:g} s, every face in every frame. CFEE and JAFFE: **test**.

"""
NO_PHOTO = "none"
PHOTOS = {NO_PHOTO: "no photo", "neutral": "neutral only", "1": "1 an emotion", "2": "2 an emotion"}

IDENTITY_OF = {"scrfd": "mobilefacenet", "yunet": "mobilefacenet", "cascade": "own"}
"""Chains of models: the cascades stand for a machine where nothing can be downloaded, so no recogniser either."""


@dataclass(frozen=True, slots=True)
class Video:
    """A virtual classroom; ``photos`` are the sets of enrollment photos to measure it with, the timed one first."""

    dataset: str
    settings: Settings
    photos: tuple[str, ...]


def videos(seconds: float, seed: int) -> dict[str, Video]:
    """All videos of the benchmark; the small class is shown twice as long, as it has fewer faces."""
    large = Settings(seconds=seconds, seed=seed)
    small = replace(large, columns=5, rows=2, seconds=2 * seconds, modes=("neutral", "1", "2"))
    return {
        "cfee_49": Video("cfee", large, ("neutral", NO_PHOTO)),
        "cfee_42_strangers_7": Video("cfee", replace(large, strangers=7, leaving=6, seed=seed + 1), ("neutral",)),
        "jaffe_10": Video("jaffe", small, ("2", "1", "neutral", NO_PHOTO)),
    }


class MeasuredRoom(Classroom):
    """A class like any other, but in a folder of the benchmark and with models chosen part by part."""

    def __init__(self, folder: Path, perception: Perception, population: Population) -> None:
        super().__init__(folder.name, database=in_folder(folder))
        self._given, self._given_population = perception, population

    @property
    def perception(self) -> Perception:
        return self._given

    @property
    def population(self) -> Population:
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
    room = MeasuredRoom(folder, perception, population)
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
    name: str, video: Video, detector: str, arguments: argparse.Namespace
) -> tuple[list[dict[str, str]], dict[str, str]]:
    """All runs of one chain of models over one video: rows of the table of accuracy, and the row of speed."""
    folder = arguments.work / name
    truth = classroom_at(folder, arguments.shared, video.dataset, video.settings)
    perception = open_perception(detector, recogniser=IDENTITY_OF[detector], network=arguments.network)
    network = arguments.network
    population = open_population(network)
    stills = still_vectors(truth, arguments.shared / "data", perception)
    recorder = Recorder(perception)
    identity = perception.recogniser.name if perception.recogniser else "own network"
    head = {"video": name, "detector": detector, "identity by": identity}
    rows, speed = [], {}
    for photos in video.photos:
        source = None if photos == NO_PHOTO else folder / "photos" / photos
        enrolled = enrolled_class(folder / "class", source, perception, population)
        verdicts = enrolled.verdicts(stills)
        for time_constant in (arguments.smoothing, 0.0):
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


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path("../shared"), help="folder with data/ and models/")
    parser.add_argument("--work", type=Path, default=Path("outputs/benchmark"), help="for videos and class stores")
    parser.add_argument("--results", type=Path, default=Path("experiments/results"))
    parser.add_argument("--detector", nargs="*", choices=list(IDENTITY_OF), default=["scrfd", "cascade"])
    parser.add_argument("--video", nargs="*", choices=list(videos(1, 0)), default=list(videos(1, 0)))
    parser.add_argument("--network", type=Path, help="an expression network of your own, its .json beside it")
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--smoothing", type=float, default=0.5, help="time constant in seconds")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    os.environ.setdefault("FEWSHOT_SHARED", str(arguments.shared))
    every = videos(arguments.seconds, arguments.seed)
    accuracy: list[dict[str, str]] = []
    speed: list[dict[str, str]] = []
    try:
        for name in arguments.video:
            for detector in arguments.detector:
                rows, timing = measure(name, every[name], detector, arguments)
                show(rows, f"{name}, {detector}")
                accuracy += rows
                speed.append(timing)
    except FewshotError as error:
        sys.exit(str(error))
    show(speed, f"speed on {os.cpu_count()} CPU cores, every face in every frame")
    said = {"network": open_embedder().network, "seed": arguments.seed, "seconds": arguments.seconds}
    for table, rows in (("accuracy", accuracy), ("speed", speed)):
        write_csv(rows, arguments.results / f"{table}.csv")
        page = HEAD.format(**said) + markdown(rows)
        (arguments.results / f"{table}.md").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
