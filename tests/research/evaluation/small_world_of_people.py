"""A made-up data set: a population in sixteen dimensions, and people drawn from its own model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fewshot.prototypes.calibration import Calibration
from fewshot.prototypes.population import Population, Variances
from fewshot.research.evaluation.album import Album
from fewshot.types import EMOTIONS

CLASSES = EMOTIONS
DIMENSION = 16


def world() -> tuple[Population, np.random.Generator]:
    """Seven emotions on the axes, and a generator to draw people with."""
    population = Population(
        network="small-1",
        classes=CLASSES,
        mean=np.full(DIMENSION, 0.01, np.float32),
        prototypes=np.eye(DIMENSION, dtype=np.float32)[: len(CLASSES)],
        variances=Variances(classroom=0.2, student=0.3, interaction=0.2, within=0.1, common=0.5),
        calibration=Calibration((0.0, 2.0), (0.2, 0.1), (1.6, 1.4), (0.1, 0.05)),
    )
    return population, np.random.default_rng(11)


def album_of(people: dict[str, dict[str, int]]) -> Album:
    """So many random photos of each person and emotion."""
    subjects, emotions = [], []
    for who, kinds in people.items():
        for emotion, count in kinds.items():
            subjects += [who] * count
            emotions += [emotion] * count
    vectors = np.random.default_rng(3).normal(size=(len(subjects), DIMENSION)).astype(np.float32)
    return Album(vectors, tuple(subjects), tuple(emotions))


def made_album(
    population: Population,
    rng: np.random.Generator,
    people: int,
    takes: int,
    camera: float = 0.7,
    person: float = 0.5,
    own_way: float = 0.5,
    noise: float = 0.35,
) -> Album:
    """Photos z = b + mu_e + camera + person + own way + noise; each effect by its length."""

    def effect(length: float, *shape: int) -> NDArray[np.float64]:
        return rng.normal(size=(*shape, DIMENSION)) * length / np.sqrt(DIMENSION)

    room, vectors, subjects, emotions = effect(camera), [], [], []
    for number in range(people):
        offset, ways = effect(person), effect(own_way, len(CLASSES))
        for column, emotion in enumerate(population.classes):
            for _ in range(takes):
                vectors.append(
                    population.mean + population.prototypes[column] + room + offset + ways[column] + effect(noise)
                )
                subjects.append(f"p{number}")
                emotions.append(emotion)
    return Album(np.array(vectors, np.float32), tuple(subjects), tuple(emotions))
