"""What 8 bits and the engines cost and gain: time, cosine to fp32, accuracy.

    python experiments/quantise.py --shared ../shared --times     time alone, on an idle machine; kept in outputs/
    python experiments/quantise.py --shared ../shared             accuracy, and the tables with both

Every file and engine is read with the same prototypes, those of fewshot/weights/expression.json. Nothing is chosen
here: calibration crops and settings are those of fewshot/research/training/quantise.py. Writes
experiments/results/quantised.csv and .md.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from fewshot.embedding.runtime import Embedder, shrunk
from fewshot.faces.align import CROP_SIZE
from fewshot.faces.detectors.scrfd import ScrfdDetector
from fewshot.inference.engines import OnnxRuntimeSession, OpenVinoSession, Session
from fewshot.perception import Perception
from fewshot.prototypes.estimators import cells_of, class_effect, compared_distances, hierarchical_prototypes
from fewshot.prototypes.population import Population
from fewshot.prototypes.supports import SupportSet
from fewshot.research.datasets.fer2013 import PRIVATE_TEST, Fer2013, load_fer2013
from fewshot.research.datasets.framing import cut, framings
from fewshot.research.datasets.single_faces import faces_of
from fewshot.research.datasets.subjects import read_subjects
from fewshot.research.evaluation.fer import fer_tests
from fewshot.research.training.datamodule import TRUSTED_LANDMARKS
from fewshot.research.training.population import Candidate
from fewshot.types import EMOTIONS, Vectors

WEIGHTS, RESULTS = Path("fewshot/weights"), Path("experiments/results")
TIMES = Path("outputs/quantised_times.json")
FACES, BATCH = 49, 64
FILES = {
    "fp32": Path("experiments/weights/expression_fp32.onnx"),
    "fp16": Path("outputs/expression_fp16.onnx"),
    "int8": WEIGHTS / "expression.onnx",
}
Open = Callable[[int], Session]


def ways() -> dict[str, Open]:
    """Every file with every engine that can run it, by name; each is opened with a number of threads."""

    def runtime(file: str) -> Open:
        return lambda threads: OnnxRuntimeSession(FILES[file], threads)

    def vino(file: str, precision: str) -> Open:
        return lambda threads: OpenVinoSession(FILES[file], threads, precision)

    return {
        "fp32, ONNX Runtime": runtime("fp32"),
        "fp16, ONNX Runtime": runtime("fp16"),
        "int8, ONNX Runtime": runtime("int8"),
        "fp32, OpenVINO": vino("fp32", "f32"),
        "fp32 in bf16, OpenVINO": vino("fp32", "bf16"),
        "int8, OpenVINO": vino("int8", "f32"),
        "int8 and bf16, OpenVINO": vino("int8", "bf16"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--times", action="store_true", help="measure time alone")
    arguments = parser.parse_args()
    if arguments.times:
        TIMES.write_text(json.dumps(times(), indent=1), encoding="utf-8")
        print(TIMES.read_text(encoding="utf-8"))
        return
    tests = read_tests(arguments.shared)
    measured = json.loads(TIMES.read_text(encoding="utf-8")) if TIMES.is_file() else {}
    reference: dict[str, Vectors] = {}
    rows = []
    for name, open_way in ways().items():
        session = open_way(2)
        vectors = {test.name: embedded(session, test.crops) for test in tests}
        reference = reference or vectors
        cosine = np.concatenate([(vectors[key] * reference[key]).sum(axis=1) for key in vectors])
        spent = [f"{value:.1f}" for value in measured.get(name, ())] or ["", ""]
        near = [f"{value:.5f}" for value in (cosine.mean(), np.quantile(cosine, 0.01), cosine.min())]
        accuracy = [f"{test.accuracy(vectors[test.name]):.4f}" for test in tests]
        rows.append([name, *spent, *near, *accuracy])
        print(rows[-1], flush=True)
    write([test.name for test in tests], [len(test.crops) for test in tests], rows)


def times(rounds: int = 12) -> dict[str, tuple[float, float]]:
    """Median milliseconds for 49 crops with 1 and 2 threads; all ways take turns on the same machine."""
    crops = np.random.default_rng(0).integers(0, 256, (FACES, 112, 112), dtype=np.uint8)
    sessions = {(name, threads): open_way(threads) for name, open_way in ways().items() for threads in (1, 2)}
    spent: dict[tuple[str, int], list[float]] = {key: [] for key in sessions}
    for _ in range(rounds):
        for key, session in sessions.items():
            vectors_of(session, crops)  # brings back the caches that the others emptied
            start = perf_counter()
            vectors_of(session, crops)
            spent[key].append(1000 * (perf_counter() - start))
    return {name: (float(np.median(spent[name, 1])), float(np.median(spent[name, 2]))) for name in ways()}


def embedded(session: Session, crops: NDArray[np.uint8]) -> Vectors:
    """Expression vectors of grey crops (n, 112, 112)."""
    return np.concatenate([vectors_of(session, crops[at : at + BATCH]) for at in range(0, len(crops), BATCH)])


def vectors_of(session: Session, crops: NDArray[np.uint8]) -> Vectors:
    """What the runtime does with grey crops (n, 112, 112): shrink them to what the network was made for, and run it."""
    small = shrunk(crops, int(session.properties.get("size", CROP_SIZE)))
    return np.asarray(session.run(["expression"], {"crops": small})[0], np.float32)


@dataclass(frozen=True)
class Test:
    """Grey crops (n, 112, 112), and how right their vectors (n, d) are read."""

    name: str
    crops: NDArray[np.uint8]
    accuracy: Callable[[Vectors], float]


def read_tests(shared: Path) -> list[Test]:
    population = Population.load(WEIGHTS / "expression.json")
    runtime = Candidate("runtime", population.mean, population.prototypes)
    fer = load_fer2013(shared / "data/fer2013")
    crops, excluded = private_test(fer)
    private = fer.usage == PRIVATE_TEST
    labels = fer_tests(fer, excluded)
    tests = []
    for name in ("FER+ test, published rule", "FER2013 PrivateTest, FER2013's own labels"):
        truth = labels[name][private]
        known = truth >= 0

        def score(z: Vectors, truth: NDArray[np.int64] = truth[known]) -> float:
            return float((runtime.predict(z) == truth).mean())

        tests.append(Test(name, crops[known], score))
    return tests + [enrolled(shared, dataset, population) for dataset in ("ckplus", "jaffe")]


def private_test(fer: Fer2013) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Crops of PrivateTest as the live loop cuts them, and which rows of FER2013 may be used for nothing."""
    with np.load("outputs/fer2013_prepared.npz") as data:
        matrices = framings(48, data["landmarks"], data["scores"] > TRUSTED_LANDMARKS)
        excluded = data["excluded"]
    rows = np.flatnonzero(fer.usage == PRIVATE_TEST)
    return np.stack([cut(fer.faces[row], matrices[row, 1]) for row in rows]), excluded


