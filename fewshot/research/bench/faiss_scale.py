"""FAISS at the size of a class, a school and a nation: identity galleries, and students' emotion prototypes.

Needs no model and no data: identity vectors are drawn with the spread of real ones
(``fewshot.research.simulation.made_identities``).
"""

from __future__ import annotations

import csv
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from fewshot.loops import open_population
from fewshot.prototypes.classifier import Classifier
from fewshot.prototypes.gallery import IdentityGallery, choose_kind
from fewshot.prototypes.index import FLAT_NUMBERS, FlatVectors, ListedVectors
from fewshot.prototypes.one_thread import one_thread
from fewshot.prototypes.population import Population
from fewshot.prototypes.store import PrototypeStore
from fewshot.prototypes.supports import SupportSet
from fewshot.research.bench.gallery_file import load_gallery, save_gallery
from fewshot.research.bench.machine import describe
from fewshot.research.simulation.made_identities import DIMENSION, People
from fewshot.types import EMOTIONS, Vectors

QUERIES, REPEATS, TESTED = 49, 30, 1000
ENROLLED, LOOKED = 2, 4
"""Photos a reference is the mean of; looks a track has had when it is decided."""
PIECE = 50_000
LARGEST_STORE = 20_000
"""Students up to whom the whole classifier is measured; beyond, the distances of the index alone."""
COLUMNS = (
    "part", "students", "kind", "dimension", "memory_mb", "build_s", "save_s", "load_s", "file_mb", "ms_49",
    "ms_49_exact", "recall", "recall_hard", "remove_ms",
)  # fmt: skip
HEADS = (
    "students", "kind", "dimension", "memory, MB", "build, s", "save, s", "load, s", "file, MB", "**49 queries, ms**",
    "the same exactly, ms", "**recall@1**", "recall@1, hard", "remove one, ms",
)  # fmt: skip
FILES = ("save_s", "load_s", "file_mb")
EXACT = ("ms_49_exact", "recall", "recall_hard")
Row = dict[str, str]


def seconds(work: Callable[[], object]) -> float:
    """How long a piece of work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def median_ms(search: Callable[[int], object], repeats: int = REPEATS) -> float:
    """Median over batches; the first ones warm up."""
    times = []
    for batch in range(repeats):
        start = time.perf_counter()
        search(batch)
        times.append(time.perf_counter() - start)
    return 1000 * float(np.median(times[min(3, repeats // 2) :]))


def batch_of(queries: Vectors, number: int) -> Vectors:
    """49 queries, others for every number as far as there are others."""
    return queries[np.arange(number * QUERIES, (number + 1) * QUERIES) % len(queries)]


@dataclass
class Drawn:
    """What one size is measured on.

    Attributes:
        references: one a student, shape (n, 512).
        easy, hard: queries as in use, and of one picture each, shape (at most 1000, 512).
        easy_truth, hard_truth: rows of ``references`` that an exact search finds for them.
    """

    references: Vectors
    easy: Vectors
    hard: Vectors
    easy_truth: NDArray[np.int64]
    hard_truth: NDArray[np.int64]

    @classmethod
    def make(cls, students: int, seed: int) -> Drawn:
        """Draw people, and ask an exact search about the queries."""
        world, rng = People(seed), np.random.default_rng(seed)
        references = np.empty((students, DIMENSION), np.float32)
        tested = np.sort(rng.permutation(students)[:TESTED])
        easy, hard = [], []
        for start in range(0, students, PIECE):
            people = world.draw(min(PIECE, students - start))
            references[start : start + len(people)] = world.seen(people, ENROLLED)
            asked = people[tested[(tested >= start) & (tested < start + len(people))] - start]
            easy.append(world.seen(asked, LOOKED))
            hard.append(world.seen(asked))
        order = rng.permutation(len(tested))
        easy_queries, hard_queries = (np.concatenate(parts)[order] for parts in (easy, hard))
        exact = exactly(references)
        found = [exact.search(one, 1)[1][:, 0] for one in (easy_queries, hard_queries)]
        return cls(references, easy_queries, hard_queries, found[0], found[1])

    @classmethod
    def at(cls, students: int, seed: int, cache: Path | None) -> Drawn:
        """From the cache if it is there: to draw a million and search them exactly takes minutes."""
        if cache is None:
            return cls.make(students, seed)
        file = cache / f"people_{students}_{seed}.npz"
        if not file.is_file():
            cache.mkdir(parents=True, exist_ok=True)
            np.savez(file, **vars(cls.make(students, seed)))
        with np.load(file) as stored:
            return cls(**stored)


def exactly(references: Vectors) -> faiss.IndexFlatIP:
    """An exact index of references, shape (n, 512)."""
    index = faiss.IndexFlatIP(references.shape[1])
    index.add(references)
    return index


def measure_gallery(drawn: Drawn, folder: Path) -> Row:
    """Build, search, save, load and forget, beside an exact search."""
    students = len(drawn.references)
    exact = exactly(drawn.references)
    gallery, path = IdentityGallery(DIMENSION, "synthetic"), folder / "gallery"
    keys = [f"student-{number:07d}" for number in range(students)]
    build = seconds(lambda: gallery.add(keys, drawn.references))
    recalls = [
        float((gallery.search(queries)[0][:, 0] - 1 == known).mean())
        for queries, known in ((drawn.easy, drawn.easy_truth), (drawn.hard, drawn.hard_truth))
    ]
    found = median_ms(lambda batch: gallery.search(batch_of(drawn.easy, batch)))
    # A million exactly takes seconds: fewer batches tell enough.
    flat = median_ms(lambda batch: exact.search(batch_of(drawn.easy, batch), 1), REPEATS if students < PIECE else 5)
    save = seconds(lambda: save_gallery(gallery, path))
    load = seconds(lambda: load_gallery(path))
    memory = gallery.nbytes / 1e6
    leaving = keys[:: max(1, students // 5)][:5]
    remove = seconds(lambda: [gallery.remove(key) for key in leaving]) / len(leaving)
    values = [memory, build, save, load, path.stat().st_size / 1e6, found, flat, *recalls, 1000 * remove]
    path.unlink()
    return row("gallery", students, choose_kind(students, DIMENSION), DIMENSION, values)


def row(part: str, students: int, kind: str, dimension: int, values: list[float]) -> Row:
    """One row of the table; a number that is none stays empty."""
    cells = [
        part,
        str(students),
        kind,
        str(dimension),
        *("" if np.isnan(value) else f"{value:.4g}" for value in values),
    ]
    return dict(zip(COLUMNS, cells, strict=True))


def photos(population: Population, rng: np.random.Generator, student: int) -> SupportSet:
    """A neutral photo, one of an emotion, one of a state of the student's own: eight prototypes."""
    emotions: list[str | None] = ["neutral", EMOTIONS[student % 6], "confused"]
    vectors = rng.standard_normal((3, len(population.mean)), dtype=np.float32)
    return SupportSet(
        vectors / np.linalg.norm(vectors, axis=1, keepdims=True), emotions, [f"{student}-{k}" for k in range(3)]
    )


