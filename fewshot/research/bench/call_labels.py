"""How often the label of a tile gives the right student, on made galleries of video calls."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from pathlib import Path
from time import thread_time

import numpy as np
from numpy.typing import NDArray

from fewshot.call_labels.reader import LabelReader, open_reader
from fewshot.call_labels.tile_labels import AGREE_NEAR, EVERY, ReadsLabels, Text, TileLabels
from fewshot.research.simulation.call_gallery import CODECS, GalleryLook, draw_gallery, shrunk
from fewshot.research.simulation.made_names import as_written, made_class
from fewshot.types import Face, Frame, Quality

TILES = (9, 16, 25, 36, 49)
SIZES = ((1280, 720), (1920, 1080))
READINGS = AGREE_NEAR + 1
"""Frames of one gallery that are looked at, a little more than EVERY seconds apart."""
GUESTS = 0.1
"""Share of the tiles that show somebody who is not in the class."""
_GOOD = Quality(size=60, sharpness=1, yaw=0, pitch=0, roll=0, brightness=128)


@dataclass(slots=True)
class Counts:
    """What became of the labels.

    Attributes:
        students: labels of students.
        right: of these, those that gave the student.
        wrong: labels, also of guests, that gave somebody else.
        guests: labels of people who are not in the class.
        seconds, read: processor time of reading, and how many labels were read in it.
        missed: what was written on the labels that gave nothing, and what was read instead, for the person who tunes.
    """

    students: int = 0
    right: int = 0
    wrong: int = 0
    guests: int = 0
    seconds: float = 0.0
    read: int = 0
    missed: list[tuple[str, str]] = field(default_factory=list)

    def add(self, other: Counts) -> None:
        """Count the labels of another one too."""
        self.students += other.students
        self.right += other.right
        self.wrong += other.wrong
        self.guests += other.guests
        self.seconds += other.seconds
        self.read += other.read
        self.missed += other.missed

    def row(self) -> dict[str, str]:
        """The numbers as a table shows them."""
        labels = self.students + self.guests
        return {
            "labels": str(labels),
            "right %": f"{100 * self.right / max(1, self.students):.2f}",
            "wrong %": f"{100 * self.wrong / max(1, labels):.3f}",
            "no name %": f"{100 * (self.students - self.right) / max(1, self.students):.2f}",
        }


class _Watched:
    """Keeps the latest text of every face, so that a miss can be looked at, and how long it took."""

    def __init__(self, reader: ReadsLabels) -> None:
        self._reader = reader
        self.latest: dict[int, Text | None] = {}
        self.seconds, self.count = 0.0, 0

    def read(self, frame: Frame, boxes: Sequence[NDArray[np.floating]], wanted: Sequence[int]) -> Sequence[Text | None]:
        begun = thread_time()
        found = self._reader.read(frame, boxes, wanted)
        self.seconds, self.count = self.seconds + thread_time() - begun, self.count + len(wanted)
        self.latest.update(zip(wanted, found, strict=True))
        return found


def looks(fonts: Sequence[Path], sizes: Sequence[tuple[int, int]] = SIZES) -> list[tuple[GalleryLook, int]]:
    """Every size, number of tiles, theme and font, with two compressions each; letters are as calls have them."""
    found: list[tuple[GalleryLook, int]] = []
    for size, count, dark, font in product(sizes, TILES, (True, False), fonts):
        for place in range(2):
            number = len(found)
            letters = (12 if size[1] < 1000 else 13) + (2 if count <= 16 else 0) + number % 3
            codec = CODECS[(number // 2 + place) % len(CODECS)]
            found.append((GalleryLook(font, size, dark, letters, number % 4 == 3, codec), count))
    return found


def one_gallery(
    reader: ReadsLabels, look: GalleryLook, count: int, seed: int, test: bool, share: float = 1.0
) -> Counts:
    """Read one gallery as a lesson does, several frames of it, and compare with what is written.

    Args:
        reader: reads the labels.
        look: how it looks.
        count: number of tiles.
        seed: draws names and pictures.
        test: names for the test; False: for tuning.
        share: the picture is shrunk to this share of its width.
    """
    rng = np.random.default_rng(seed)
    names = made_class(rng, count + 6, test)
    students, strangers = names[: count + 1], names[count + 1 :]
    truth: list[str | None] = list(students[:count])
    written = [as_written(name, rng) for name in students[:count]]
    for place in np.flatnonzero(rng.random(count) < GUESTS)[: len(strangers)].tolist():
        written[place], truth[place] = strangers.pop(), None
    frames, tiles = draw_gallery(written, look, rng, READINGS)
    if share != 1:
        frames, tiles = shrunk(frames, tiles, share)
    watched = _Watched(reader)
    labels = TileLabels(watched, wait=True)
    labels.names(students, students)
    faces = [
        Face(tile.face, np.zeros((5, 2), np.float32), 0.9, np.zeros((112, 112), np.uint8), _GOOD, track=number)
        for number, tile in enumerate(tiles)
    ]
    last = 0.0
    for moment, frame in enumerate(frames):
        last = moment * (EVERY + 0.05)
        labels.see(frame, faces, last)
    said = [labels.student_of(number, last) for number in range(count)]
    counts = Counts(seconds=watched.seconds, read=watched.count)
    for number, (right, answer) in enumerate(zip(truth, said, strict=True)):
        counts.students += right is not None
        counts.guests += right is None
        counts.right += right is not None and answer == right
        counts.wrong += answer is not None and answer != right
        if answer != right:
            text = watched.latest.get(number)
            read = "-" if text is None else f"{text.text} ({text.score:.2f})"
            kind = "" if answer is None else f" = {answer}"
            counts.missed.append((tiles[number].written, f"{read}{kind}"))
    return counts


def measured(
    fonts: Sequence[Path], test: bool, seed: int = 0, share: float = 1.0, sizes: Sequence[tuple[int, int]] = SIZES,
    every: int = 1, tell: Callable[[str], None] = lambda _said: None,
) -> dict[tuple[str, str], Counts]:  # fmt: skip
    """All galleries, counted by what they have in common: (what, value) -> counts; ("all", "") has all of them.

    Args:
        fonts, sizes: see ``looks``.
        test, share: see ``one_gallery``.
        seed: draws other names and pictures.
        every: only each such gallery.
        tell: is told about each gallery.
    """
    chosen = list(enumerate(looks(fonts, sizes)))[::every]
    found: dict[tuple[str, str], Counts] = {}
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        counted = pool.map(
            _gallery, [(look, count, 1000 * seed + number, test, share) for number, (look, count) in chosen]
        )
        for (number, (look, count)), counts in zip(chosen, counted, strict=True):
            said = f"{number}: {count} tiles, {look.size[1]}, {look.font.stem}, {look.letters}, {look.codec}"
            tell(f"{said}: {counts.missed}")
            for kind in (
                ("all", ""),
                ("size", f"{look.size[0]}x{look.size[1]}"),
                ("tiles", str(count)),
                ("theme", "light letters on dark" if look.dark else "dark letters on light"),
                ("font", look.font.stem),
                ("compression", look.codec),
            ):
                found.setdefault(kind, Counts()).add(counts)
    return {kind: found[kind] for kind in sorted(found, key=lambda one: (one[0] != "all", one[0], len(one[1]), one[1]))}


def _gallery(asked: tuple[GalleryLook, int, int, bool, float]) -> Counts:
    return one_gallery(_reader(), *asked)


@cache
def _reader() -> LabelReader:
    """One for each process."""
    return open_reader()
