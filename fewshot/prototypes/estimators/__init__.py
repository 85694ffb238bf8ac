"""Prototypes from few photos: the hierarchical estimator that the running system uses."""

from fewshot.prototypes.estimators.assemble import REACH, SPREAD_PRIOR
from fewshot.prototypes.estimators.base import (
    Cells,
    Level,
    Prototype,
    cells_of,
    compared_distances,
)
from fewshot.prototypes.estimators.class_model import AdaptiveHierarchical, ClassModel, fit_class
from fewshot.prototypes.estimators.hierarchical import Hierarchical, hierarchical_prototypes
from fewshot.prototypes.estimators.shrinkage import (
    ClassEffect,
    cell_precision,
    class_effect,
    shrunken_means,
    student_offset,
    uncertainties,
)

__all__ = [
    "REACH",
    "SPREAD_PRIOR",
    "AdaptiveHierarchical",
    "Cells",
    "ClassEffect",
    "ClassModel",
    "Hierarchical",
    "Level",
    "Prototype",
    "cell_precision",
    "cells_of",
    "class_effect",
    "compared_distances",
    "fit_class",
    "hierarchical_prototypes",
    "shrunken_means",
    "student_offset",
    "uncertainties",
]