def measure_store(students: int, seed: int) -> Row:
    """The real thing: a class's store and the classifier that reads a frame by it, verdicts included."""
    population, rng = open_population(), np.random.default_rng(seed)
    dimension = len(population.mean)
    store = PrototypeStore(dimension, 8, population.network, "synthetic")
    keys = [f"student-{number:07d}" for number in range(students)]
    for number, key in enumerate(keys):
        store.add(key, photos(population, rng, number), np.zeros((0, 8), np.float32))
    made: list[Classifier] = []

    def build() -> None:
        store.rebuild(population)
        made.append(Classifier(population, store))

    built = seconds(build)
    vectors = rng.standard_normal((QUERIES, dimension), dtype=np.float32)
    asked = [[keys[k] for k in rng.integers(students, size=QUERIES)] for _ in range(REPEATS)]
    read = median_ms(lambda batch: made[0].read(vectors, asked[batch]))
    found = store.prototypes_of(keys[0])
    width = 0 if found is None else len(found.rows)
    memory, kind = store.index.nbytes / 1e6, store.index.kind
    remove = seconds(lambda: store.remove(keys[0]))
    none = float("nan")
    values = [memory, built, none, none, none, read, none, 1.0, none, 1000 * remove]
    return row("prototypes", students, f"classifier, {kind}, {width} each", dimension, values)


