"""What every protocol is given, and what it gives back: tables and plots with what is needed to make them again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fewshot.embedding.runtime import Embedder
from fewshot.errors import UsageError
from fewshot.faces.open_detector import open_detector
from fewshot.inference.onnx import Engine
from fewshot.perception import Perception
from fewshot.prototypes.population import Population
from fewshot.research.datasets.counts import readable, without_copies
from fewshot.research.datasets.forms import load_pictures
from fewshot.research.datasets.own_folder import PARTS
from fewshot.research.datasets.parts import divided
from fewshot.research.datasets.subjects import Picture, read_subjects
from fewshot.research.evaluation.crops import Change, Crops, crop_pictures
from fewshot.research.evaluation.estimators.base import EnrollmentEstimator, FewShotEstimator
from fewshot.research.evaluation.intervals import Interval
from fewshot.research.evaluation.peers import Peer, peer_outputs
from fewshot.research.evaluation.tables import markdown, write_csv
from fewshot.research.evaluation.vectors import Embedded, beside, detector_of, embed_pictures, spread
from fewshot.types import EMOTIONS
from fewshot.unit_vectors import unit_rows

Cell = str | int | float | Interval
Row = Mapping[str, Cell]
Plot = Callable[[Path], None]
"""Draws a picture and writes it to that path."""
OWN_DATA = "own"
"""The name of the data set that whoever runs a protocol brings."""


@dataclass(frozen=True)
class Context:
    """What an evaluation is run with.

    Attributes:
        shared: folder with ``data`` and ``models``.
        network: the ONNX file that is evaluated; its Population lies beside it.
        outputs: for caches, for what ``experiments/prepare.py`` wrote, and for pictures of faces; never committed.
        seed: of every draw.
        engine: what runs the network; engines differ in the last bits.
        estimators: by name, what few photos are turned into prototypes with.
        command: the line that makes the tables again.
        own: your own pictures, a folder or a csv, which protocols know as the data set ``OWN_DATA``.
        form: of them, one of ``fewshot.research.datasets.forms.FORMS`` or "auto".
        part: only this part of them, "train", "val" or "test", as training with the same seed divides them; "": all.
    """

    shared: Path
    network: Path
    outputs: Path = Path("outputs")
    seed: int = 0
    engine: Engine = "onnxruntime"
    estimators: Mapping[str, FewShotEstimator | EnrollmentEstimator] = field(default_factory=dict)
    command: str = ""
    own: Path | None = None
    form: str = "auto"
    part: str = ""

    @cached_property
    def embedder(self) -> Embedder:
        """The network, opened at the first call."""
        return Embedder(self.network, engine=self.engine)

    @cached_property
    def chain(self) -> Perception:
        """SCRFD and the network: what enrollment and the live loop use. Your own are also classified with the best
        detector at hand where there is no shared folder."""
        alone = self.own is not None and not self.shared.is_dir()
        return Perception(open_detector("auto") if alone else detector_of(self.shared), self.embedder)

    @cached_property
    def population(self) -> Population:
        """The runtime's prototypes, which lie beside the network whatever its precision."""
        return Population.load(beside(self.network, ".json"))

    @property
    def cache(self) -> Path:
        """Folder of vectors that were computed before."""
        return self.outputs / "vectors"

    @property
    def root(self) -> Path:
        """Where the data of the shared folder lie."""
        return self.shared / "data"

    def root_of(self, dataset: str) -> Path:
        """Where the paths of its pictures start.

        Raises:
            UsageError: they are one's own, and nobody said where they lie.
        """
        if dataset != OWN_DATA:
            return self.root
        if self.own is None:
            raise UsageError("Whose pictures? Name a folder with PERSON/EMOTION/*.jpg, or a csv file: own=PATH.")
        return self.own if self.own.is_dir() else self.own.parent

    def pictures(self, dataset: str, emotions: Sequence[str] = EMOTIONS) -> list[Picture]:
        """Pictures of a data set that show one of ``emotions`` (empty: all), in the order of the table, each once."""
        root = self.root_of(dataset)
        everything = (
            _brought(self.own, root, self.form, self.part, self.seed)[0]
            if dataset == OWN_DATA
            else _uncopied(root, dataset)
        )
        return [picture for picture in everything if not emotions or picture.emotion in emotions]

    @property
    def left_out(self) -> tuple[str, ...]:
        """In sentences, which of your own pictures cannot be used, and what is not known of the others."""
        root = self.root_of(OWN_DATA)
        return _brought(self.own, root, self.form, self.part, self.seed)[1] if self.own is not None else ()

    def embed(
        self,
        dataset: str,
        emotions: Sequence[str] = EMOTIONS,
        features: bool = False,
        change: Change | None = None,
    ) -> Embedded:
        """Those pictures as the network sees them, from the cache where they are; see ``embed_pictures``."""
        if change is not None:
            chosen = self.pictures(dataset, emotions)
            return embed_pictures(self.chain, chosen, self.root_of(dataset), self.cache, features, change)
        self._crops(dataset)
        everything = self.pictures(dataset, ())
        seen = embed_pictures(self.chain, everything, self.root_of(dataset), self.cache, features)
        return seen.only(_shows(everything, emotions))

    def _crops(self, dataset: str) -> Crops:
        """All of a data set, in colour: one look of the detector serves every network and protocol."""
        everything, root = self.pictures(dataset, ()), self.root_of(dataset)
        return crop_pictures(self.chain, everything, root, self.cache, colour=True)

    def faces(self, dataset: str) -> tuple[list[Picture], NDArray[np.uint8]]:
        """Every picture of a data set with a face, and the faces: BGR where there is colour, else grey."""
        crops = self._crops(dataset)
        pictures = [picture for picture, found in zip(self.pictures(dataset, ()), crops.found, strict=True) if found]
        return pictures, (crops.grey if crops.colour is None else crops.colour)[crops.found]

    def embed_peer(self, peer: Peer, dataset: str, emotions: Sequence[str] = EMOTIONS) -> Embedded:
        """The same pictures as a published network sees them: its features, once scaled to length 1, once as they are.

        Raises:
            ModelUnavailable: the peer's file is not here.
            UsageError: it gives no features.
        """
        everything, found = self.pictures(dataset, ()), self._crops(dataset).found
        _, features = peer_outputs(peer, self.shared, self.faces(dataset)[1], self.cache)
        if features is None:
            raise UsageError(f"{peer.name} gives no feature vectors. Choose a peer that does, such as face-api.js.")
        unit = unit_rows(features)
        full = Embedded(everything, spread(unit, found), spread(features, found), found)
        return full.only(_shows(everything, emotions))


