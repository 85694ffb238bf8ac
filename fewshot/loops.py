"""Loops and populations put together from their parts, for a class or without one; and one call for one picture."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fewshot.classroom.class_enrollment import PathLike
from fewshot.classroom.matching import TrackStudents
from fewshot.classroom.people import People
from fewshot.classroom.thresholds import identity_thresholds
from fewshot.errors import StoreError, UsageError
from fewshot.live.loop import Loop
from fewshot.live.sources.opening import open_picture
from fewshot.models.files import REGISTRY, WEIGHTS, network_file, resolve
from fewshot.perception import Perception, open_perception
from fewshot.prototypes.classifier import Classifier
from fewshot.prototypes.population import Population
from fewshot.types import Frame, Reading

if TYPE_CHECKING:
    from fewshot.faces.tracker import Tracker
    from fewshot.live.loop import Reader, SeesFrames, Students
    from fewshot.live.smoothing import Smoother


def open_population(network: PathLike | None = None) -> Population:
    """Load the population prototypes beside a network; None uses the network in use.

    Those of the shipped network are used only if their checksum is right. Nobody knows the checksum of your own.

    Raises:
        UsageError: there is no file with population prototypes beside it.
        ModelUnavailable: the shipped file is missing or damaged.
        StoreError: your own file is damaged.
    """
    own = network_file(network)
    if own is None or own.resolve() == (WEIGHTS / REGISTRY["expression"].file).resolve():
        return Population.load(resolve("population"))
    path = own.with_suffix(".json")
    if not path.is_file():
        raise UsageError(
            f"There is no file {path}. It must contain the network's population prototypes.",
            hint="To create it, type: python experiments/population.py",
        )
    return Population.load(path)


def make_loop(
    perception: Perception,
    reader: Reader | None = None,
    students: Students | None = None,
    *,
    smoother: Smoother | None = None,
    tracker: Tracker | None = None,
    budget: float | None = None,
    network: PathLike | None = None,
    only_changed: bool = False,
    labels: SeesFrames | None = None,
) -> Loop:
    """A loop with these students; by default it numbers the people it sees and uses the population prototypes.

    Args:
        perception: finds faces and computes their vectors.
        reader: classifies vectors; None uses the population prototypes beside the perception's network.
        students: assigns students to tracks; None: no student, and people are numbered ("person 1").
        labels: sees every frame before its faces get names, see ``Loop``.
        smoother, tracker, budget, only_changed: see ``Classroom.loop``.
        network: the network that the perception was opened with.

    Raises:
        StoreError: the population prototypes belong to another network.
    """
    if reader is None:
        population = open_population(network)
        require_network(population, perception.network)
        reader = Classifier(population)
    if students is None and perception.can_identify:
        thresholds = identity_thresholds(perception.identity_network)
        students = TrackStudents([], np.zeros((0, 1), np.float32), thresholds, People(thresholds))
    return Loop(
        perception,
        reader,
        students,
        smoother=smoother,
        tracker=tracker,
        budget=budget,
        moving=perception.following(),
        only_changed=only_changed,
        labels=labels,
    )


def read(
    picture: str | os.PathLike[str] | Frame,
    *,
    detector: str = "auto",
    download: bool = True,
    network: PathLike | None = None,
) -> list[Reading]:
    """The faces in one picture and their expressions, without a class: nobody is recognised.

    The models are loaded in the first call and kept.

    Args:
        picture: path of a picture, or an array: BGR (as OpenCV reads it), BGRA or grey, uint8, shape
            (height, width, 3), (height, width, 4) or (height, width).
        detector: "auto", "scrfd", "yunet" or "cascade".
        download: whether missing models may be downloaded.
        network: your own expression network, see ``Classroom``.

    Returns:
        One reading per face, from left to right; [] if there is no face. ``emotion`` None means unsure, and ``reasons``
        says why a face cannot be classified.

    Raises:
        UsageError: there is no such file, or it is not a picture.
        ModelUnavailable: a model is not on this machine and cannot be downloaded.

    Examples:
        >>> for reading in fewshot.read("party.jpg"):  # doctest: +SKIP
        ...     print(reading.box, reading.emotion or "unsure", reading.confidence)
    """
    source = open_picture(picture)
    perception, reader = _for_pictures(detector, download, network_file(network))
    loop = Loop(perception, reader)
    (step,) = [loop.step(captured) for captured in source]
    return sorted(step.result.readings, key=lambda reading: reading.box[0])


@functools.lru_cache(maxsize=4)
def _for_pictures(detector: str, download: bool, network: Path | None) -> tuple[Perception, Classifier]:
    perception = open_perception(detector, download=download, network=network)
    population = open_population(network)
    require_network(population, perception.network)
    return perception, Classifier(population)


def require_network(population: Population, network: str) -> None:
    """Raises StoreError unless the population prototypes were made by this network."""
    if population.network != network:
        raise StoreError(
            f"The network in use is {network}, but the population prototypes beside it were made by "
            f"{population.network}.",
            hint="To compute them again, type: python experiments/population.py",
        )
