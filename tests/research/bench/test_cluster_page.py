"""The page about killed replicas: what it counts as held; no service is started."""

from __future__ import annotations

from dataclasses import replace

import pytest

pytest.importorskip("fastapi", reason="needs the extra serve")

from fewshot.research.bench.load.cluster import Killed, Ran, page

FINE = Killed(noticed=0.02, resumed=0.1, moment=0.3, sent=7, stored=7, named=25, ended=True)


@pytest.mark.parametrize(
    "wrong",
    [{"stored": 6}, {"sent": 0, "stored": 0}, {"resumed": 1.01}, {"ended": False}],
    ids=str,
)
def test_a_lost_second_a_late_lesson_and_one_that_did_not_end_are_faults(wrong: dict[str, float]) -> None:
    assert FINE.good
    assert not replace(FINE, **wrong).good
    told = page(Ran(900.0, 300.0, [FINE, replace(FINE, **wrong)]), "python experiments/cluster.py", "2.60.0")
    assert "1 of 2 kills" in told and told.count("**no**") == 1


def test_the_page_names_the_worst_kill_and_the_memory() -> None:
    told = page(Ran(950.4, 420.0, [FINE, replace(FINE, resumed=0.42)]), "python experiments/cluster.py", "2.60.0")
    assert "kept the machine busy" not in told
    assert "load 3.1" in page(Ran(950.4, 420.0, [FINE], 3.1), "python experiments/cluster.py", "2.60.0")
    assert "worst: 0.42 s" in told and "950 MiB" in told and "420 MiB" in told and "Ray: 2.60.0" in told
