from __future__ import annotations

import pytest

from fewshot.research.bench.scorecard import as_row, score
from fewshot.research.simulation.truth import Seat, Segment, Truth
from fewshot.types import FrameResult, Reading

BOX = (0.0, 0.0, 10.0, 10.0)


def test_a_whole_row() -> None:
    """Six seconds at 2 frames a second: asha is away in frames 6 and 7 and is recognised one second after she came."""
    faces = tuple(None if frame in (6, 7) else BOX for frame in range(12))
    segments = (Segment(0, 6, "happy", "h.png"), Segment(8, 12, "sad", "s.png"))
    truth = Truth(20, 20, 2.0, 12, (Seat((0, 0, 20, 20), "asha", True, segments, faces),))
    known = {2, 3, 4, 5, 10, 11}
    results = [
        FrameResult(
            "v.mp4",
            frame,
            frame / 2,
            20,
            20,
            (Reading(0, BOX, 0.9, "asha" if frame in known else None, emotion="happy"),),
        )
        for frame in range(12)
        if frame not in (6, 7)
    ]
    card = score(truth, results, {})
    assert card.found.value == 1.0
    assert card.identity.value == pytest.approx(0.6)
    assert (card.identity_later.value, card.identity_later.count) == (1.0, 2)
    assert card.emotion.value == pytest.approx(0.6)
    assert card.balanced == pytest.approx(0.5)
    row = as_row(card)
    assert row["identity %"] == "60.0 (60.0-60.0)"
    assert row["strangers named %"] == "-"
    assert row["lag median s"] == "-"
    assert row["changes followed"] == "0/0"
    assert (row["name switches"], row["false faces a frame"]) == ("0", "0.00")


def test_an_empty_video() -> None:
    row = as_row(score(Truth(20, 20, 2.0, 0, ()), [], {}))
    assert row["faces found %"] == "-"
