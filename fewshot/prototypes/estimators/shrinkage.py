"""The three effects of the hierarchical model, each predicted from the enrolled photos."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fewshot.prototypes.estimators.base import Cells
from fewshot.prototypes.population import Population, Variances


@dataclass(frozen=True, eq=False, slots=True)
class ClassEffect:
    """The effect of a class's camera and light on each emotion, and its information matrix.

    Attributes:
        shift: c_e, shape (k, d).
        information: information of all photos about c_e, shape (k, k); zeros without photos.
    """

    shift: NDArray[np.float64]
    information: NDArray[np.float64]


def cell_precision(counts: NDArray[np.float64], variances: Variances) -> NDArray[np.float64]:
    """w_e = 1 / (s_g^2 + s_w^2 / n_e): precision of m_e about the student's offset; 0 without a photo. Shape (k,)."""
    spread = variances.interaction + variances.within / np.where(counts > 0, counts, 1.0)
    return np.where(counts > 0, 1.0 / np.maximum(spread, 1e-12), 0.0)


def class_effect(population: Population, students: Iterable[Cells]) -> ClassEffect:
    """c_e: the effect of this class's camera and light on each emotion, from all photos enrolled in the class.

    Best linear unbiased prediction (Henderson 1975) of c_e with the students' offsets integrated out, so that a student
    with many photos is not mistaken for the camera. Given this c_e, ``student_offset`` is the same model's prediction
    of d_s.

    Args:
        population: mu_e, shape (k, d), and the variances.
        students: number and mean of each student's photos.

    Returns:
        Zeros without photos.
    """
    return effect_of(population, (witness(population, cells) for cells in students))


def witness(
    population: Population, cells: Cells, trust: NDArray[np.float64] | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The contribution of one student's photos to c_e: (information, shape (k, k); evidence, shape (k, d)).

    The contributions of all students of a class are added.

    Args:
        population: mu_e and the variances.
        cells: photos of the student.
        trust: weight of each cell, 0..1, shape (k,); None uses 1.
    """
    variances = population.variances
    precision = cell_precision(cells.counts, variances) * (1.0 if trust is None else trust)
    if not precision.any():
        return np.zeros((len(precision), len(precision))), np.zeros(population.prototypes.shape)
    # Without d_s the cells of one student would count as independent information about the camera.
    share = np.outer(precision, precision) / (precision.sum() + _inverse(variances.student))
    information = np.diag(precision) - share
    return information, information @ cells.residuals(population.prototypes)


def effect_of(
    population: Population, witnesses: Iterable[tuple[NDArray[np.float64], NDArray[np.float64]]]
) -> ClassEffect:
    """c_e, shape (k, d), from the results of ``witness`` for all students of the class; zeros without students."""
    kinds, variances = len(population.classes), population.variances
    information, evidence = np.zeros((kinds, kinds)), np.zeros(population.prototypes.shape)
    for known, seen in witnesses:
        information += known
        evidence += seen
    prior = _prior(kinds, variances)
    return ClassEffect(prior @ np.linalg.solve(np.eye(kinds) + information @ prior, evidence), information)


def uncertainties(
    population: Population,
    cells: Cells | None = None,
    effect: ClassEffect | None = None,
    *,
    student: bool = True,
    personal: bool = True,
) -> NDArray[np.float64]:
    """E|p_e - f_e|^2 of the student's true means f_e = mu_e + c_e + d_s + g_se: the prediction error variance.

    See Henderson 1975. It is largest for emotions without any photo in the class, smaller for emotions with photos of
    classmates, and smallest for emotions with the student's own photos. Without any photo it is equal for all emotions.

    Args:
        population: mu_e and the variances.
        cells: photos of the student; None without photos.
        effect: effect of the class, including the student's own photos; None without a class.
        student, personal: False for a level that is left out, see ``hierarchical_prototypes``.

    Returns:
        Shape (k,).
    """
    kinds, v = len(population.classes), population.variances
    counts = np.zeros(kinds) if cells is None else cells.counts
    information = np.zeros((kinds, kinds)) if effect is None else effect.information
    if effect is not None and cells is not None:
        # The student's own photos are counted below.
        information = information - witness(population, cells)[0]
    prior = _prior(kinds, v)
    classroom = prior - prior @ np.linalg.solve(np.eye(kinds) + information @ prior, information @ prior)
    spread = classroom + v.student + v.interaction * np.eye(kinds)
    there = np.flatnonzero(counts) if student or personal else np.array([], np.intp)
    if not len(there):
        return np.asarray(np.diag(spread))
    before = spread[:, there]
    seen = before[there] + np.diag(v.within / counts[there])
    if effect is not None and student and personal:
        # All levels together give the best linear prediction.
        weights = before @ np.linalg.pinv(seen, hermitian=True)
    else:
        precision = cell_precision(counts, v)
        offset = precision / (precision.sum() + _inverse(v.student)) if student else np.zeros(kinds)
        share = np.diag(_share(counts, v)) if personal else np.zeros((kinds, kinds))
        weights = ((np.eye(kinds) - share) @ np.tile(offset, (kinds, 1)) + share)[:, there]
    return np.asarray(np.diag(spread - weights @ before.T - before @ weights.T + weights @ seen @ weights.T))


def student_offset(cells: Cells, centres: NDArray[np.floating], variances: Variances) -> NDArray[np.float64]:
    """delta: the offset of this student's face from the class, the same for all emotions.

    delta = sum_e w_e (m_e - mu_e - c_e) / (sum_e w_e + 1 / s_d^2), over the emotions that have photos.

    Args:
        cells: photos of the student.
        centres: mu_e + c_e, shape (k, d).
        variances: of the population.

    Returns:
        Shape (d,); zeros without a photo.
    """
    precision = cell_precision(cells.counts, variances)
    if not precision.any():
        return np.zeros(centres.shape[1])
    return np.asarray(precision @ cells.residuals(centres) / (precision.sum() + _inverse(variances.student)))


def shrunken_means(cells: Cells, expected: NDArray[np.floating], variances: Variances) -> NDArray[np.float64]:
    """p_e = (n_e m_e + kappa expected_e) / (n_e + kappa), kappa = s_w^2 / s_g^2; expected_e where n_e = 0.

    Args:
        cells: photos of the student.
        expected: mu_e + c_e + delta, shape (k, d).
        variances: of the population.

    Returns:
        Shape (k, d).
    """
    return np.asarray(expected + _share(cells.counts, variances)[:, None] * cells.residuals(expected))


def _share(counts: NDArray[np.float64], variances: Variances) -> NDArray[np.float64]:
    """n_e / (n_e + kappa), also if a variance is 0; 0 without a photo. Shape (k,)."""
    weight = counts * variances.interaction
    total = weight + variances.within
    return np.where(counts > 0, np.where(total > 0, weight / np.where(total > 0, total, 1.0), 1.0), 0.0)


def _prior(kinds: int, variances: Variances) -> NDArray[np.float64]:
    """Prior covariance of c_e over the emotions, shape (k, k)."""
    return np.asarray(variances.classroom * np.eye(kinds) + variances.common)


def _inverse(variance: float) -> float:
    return 1.0 / variance if variance > 0 else float("inf")
