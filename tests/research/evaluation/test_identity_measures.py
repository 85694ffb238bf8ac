"""How well identity vectors tell people apart, on made-up people."""

from __future__ import annotations

import numpy as np

from fewshot.research.evaluation.identity import ACCEPT, MARGIN, People, chain_row, likeness, named_by_rule

SUBJECTS = 60


def made_up(spread: float) -> People:
    """60 people with 5 pictures each, around 60 directions at right angles; the first picture of each is neutral."""
    rng = np.random.default_rng(0)
    vectors = {}
    for number in range(SUBJECTS):
        own = np.eye(SUBJECTS)[number] + rng.normal(0, spread, (5, SUBJECTS))
        vectors[f"{number:02d}"] = (own / np.linalg.norm(own, axis=1, keepdims=True)).astype(np.float32)
    return People(0.9, vectors, {who: np.arange(5) == 0 for who in vectors})


def test_people_who_look_like_nobody_else_are_all_known() -> None:
    rank1, own, other = likeness(made_up(0.01).vectors)
    assert rank1 == 1.0
    assert own.min() > 0.9
    assert other.max() < 0.3
    # 20 classes of 30: three pictures of each that are not enrolled, and five of every stranger.
    assert (len(own), len(other)) == (20 * 30 * 3, 20 * 30 * 5)


def test_rows_say_what_was_measured() -> None:
    row = chain_row("a chain", made_up(0.01), 0.987, 400)
    assert (row["chain"], row["faces found"], row["rank 1"]) == ("a chain", "0.900", "1.000")
    assert (row["LFW"], row["pairs"]) == ("0.987", "400")


def test_a_stricter_rule_names_fewer() -> None:
    rows = named_by_rule(made_up(0.12))
    assert len(rows) == len(ACCEPT) * len(MARGIN)
    right = [float(row["named rightly"]) for row in rows]
    assert right[0] > right[len(MARGIN) - 1]  # the same likeness, a larger lead
    assert right[0] > right[-len(MARGIN)]  # the same lead, more likeness
    assert all(0 <= float(row["strangers named"]) <= right[0] for row in rows)
