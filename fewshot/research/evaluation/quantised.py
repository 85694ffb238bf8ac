"""What 8 bits and the engines cost: time, and how right each is on the same crops with the same prototypes."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from fewshot.embedding.runtime import Embedder, shrunk
from fewshot.faces.align import CROP_SIZE
from fewshot.faces.detectors.scrfd import ScrfdDetector
from fewshot.inference.engines import Session
from fewshot.perception import Perception
from fewshot.prototypes.estimators import AdaptiveHierarchical, compared_distances
from fewshot.prototypes.population import Population
from fewshot.research.datasets.fer2013 import PRIVATE_TEST, Fer2013, load_fer2013
from fewshot.research.datasets.framing import cut, framings
from fewshot.research.datasets.single_faces import faces_of
from fewshot.research.datasets.subjects import read_subjects
from fewshot.research.evaluation.album import Album
from fewshot.research.evaluation.enrolled_class import Room
from fewshot.research.evaluation.fer import fer_tests
from fewshot.research.evaluation.support_draws import Draw
from fewshot.research.training.datamodule import TRUSTED_LANDMARKS
from fewshot.research.training.population import Candidate
from fewshot.types import EMOTIONS, Vectors

FACES = 49
BATCH = 64
Open = Callable[[int], Session]
"""Opens a network with a number of threads."""


def times(ways: Mapping[str, Open], rounds: int = 12) -> dict[str, tuple[float, float]]:
    """Median milliseconds for 49 crops with 1 and 2 threads; all ways take turns on the same machine.

    Args:
        ways: name -> a file and an engine to run it.
        rounds: how often every one is timed.
    """
    crops = np.random.default_rng(0).integers(0, 256, (FACES, 112, 112), dtype=np.uint8)
    sessions = {(name, threads): open_way(threads) for name, open_way in ways.items() for threads in (1, 2)}
    spent: dict[tuple[str, int], list[float]] = {key: [] for key in sessions}
    for _ in range(rounds):
        for key, session in sessions.items():
            vectors_of(session, crops)  # brings back the caches that the others emptied
            start = perf_counter()
            vectors_of(session, crops)
            spent[key].append(1000 * (perf_counter() - start))
    return {name: (float(np.median(spent[name, 1])), float(np.median(spent[name, 2]))) for name in ways}


def embedded(session: Session, crops: NDArray[np.uint8]) -> Vectors:
    """Expression vectors of grey crops (n, 112, 112)."""
    return np.concatenate([vectors_of(session, crops[at : at + BATCH]) for at in range(0, len(crops), BATCH)])


def vectors_of(session: Session, crops: NDArray[np.uint8]) -> Vectors:
    """What the runtime does with grey crops (n, 112, 112): shrink them to what the network was made for, and run it."""
    small = shrunk(crops, int(session.properties.get("size", CROP_SIZE)))
    return np.asarray(session.run(["expression"], {"crops": small})[0], np.float32)


@dataclass(frozen=True)
class CropTest:
    """Grey crops (n, 112, 112), and how right their vectors (n, d) are read."""

    name: str
    crops: NDArray[np.uint8]
    accuracy: Callable[[Vectors], float]


def read_tests(shared: Path, weights: Path, prepared: Path) -> list[CropTest]:
    """FER2013's PrivateTest by both kinds of labels, and CK+ and JAFFE with all other photos enrolled.

    Args:
        shared: the folder with data/ and models/.
        weights: the folder of the shipped network, whose prototypes all are read with.
        prepared: FER2013's landmarks, as ``experiments/prepare.py`` writes them.
    """
    population = Population.load(weights / "expression.json")
    runtime = Candidate("runtime", population.mean, population.prototypes)
    fer = load_fer2013(shared / "data/fer2013")
    crops, excluded = private_test(fer, prepared)
    private = fer.usage == PRIVATE_TEST
    labels = fer_tests(fer, excluded)
    tests = []
    for name in ("FER+ test, published rule", "FER2013 PrivateTest, FER2013's own labels"):
        truth = labels[name][private]
        known = truth >= 0

        def score(z: Vectors, truth: NDArray[np.int64] = truth[known]) -> float:
            return float((runtime.predict(z) == truth).mean())

        tests.append(CropTest(name, crops[known], score))
    return tests + [enrolled(shared, dataset, weights, population) for dataset in ("ckplus", "jaffe")]


def private_test(fer: Fer2013, prepared: Path) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Crops of PrivateTest as the live loop cuts them, and which rows of FER2013 may be used for nothing.

    Returns:
        Grey crops, shape (n, 112, 112); a mask over all rows of FER2013, shape (rows,).
    """
    with np.load(prepared) as data:
        matrices = framings(48, data["landmarks"], data["scores"] > TRUSTED_LANDMARKS)
        excluded = data["excluded"]
    rows = np.flatnonzero(fer.usage == PRIVATE_TEST)
    return np.stack([cut(fer.faces[row], matrices[row, 1]) for row in rows]), excluded


