"""Runs the parts of a load run and writes their page."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from fewshot.errors import FewshotError
from fewshot.research.bench.load import cores, faults, holding
from fewshot.research.bench.load.material import FACES, FPS, Material, material
from fewshot.research.bench.load.served import ServedProcesses
from fewshot.research.bench.machine import as_list, describe
from fewshot.research.bench.survival import postgres
from fewshot.research.evaluation.tables import markdown

Check = Callable[[ServedProcesses, list[Material]], Awaitable[faults.Found]]
CHECKS: dict[str, Check] = {
    "slow client": faults.slow_client,
    "client that vanishes": faults.vanished_client,
    "10,000 malformed messages": faults.malformed,
    "server killed and restarted": faults.killed_server,
    "token of another class": faults.foreign,
}
DATABASE = "database restarted"
QUIET = 0.3
"""Cores that other programs may use while times are measured."""


def run(
    shared: Path, work: Path, counts: Sequence[int], seconds: float, processes: int, wanted: Sequence[str]
) -> tuple[list[holding.Level], dict[str, faults.Found]]:
    """Measure the levels and make the checks, with classes in the default database.

    Raises:
        FewshotError: the service does not start, or pictures are missing.
    """
    lessons = material(shared, work / "drawn", max([*counts, 2 if wanted else 1]))
    with ServedProcesses(processes, work / "serve.log") as served:
        found = holding.levels(served, lessons, counts, seconds)
        checks = {}
        for name in wanted:
            if name in CHECKS:
                checks[name] = _checked(CHECKS[name](served, lessons))
                print(f"{name}: {checks[name].words}", flush=True)
    return found, checks


def with_database(shared: Path, work: Path, processes: int) -> faults.Found | str:
    """Restart a database in mid-lesson. Returns why that was left out, where PostgreSQL is not installed."""
    if why := postgres.missing():
        return why
    before = os.environ.get("FEWSHOT_DATABASE")
    with postgres.server() as database:
        os.environ["FEWSHOT_DATABASE"] = database.fresh()
        try:
            lessons = material(shared, work / "drawn", 2)

            def restart() -> None:
                database.stop(crash=True)
                database.start()

            with ServedProcesses(processes, work / "serve-postgres.log") as served:
                return _checked(faults.restarted_database(served, lessons, restart))
        finally:
            os.environ.pop("FEWSHOT_DATABASE")
            if before is not None:
                os.environ["FEWSHOT_DATABASE"] = before


def page(
    found: Sequence[holding.Level], checks: dict[str, faults.Found | str], processes: int, command: str,
    prices: cores.Prices | None,
) -> str:  # fmt: skip
    """The page in Markdown."""
    most = max((level.lessons for level in found if level.held), default=0)
    grows = holding.memory_per_lesson(found)
    shown = FACES * sum(level.lessons for level in found)
    named, foreign = sum(level.named for level in found), sum(level.foreign for level in found)
    rows = [
        {"check": name, "as it must": _word(one), "what was seen": one if isinstance(one, str) else one.words}
        for name, one in checks.items()
    ]
    others = max((level.others for level in found), default=0.0)
    return (
        f"# Many lessons at once\n\n    {command}\n\n{as_list(describe())}- service: `fewshot serve --processes "
        f"{processes}`; the clients run on the same cores\n\n"
        f"A lesson is a gallery of {FACES} faces, 1280x720 in JPEG, {FPS:g} frames per second over a WebSocket, "
        "recognised, classified and recorded. No two lessons show the same people. A moment counts from the time at "
        "which its frame was due. A frame without room at the server is dropped by the client. A lesson is held if its "
        f"p95 is at most {1000 * holding.WITHIN:.0f} ms and at most {100 * holding.DROPPED:.0f} % of the frames are "
        f"dropped.\n\n{markdown(holding.rows(found))}\n"
        f"Lessons held: **{most}** (goal: 6 on 2 cores). "
        + (f"The service grows by {grows:.0f} MiB per lesson. " if grows is not None else "")
        + f"{named} of {shown} students were recognised in their own lessons (one that got the frames of another one "
        f"would recognise few), and {foreign} names belonged to other lessons.\n\n"
        + (f"Other programs kept up to {others:.1f} cores busy meanwhile. **So this page does not say how many lessons "
           "the machine holds**: repeat the command on a quiet one.\n\n"
           if others > QUIET else "")
        + (f"## Faults\n\n{markdown(rows)}\n" if rows else "")
        + (f"## Cores and costs\n\n{cores.words(holding.per_face(found), prices)}" if found and others <= QUIET else "")
        + ("## Cores and costs\n\nNot computed: on a busy machine the first seconds of a lesson are never over.\n"
           if found and others > QUIET else "")
    )  # fmt: skip


def _checked(check: Awaitable[faults.Found]) -> faults.Found:
    """A check that breaks down has failed; the others are still made."""

    async def wait() -> faults.Found:
        return await check

    try:
        return asyncio.run(wait())
    except (FewshotError, OSError, ValueError, KeyError) as error:
        return faults.Found(False, f"broke down: {type(error).__name__}: {error}")
    except Exception as error:
        if type(error).__module__.startswith("websockets"):
            return faults.Found(False, f"broke down: {type(error).__name__}: {error}")
        raise


def _word(one: faults.Found | str) -> str:
    return "left out" if isinstance(one, str) else "yes" if one.good else "no"