@lru_cache
def _uncopied(root: Path, dataset: str) -> list[Picture]:
    """All pictures of a data set but copies of one another, which would be asked about while they are enrolled."""
    return without_copies(read_subjects(root / "subjects.csv", datasets=[dataset], emotions=()), root)[0]


@lru_cache
def _brought(own: Path, root: Path, form: str, part: str, seed: int) -> tuple[list[Picture], tuple[str, ...]]:
    """Your own pictures without copies and without those that cannot be opened, and what was left out, in sentences."""
    notes: list[str] = []
    pictures = load_pictures(own, form, on_problem=notes.append)
    if part:
        if part not in PARTS:
            raise UsageError(f"part={part} is unknown. Use part=train, part=val or part=test.")
        pictures = [picture for picture in divided(pictures, seed) if picture.part == part]
    good, problems = readable(pictures, root)
    notes += [f"Left out: {problem}" for problem in problems]
    if not good:
        raise UsageError(f"No picture in {own} can be used{f' for part={part}' if part else ''}. {' '.join(notes[:1])}")
    kept = without_copies(good, root)[0]
    unknown = [picture for picture in kept if not picture.subject]
    if unknown:
        notes.append(
            f"Who is on {len(unknown)} of {len(kept)} pictures is not known. Each counts as another person, so "
            "supports and queries may show the same one, and the accuracy is too high for new people."
        )
        kept = [
            picture if picture.subject else replace(picture, subject=f"unknown {number}")
            for number, picture in enumerate(kept, start=1)
        ]
    return kept, tuple(notes)


