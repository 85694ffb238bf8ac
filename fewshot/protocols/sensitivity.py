"""How much it matters that the variances are right: accuracy on development people with each smaller and larger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace

import numpy as np

from fewshot.protocols.album import Album
from fewshot.protocols.controls import OWN, by_subject, read_class
from fewshot.protocols.report import Cell, Row
from fewshot.protocols.schemes import schemes_of
from fewshot.prototypes.estimators import Hierarchical
from fewshot.prototypes.population import Population

FACTORS = (0.25, 4.0)


def sensitivity_rows(
    population: Population, album: Album, factors: Sequence[float] = FACTORS, seed: int = 0
) -> list[Row]:
    """Balanced accuracy on CK+ by the students' own photos, one row a change, one column a way of enrolling.

    Args:
        factors: each variance is multiplied by each of these in turn.
    """
    schemes = [scheme for scheme in schemes_of("ckplus", album, 1, seed) if not scheme.nobody]
    worlds = {"as estimated": population, "prototypes rescaled to length 1": replace(population, rescale=True)}
    for name, value in asdict(population.variances).items():
        for factor in factors:
            changed = replace(population.variances, **{name: value * factor})
            worlds[f"{name} x {factor:g}"] = replace(population, variances=changed)
    rows: list[Row] = []
    for name, world in worlds.items():
        row: dict[str, Cell] = {"variances": name}
        for scheme in schemes:
            read = read_class(world, Hierarchical(), album, scheme.draws, [OWN], seed=seed)[OWN]
            row[f"{scheme.own}; class: {scheme.brought}"] = float(
                np.mean(list(by_subject(read, balanced=True).values()))
            )
        rows.append(row)
    return rows
