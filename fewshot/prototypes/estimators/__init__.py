"""Prototypes from few photos: the hierarchical estimator that the system runs on, and those it is compared with."""

from fewshot.prototypes.estimators.base import (
    Cells,
    EnrollmentEstimator,
    Features,
    FewShotEstimator,
    Level,
    Prototype,
    cells_of,
    compared_distances,
)
from fewshot.prototypes.estimators.bdcspn import BDCSPN
from fewshot.prototypes.estimators.finish import REACH, SPREAD_PRIOR
from fewshot.prototypes.estimators.hierarchical import Hierarchical, hierarchical_prototypes
from fewshot.prototypes.estimators.linear_probe import LinearProbe
from fewshot.prototypes.estimators.mean import Mean, mean_prototypes
from fewshot.prototypes.estimators.power import PowerTransform
from fewshot.prototypes.estimators.shrinkage import (
    ClassEffect,
    cell_precision,
    class_effect,
    shrunken_means,
    student_offset,
    uncertainties,
)
from fewshot.prototypes.estimators.simpleshot import CL2N, around
from fewshot.prototypes.estimators.soft_kmeans import SoftKMeans

__all__ = [
    "BDCSPN",
    "CL2N",
    "REACH",
    "SPREAD_PRIOR",
    "Cells",
    "ClassEffect",
    "EnrollmentEstimator",
    "Features",
    "FewShotEstimator",
    "Hierarchical",
    "Level",
    "LinearProbe",
    "Mean",
    "PowerTransform",
    "Prototype",
    "SoftKMeans",
    "around",
    "cell_precision",
    "cells_of",
    "class_effect",
    "compared_distances",
    "hierarchical_prototypes",
    "mean_prototypes",
    "shrunken_means",
    "student_offset",
    "uncertainties",
]
