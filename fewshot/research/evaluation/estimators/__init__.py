"""Estimators for comparison: one file per method. The one that the system runs on is in ``fewshot.prototypes``."""

from fewshot.research.evaluation.estimators.bdcspn import BDCSPN
from fewshot.research.evaluation.estimators.linear_probe import LinearProbe
from fewshot.research.evaluation.estimators.mean import Mean, mean_prototypes
from fewshot.research.evaluation.estimators.power import PowerTransform
from fewshot.research.evaluation.estimators.simpleshot import CL2N, around
from fewshot.research.evaluation.estimators.soft_kmeans import SoftKMeans

__all__ = [
    "BDCSPN",
    "CL2N",
    "LinearProbe",
    "Mean",
    "PowerTransform",
    "SoftKMeans",
    "around",
    "mean_prototypes",
]
