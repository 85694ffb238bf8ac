"""The live table: everything a person at the terminal needs to see is in it."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from fewshot.commands.health import Health, as_table
from fewshot.live.metrics import Metrics, MetricsSnapshot
from fewshot.live.times import StageSummary

EMPTY = Metrics("camera 0", live=True).snapshot()


def drawn(snap: MetricsSnapshot) -> str:
    page = io.StringIO()
    Console(file=page, width=140).print(as_table(snap))
    return page.getvalue()


@pytest.mark.parametrize(
    ("snap", "words"),
    [
        (EMPTY, ["camera 0: starting", "0.0 frames per second captured", "dropped: none", "waiting: none", "stage"]),
        (
            replace(EMPTY, state="waiting", note="camera 0 was lost after 12 s. Waiting for it to come back."),
            ["camera 0: camera 0 was lost after 12 s"],
        ),
        (
            replace(
                EMPTY,
                state="running",
                capture_rate=30.04,
                processed_rate=14.96,
                dropped={"find": 12, "fps": 0},
                queues={"record": 2},
                stages={"detect": StageSummary(12.34, 15.0, 40.0, 300), "identify": StageSummary(0, 0, 0, 300)},
                faces=49,
                embedded=20,
                age_max=0.26,
            ),
            [
                "30.0 frames per second captured, 15.0 processed",
                "49 faces, 20 of them",
                "0.3 s",
                "12 at find",
                "record 2",
                "12.3",
            ],
        ),
    ],
)
def test_the_table(snap: MetricsSnapshot, words: list[str]) -> None:
    page = drawn(snap)
    assert all(word in page for word in words), page
    assert "identify" not in page


def test_without_a_terminal_nothing_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with Health(table=True):
        pass
    assert capsys.readouterr() == ("", "")
