"""Which candidates for the population prototypes are worth the half minute that the rest of them takes."""

from __future__ import annotations

import pytest

from fewshot.research.evaluation.population_chosen import CHOSEN_BY, FER_LEAST, FINALISTS, finalists


def row(*numbers: float) -> dict[str, str | float]:
    return {"prototypes": "made up", "CK+, all pictures": 0.0, **dict(zip(CHOSEN_BY, numbers, strict=False))}


@pytest.mark.parametrize(
    ("rows", "best_first"),
    [
        ([], []),
        ([row(0.9, 0.5, 0.5), row(0.9, 0.6, 0.6)], [1, 0]),
        # Those of other worlds may not cost PublicTest more than a point.
        ([row(FER_LEAST - 0.001, 0.9, 0.9), row(FER_LEAST, 0.1, 0.1)], [1]),
        # A weak network has no such candidate, and still gets the best it can have.
        ([row(0.3, 0.2, 0.2), row(0.2, 0.4, 0.4)], [1, 0]),
        # Equal ones stay in their order, and there is an end.
        ([row(0.9, 0.5, 0.5)] * (FINALISTS + 2), list(range(FINALISTS))),
    ],
)
def test_the_finalists(rows: list[dict[str, str | float]], best_first: list[int]) -> None:
    assert finalists(rows) == best_first


def test_a_data_set_that_was_not_measured_is_not_passed_over() -> None:
    with pytest.raises(KeyError, match="Taiwan"):
        finalists([row(0.9, 0.5)])
