"""How long every precision and engine takes, and on what: times of one processor say little about another."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Timed:
    """One measurement of all ways.

    Attributes:
        network: whose files were run.
        processor: in words, with the instructions that matter to networks.
        load: of the machine at that time; None where nobody noted it.
        ms: way -> median milliseconds for 49 crops with 1 and with 2 threads.
    """

    network: str
    processor: str
    load: float | None
    ms: dict[str, tuple[float, float]]


def read_times(path: Path) -> list[Timed]:
    """What ``add_times`` wrote, the processor that was measured first before the others; empty without a file."""
    if not path.is_file():
        return []
    stored = json.loads(path.read_text(encoding="utf-8"))
    return [Timed(**{**one, "ms": {way: tuple(ms) for way, ms in one["ms"].items()}}) for one in stored]


def add_times(path: Path, timed: Timed) -> None:
    """Keep a measurement; it takes the place of the one on the same processor."""
    known = {one.processor: one for one in read_times(path)} | {timed.processor: timed}
    path.write_text(json.dumps([asdict(one) for one in known.values()], indent=1), encoding="utf-8")


def about_times(measured: Sequence[Timed]) -> list[str]:
    """Lines of a page: where the times in the main table are from, and a table for every further processor."""
    if not measured:
        return []
    first, *others = measured
    lines = [f"Times in the table: {_where(first)}", ""]
    for one in others:
        lines += [f"## Times on {one.processor}", "", f"These were {_where(one)}", ""]
        lines += ["| way | ms, 1 thread | ms, 2 threads |", "|---|---|---|"]
        lines += [f"| {way} | {single:.1f} | {double:.1f} |" for way, (single, double) in one.ms.items()]
        lines.append("")
    return lines


def _where(one: Timed) -> str:
    busy = "load not noted" if one.load is None else f"load {one.load:.1f}"
    return f"measured with network `{one.network}` on {one.processor}, {busy}."
