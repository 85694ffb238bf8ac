"""A sample of the kills of experiments/survival.py, which does 200 per database."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fewshot.research.bench.survival.kills import kills
from fewshot.research.bench.survival.restores import killed_restores

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork, which Windows does not have"),
    pytest.mark.own_process,
]


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_program_may_be_killed_at_any_moment(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'x.db'}" if kind == "sqlite" else request.getfixturevalue("postgres").fresh()
    done = list(kills(url, 9, seed=4, share=0.4))
    assert [kill for kill in done if not kill.good] == []
    assert {kill.job for kill in done if kill.told} == {"record", "enroll", "remove"}  # every kind got to work


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_restore_may_be_killed_at_any_moment(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    home = tmp_path / "school"
    home.mkdir()
    server = kind == "postgres"
    url = request.getfixturevalue("postgres").fresh() if server else f"sqlite:///{home / 'fewshot.db'}"
    done = list(killed_restores(url, home, 4, seed=3, seconds=5))
    assert [kill.wrong for kill in done] == [[]] * 4
    assert {kill.state for kill in done} >= {"before"}
