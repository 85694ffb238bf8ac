"""The measure of login times sees a difference where there is one."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("streamlit", reason="needs the extra app")

from fewshot.research.bench.hostile_login import Pairs, difference, guesses

DRAWS = np.random.default_rng(0)


def made(later: float) -> Pairs:
    """300 pairs of about 100 ms, with noise that both share and noise of their own."""
    shared = 0.1 + DRAWS.exponential(0.05, 300)
    return Pairs(shared + DRAWS.normal(0, 0.002, 300), shared + later + DRAWS.normal(0, 0.002, 300), frozenset())


def test_names_that_answer_sooner_are_noticed() -> None:
    median, low, high = difference(made(0.004))
    assert low < median < high < -0.003 and guesses(made(0.004)) > 0.8


def test_equal_times_are_equal() -> None:
    median, low, high = difference(made(0.0))
    assert low < 0.0005 and high > -0.0005 and abs(median) < 0.0005 and 0.4 < guesses(made(0.0)) < 0.6
