"""Wrong labels among the enrolled photos: how many of them enrollment points out, and how many right ones with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fewshot.protocols.album import Album
from fewshot.protocols.draws import Shots, choose, each, only, wrong_labels
from fewshot.protocols.intervals import bootstrap_mean
from fewshot.protocols.report import Cell, Row
from fewshot.prototypes.doubt import opinions
from fewshot.prototypes.population import Population

WRONG = 0.1
"""Share of labels that are made wrong."""
SMALL = 25
"""Classes of fewer students are drawn so many times more often that as many students are asked about."""
BROUGHT: dict[str, Shots] = {"1 an emotion": each(1), "1 neutral, happy, sad": only(neutral=1, happy=1, sad=1)}


def doubted(
    population: Population,
    album: Album,
    dataset: str,
    sizes: Sequence[int],
    repetitions: int,
    seed: int,
    resamples: int,
) -> list[Row]:
    """One row for what everybody brings and how many there are; classes and wrong labels are drawn anew each time.

    Args:
        sizes: students of a class.
        repetitions: of every size; more of small ones, see ``SMALL``.
    """
    rows: list[Row] = []
    people = len(set(album.subjects))
    for brings, shots in BROUGHT.items():
        for size in sorted({min(size, people) for size in sizes}):
            wrong: dict[str, list[bool]] = {}
            right: dict[str, list[bool]] = {}
            for repetition in range(repetitions * max(1, SMALL // size)):
                rng = np.random.default_rng([seed, size, repetition])
                said = replace(album, emotions=wrong_labels(album.emotions, WRONG, rng))
                photos = {who: own for who, own in choose(album, shots, repetition, seed, keep=0).items() if own}
                present = rng.permutation(sorted(photos))[:size].tolist()
                thought = opinions(population, [said.supports(photos[who]) for who in present])
                for who, about in zip(present, thought, strict=True):
                    for row, opinion in zip(photos[who], about, strict=True):
                        kind = right if said.emotions[row] == album.emotions[row] else wrong
                        kind.setdefault(who, []).append(opinion.doubtful)
            cells: dict[str, Cell] = {"data": dataset, "everybody brings": brings, "students": len(present)}
            for name, found in (("wrong labels pointed out", wrong), ("right labels pointed out", right)):
                if found:
                    cells[name] = bootstrap_mean([float(np.mean(flags)) for flags in found.values()], seed, resamples)
            rows.append(cells)
    return rows