def enrolled(shared: Path, dataset: str, weights: Path, population: Population) -> CropTest:
    """A data set of subjects: every photo read with all others of the subject enrolled."""
    wanted = read_subjects(shared / "data/subjects.csv", datasets=[dataset])
    detector = ScrfdDetector(shared / "models/insightface/models/buffalo_sc/det_500m.onnx")
    perception = Perception(detector, Embedder(weights / "expression.onnx", engine="onnxruntime"))
    faces, kept = faces_of(perception, [shared / "data" / row.path for row in wanted])
    subjects, names = ([getattr(wanted[i], field) for i in kept] for field in ("subject", "emotion"))
    truth = np.array([EMOTIONS.index(name) for name in names])

    def score(z: Vectors) -> float:
        distances = leave_one_out(population, z, subjects, names)
        return float((distances.argmin(axis=1) == truth).mean())

    title = {"ckplus": "CK+ (development), enrolled", "jaffe": "JAFFE, enrolled"}[dataset]
    return CropTest(title, np.stack([face.crop for face in faces]), score)


def leave_one_out(population: Population, z: Vectors, subjects: list[str], names: list[str]) -> NDArray[np.float64]:
    """Every photo read with all other photos of its subject enrolled, in one class of all subjects.

    The prototypes are those of the running system (``AdaptiveHierarchical``).

    Args:
        z: vectors, shape (n, d).
        subjects, names: who it is and which emotion, length n.

    Returns:
        Distances to the prototypes, shape (n, k).
    """
    rows_of: dict[str, list[int]] = defaultdict(list)
    for row, subject in enumerate(subjects):
        rows_of[subject].append(row)
    # Under the number of each photo: what its subject brings when that photo is tested.
    own = {str(row): [other for other in rows_of[subjects[row]] if other != row] for row in range(len(z))}
    album = Album(z, tuple(subjects), tuple(names))
    room = Room(population, AdaptiveHierarchical(), album, Draw(own, dict(rows_of), {}))
    distances = np.zeros((len(z), len(population.classes)))
    for row, subject in enumerate(subjects):
        made = room.prototypes(subject, str(row), True)
        distances[row] = compared_distances(population, made, z[[row]])[0]
    return distances


@dataclass(frozen=True)
class Timed:
    """One measurement of all ways. Times of one processor say little about another.

    Attributes:
        network: whose files were run.
        processor: in words, with the instructions that matter to networks.
        load: of the machine at that time; None where nobody noted it.
        ms: way -> median milliseconds for 49 crops with 1 and with 2 threads.
    """

    network: str
    processor: str
    load: float | None
    ms: dict[str, tuple[float, float]]


def read_times(path: Path) -> list[Timed]:
    """What ``add_times`` wrote, the processor that was measured first before the others; empty without a file."""
    if not path.is_file():
        return []
    stored = json.loads(path.read_text(encoding="utf-8"))
    return [Timed(**{**one, "ms": {way: tuple(ms) for way, ms in one["ms"].items()}}) for one in stored]


def add_times(path: Path, timed: Timed) -> None:
    """Keep a measurement; it takes the place of the one on the same processor."""
    known = {one.processor: one for one in read_times(path)} | {timed.processor: timed}
    path.write_text(json.dumps([asdict(one) for one in known.values()], indent=1), encoding="utf-8")


def about_times(measured: Sequence[Timed]) -> list[str]:
    """Lines of a page: where the times in the main table are from, and a table for every further processor."""
    if not measured:
        return []
    first, *others = measured
    lines = [f"Times in the table: {_where(first)}", ""]
    for one in others:
        lines += [f"## Times on {one.processor}", "", f"These were {_where(one)}", ""]
        lines += ["| way | ms, 1 thread | ms, 2 threads |", "|---|---|---|"]
        lines += [f"| {way} | {single:.1f} | {double:.1f} |" for way, (single, double) in one.ms.items()]
        lines.append("")
    return lines


def _where(one: Timed) -> str:
    busy = "load not noted" if one.load is None else f"load {one.load:.1f}"
    return f"measured with network `{one.network}` on {one.processor}, {busy}."