def measure_index(students: int, seed: int, kind: str) -> Row:
    """The distances alone, of one kind of index; beside them a selector search for every face over a flat index.

    A selector passes over everybody else's vectors for every face, so it is measured only where it ends in time.
    """
    rng, width, dimension = np.random.default_rng(seed), 8, len(open_population().mean)
    matrix = rng.standard_normal((students * width, dimension), dtype=np.float32)
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    places = np.arange(students * width, dtype=np.int64)
    made: list[FlatVectors | ListedVectors] = []
    build = seconds(
        lambda: made.append(FlatVectors(matrix, places) if kind == "flat" else ListedVectors(matrix, places // width))
    )
    queries = rng.standard_normal((QUERIES, dimension), dtype=np.float32)
    asked = rng.integers(students, size=(10 * REPEATS, QUERIES, 1)) * width + np.arange(width)
    with one_thread():
        read = median_ms(lambda batch: made[0].distances(queries, asked[batch]), len(asked))
        selector = float("nan")
        if students <= PIECE:
            flat = faiss.IndexFlatL2(dimension)
            flat.add(matrix)
            selector = median_ms(lambda batch: selected(flat, queries, asked[batch]))
    none = float("nan")
    values = [matrix.size * made[0].bytes_per_number / 1e6, build, none, none, none, read, selector, 1.0, none, none]
    return row("index", students, f"{kind}, {width} each", dimension, values)


def selected(flat: faiss.IndexFlatL2, queries: Vectors, places: NDArray[np.int64]) -> None:
    """One search per face among its own student's prototypes."""
    for query, own in zip(queries, places, strict=True):
        chosen = faiss.SearchParameters(sel=faiss.IDSelectorBatch(own))  # type: ignore[call-arg]
        flat.search(query[None], len(own), params=chosen)


def table(rows: list[Row]) -> str:
    """The report, in markdown."""
    heads = dict(zip(COLUMNS[1:], HEADS, strict=True))
    lines = [
        "# FAISS at the size of a class, a school and a nation",
        "",
        "    python experiments/benchmark_store.py",
        "",
        *(f"- {name}: {value}" for name, value in describe().items()),
        f"- FAISS threads {faiss.omp_get_max_threads()}; medians of {REPEATS - 3} batches of {QUERIES} queries",
    ]
    for part, title, note, left_out in (
        ("gallery", "Identity gallery", GALLERY_NOTE, ()),
        ("prototypes", "Emotion prototypes: the classifier", STORE_NOTE, (*FILES, *EXACT)),
        ("index", "Emotion prototypes: the distances alone", INDEX_NOTE, (*FILES, *EXACT[1:], "remove_ms")),
    ):
        names = [name for name in heads if name not in left_out]
        lines += ["", f"## {title}", "", note, "", "| " + " | ".join(heads[name] for name in names) + " |"]
        lines.append("|---" * len(names) + "|")
        lines += ["| " + " | ".join(one[name] or "-" for name in names) + " |" for one in rows if one["part"] == part]
    return "\n".join(lines) + "\n"


GALLERY_NOTE = f"""One reference a student. **Synthetic vectors** with the spread of real ones: variances between and
within people in their principal directions, as MobileFaceNet's vectors of LFW have them (`made_identities.py`).
As in use: a reference is the mean of {ENROLLED} photos, a query that of {LOOKED} looks at a track. All pictures are
years apart, as in LFW; those of one lesson are more alike (CFEE, one session: median cosine 0.89, here 0.79). Hard: one
picture as the query. recall@1: share of {TESTED} queries whose nearest reference is the one that `IndexFlatIP` finds;
its time stands beside, from the same run."""
STORE_NOTE = """Every face is compared with its own student's prototypes. `Classifier.read`, the path that runs: one
FAISS call for the distances of a frame, then allowance, probabilities and reject option."""
INDEX_NOTE = f"""One call of `PrototypeIndex.distances` for {QUERIES} faces. Flat: `compute_distance_subset` on an
`IndexFlatL2`. Lists: an inverted file with one list per student, 16 bits per number (squared distances change by less
than 0.005). "The same exactly": a selector search on a flat index for every face, in the same run; not measured beyond
{PIECE:,} students. Which one is used: flat up to {FLAT_NUMBERS:,} numbers."""


def plot(rows: list[Row], path: Path) -> None:
    """Milliseconds over students, all parts."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    lines = (
        ("gallery", "", "ms_49_exact", "identity, exact", "o--"),
        ("gallery", "", "ms_49", "identity, as the rule chooses", "o-"),
        ("prototypes", "", "ms_49", "emotion prototypes, classifier", "s-"),
        ("index", "flat", "ms_49", "distances alone, flat", "^-"),
        ("index", "lists", "ms_49", "distances alone, lists", "v-"),
        ("index", "flat", "ms_49_exact", "distances alone, selector search", "x--"),
    )
    for part, kind, column, label, style in lines:
        chosen = [one for one in rows if one["part"] == part and one["kind"].startswith(kind) and one[column]]
        points = sorted((int(one["students"]), float(one[column])) for one in chosen)
        axes.plot(*zip(*points, strict=True), style, label=label)
    for limit, label in ((15, "limit, identity: 15 ms"), (1, "limit, prototypes: 1 ms")):
        axes.axhline(limit, color="grey", linewidth=0.8, linestyle=":")
        axes.annotate(
            label, (1, limit), xycoords=("axes fraction", "data"), ha="right", va="bottom", fontsize=8, color="grey"
        )
    axes.set(xscale="log", yscale="log", xlabel="students", ylabel=f"ms for {QUERIES} faces")
    axes.legend(frameon=False)
    figure.savefig(path, dpi=150)


def write(measured: list[Row], out: Path) -> None:
    """Table, plot and csv of these rows and of those that were there."""
    out.mkdir(parents=True, exist_ok=True)
    stored: list[Row] = []
    if (out / "store.csv").is_file():
        with (out / "store.csv").open(newline="", encoding="utf-8") as file:
            stored = list(csv.DictReader(file))
    rows = {(one["part"], int(one["students"]), one["kind"].split(",")[0]): one for one in [*stored, *measured]}
    ordered = [rows[key] for key in sorted(rows)]
    with (out / "store.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(ordered)
    (out / "store.md").write_text(table(ordered), encoding="utf-8")
    plot(ordered, out / "store.png")