@dataclass(frozen=True)
class Table:
    """Rows with whatever columns they have.

    Attributes:
        title: above it, in words.
        rows: numbers and intervals are formatted on writing.
        name: of the CSV file, after the protocol's; empty for its main table.
        note: under it.
        shown: False keeps it out of the Markdown: for curves, which are looked at as plots.
    """

    title: str
    rows: Sequence[Row]
    name: str = ""
    note: str = ""
    shown: bool = True


@dataclass(frozen=True)
class Report:
    """What a protocol found.

    Attributes:
        name: of the files.
        title: what was asked.
        about: how, in a few sentences.
        roles: data set to what it was used for ("test", "development").
        tables: the main one first.
        plots: by name of the PNG file, after the protocol's.
    """

    name: str
    title: str
    about: str
    roles: Mapping[str, str]
    tables: Sequence[Table]
    plots: Mapping[str, Plot] = field(default_factory=dict)

    def write(self, folder: Path, context: Context) -> Path:
        """Write ``<name>.md``, a CSV a table and a PNG a plot; returns the Markdown file."""
        folder.mkdir(parents=True, exist_ok=True)
        for table in self.tables:
            _write_csv(table.rows, folder / f"{self.name}{'_' * bool(table.name)}{table.name}.csv")
        for name, plot in self.plots.items():
            plot(folder / f"{self.name}_{name}.png")
        path = folder / f"{self.name}.md"
        path.write_text(self.text(context), encoding="utf-8")
        return path

    def text(self, context: Context) -> str:
        """The Markdown: how to make it again, the tables, the plots."""
        parts = [
            f"# {self.title}",
            f"    {context.command}",
            f"Network `{context.population.network}` (`{context.network.name}`, {context.embedder.engine}), "
            f"seed {context.seed}. Intervals: 95 %.",
            "Data: " + "; ".join(f"{name}: **{role}**" for name, role in self.roles.items()) + ".",
            self.about,
        ]
        for table in (table for table in self.tables if table.shown):
            parts += [f"## {table.title}", markdown([in_words(row) for row in table.rows]).strip(), table.note]
        parts += [f"![{name.replace('_', ' ')}]({self.name}_{name}.png)" for name in self.plots]
        return "\n\n".join(part for part in parts if part) + "\n"


def _shows(pictures: Sequence[Picture], emotions: Sequence[str]) -> NDArray[np.bool_]:
    """Which pictures show one of these; all if none is named, shape (n,)."""
    return np.array([not emotions or picture.emotion in emotions for picture in pictures], bool)


def in_words(row: Row) -> dict[str, str]:
    """As people read it: three digits."""
    return {name: f"{cell:.3f}" if isinstance(cell, float) else str(cell) for name, cell in row.items()}


def _write_csv(rows: Sequence[Row], path: Path) -> None:
    """As programs read it: five digits, so that three rounded from them are right; an interval in three columns."""
    plain = []
    for row in rows:
        cells: dict[str, str] = {}
        for name, cell in row.items():
            if isinstance(cell, Interval):
                numbers = (cell.value, cell.low, cell.high)
                cells |= {f"{name}{end}": f"{x:.5f}" for end, x in zip(("", "_low", "_high"), numbers, strict=True)}
            else:
                cells[name] = f"{cell:.5f}" if isinstance(cell, float) else str(cell)
        plain.append(cells)
    write_csv(plain, path)
