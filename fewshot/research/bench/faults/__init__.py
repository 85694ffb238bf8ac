"""What cameras, clocks, disks and classes do to a running lesson, each with what is expected of it then."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from fewshot.research.bench.faults.checks import Check, Stage
from fewshot.research.bench.faults.machinery import cable, clock, failing, slow
from fewshot.research.bench.faults.pictures import crowd, empty, rearranged, size

__all__ = ["FAULTS", "Check", "Stage"]

FAULTS: dict[str, Callable[[Stage], Iterator[Check]]] = {
    "cable": cable,
    "size": size,
    "rearranged": rearranged,
    "slow": slow,
    "clock": clock,
    "empty": empty,
    "crowd": crowd,
    "failing": failing,
}
"""Name -> what it does to a running lesson and yields: one check per expectation. In the order they are tried."""
