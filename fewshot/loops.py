"""Loops and populations put together from their parts, for a class or without one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fewshot.classroom.class_enrollment import PathLike
from fewshot.classroom.matching import TrackStudents
from fewshot.classroom.people import People
from fewshot.classroom.thresholds import identity_thresholds
from fewshot.errors import StoreError, UsageError
from fewshot.live.loop import Loop
from fewshot.models.files import REGISTRY, WEIGHTS, network_file, resolve
from fewshot.perception import Perception
from fewshot.prototypes.classifier import Classifier
from fewshot.prototypes.population import Population

if TYPE_CHECKING:
    from fewshot.faces.tracker import Tracker
    from fewshot.live.loop import Reader, Students
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
) -> Loop:
    """A loop with these students; by default it numbers the people it sees and uses the population prototypes.

    Args:
        perception: finds faces and computes their vectors.
        reader: classifies vectors; None uses the population prototypes beside the perception's network.
        students: assigns students to tracks; None: no student, and people are numbered ("person 1").
        smoother, tracker, budget: see ``Classroom.loop``.
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
        perception, reader, students, smoother=smoother, tracker=tracker, budget=budget, moving=perception.following()
    )


def require_network(population: Population, network: str) -> None:
    """Raises StoreError unless the population prototypes were made by this network."""
    if population.network != network:
        raise StoreError(
            f"The network in use is {network}, but the population prototypes beside it were made by "
            f"{population.network}.",
            hint="To compute them again, type: python experiments/population.py",
        )