def enrolled(shared: Path, dataset: str, population: Population) -> Test:
    """A data set of subjects: every photo read with all others of the subject enrolled."""
    wanted = read_subjects(shared / "data/subjects.csv", datasets=[dataset])
    detector = ScrfdDetector(shared / "models/insightface/models/buffalo_sc/det_500m.onnx")
    perception = Perception(detector, Embedder(WEIGHTS / "expression.onnx", engine="onnxruntime"))
    faces, kept = faces_of(perception, [shared / "data" / row.path for row in wanted])
    subjects, names = ([getattr(wanted[i], field) for i in kept] for field in ("subject", "emotion"))
    truth = np.array([EMOTIONS.index(name) for name in names])

    def score(z: Vectors) -> float:
        distances = leave_one_out(population, z, subjects, names)
        return float((distances.argmin(axis=1) == truth).mean())

    title = {"ckplus": "CK+ (development), enrolled", "jaffe": "JAFFE, enrolled"}[dataset]
    return Test(title, np.stack([face.crop for face in faces]), score)


def write(tests: list[str], sizes: list[int], rows: list[list[str]]) -> None:
    """The tables, as CSV and Markdown."""
    header = ["way", "ms, 1 thread", "ms, 2 threads", "cosine, mean", "cosine, p1", "cosine, min", *tests]
    with (RESULTS / "quantised.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([header, *rows])
    lines = [
        "# What 8 bits and the engines cost and gain",
        "",
        "    python experiments/quantise.py --times",
        "    python experiments/quantise.py",
        "",
        f"Network `{Embedder(WEIGHTS / 'expression.onnx', engine='onnxruntime').network}`.",
        f"Time: median for {FACES} crops, all ways taking turns. Cosine: to fp32 in ONNX Runtime, over all crops of",
        "the tests. Accuracy: nearest prototype, the runtime's prototypes, aligned crops; enrolled: every photo read",
        "with all others of the person enrolled.",
        "",
        "| " + " | ".join([*header[:6], *(f"{name}, n = {n}" for name, n in zip(tests, sizes, strict=True))]) + " |",
        "|---" * len(header) + "|",
        *("| " + " | ".join(row) + " |" for row in rows),
    ]
    (RESULTS / "quantised.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


def leave_one_out(population: Population, z: Vectors, subjects: list[str], names: list[str]) -> NDArray[np.float64]:
    """Every photo read with all other photos of its subject enrolled, in one class of all subjects.

    Args:
        z: vectors, shape (n, d).
        subjects, names: who it is and which emotion, length n.

    Returns:
        Distances to the prototypes, shape (n, k).
    """
    rows_of: dict[str, list[int]] = defaultdict(list)
    for row, subject in enumerate(subjects):
        rows_of[subject].append(row)

    def supports(rows: list[int]) -> SupportSet:
        return SupportSet(z[rows], [names[row] for row in rows], [str(row) for row in rows])

    effect = class_effect(population, [cells_of(supports(rows), population) for rows in rows_of.values()])
    distances = np.zeros((len(z), len(population.classes)))
    for rows in rows_of.values():
        for row in rows:
            made = hierarchical_prototypes(population, supports([other for other in rows if other != row]), effect)
            distances[row] = compared_distances(population, made, z[[row]])[0]
    return distances


if __name__ == "__main__":
    main()
