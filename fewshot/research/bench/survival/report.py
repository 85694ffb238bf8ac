"""Runs the parts of ``experiments/survival.py``, and writes their tables and the page."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from fewshot.research.bench.machine import as_list, describe
from fewshot.research.bench.survival.damage import damage_table
from fewshot.research.bench.survival.faults import fault_table
from fewshot.research.bench.survival.kills import ALLOWED, Kill, kills
from fewshot.research.bench.survival.postgres import missing, server
from fewshot.research.bench.survival.restores import killed_restores
from fewshot.research.evaluation.tables import markdown, write_csv

Rows = list[dict[str, str]]


def kill_table(work: Path, count: int, seed: int) -> Rows:
    """One row per database and kind of work."""
    rows: Rows = []
    with ExitStack() as stack:
        addresses = {"SQLite": f"sqlite:///{work / 'kills.db'}"}
        if why := missing():
            rows.append({"database": "PostgreSQL", "work": f"not tried: it {why}", "good": "not tried"})
        else:
            addresses["PostgreSQL"] = stack.enter_context(server()).fresh()
        for database, url in addresses.items():
            done = []
            for number, kill in enumerate(kills(url, count, seed), start=1):
                done.append(kill)
                for words in (*kill.damage, *kill.students, *kill.lesson):
                    print(f"{database}, kill {number} ({kill.job} after {kill.after:.2f} s): {words}", flush=True)
                if number % 20 == 0:
                    print(f"{database}: {number} of {count} kills", flush=True)
            rows += [_row(database, job, [kill for kill in done if kill.job == job]) for job in _jobs(done)]
    return rows


def restore_table(work: Path, count: int, seed: int) -> Rows:
    """One row per database."""
    rows: Rows = []
    with ExitStack() as stack:
        addresses = {"SQLite": f"sqlite:///{work / 'sqlite' / 'fewshot.db'}"}
        if why := missing():
            rows.append({"database": "PostgreSQL", "kills": f"not tried: it {why}", "good": "not tried"})
        else:
            addresses["PostgreSQL"] = stack.enter_context(server()).fresh()
        for database, url in addresses.items():
            home = work / database.lower()
            home.mkdir()
            done = []
            for number, kill in enumerate(killed_restores(url, home, count, seed), start=1):
                done.append(kill)
                for words in kill.wrong:
                    print(f"{database}, restore {number} ({kill.step}, {kill.after:.2f} s): {words}", flush=True)
            states = [kill.state for kill in done]
            wrong = sum(bool(kill.wrong) for kill in done)
            rows.append({
                "database": database, "kills": str(len(done)), "as before": str(states.count("before")),
                "restored": str(states.count("restored")), "ended before the kill": str(states.count("ended")),
                "in between, or somebody who was removed is back": str(wrong), "good": "NO" if wrong else "yes",
            })  # fmt: skip
    return rows


def _jobs(done: list[Kill]) -> Iterator[str]:
    yield from dict.fromkeys(kill.job for kill in done)


def _row(database: str, job: str, done: list[Kill]) -> dict[str, str]:
    lost = [kill.lost for kill in done]
    good = all(kill.good for kill in done) and max(lost) <= ALLOWED
    lessons = job == "record"
    return {
        "database": database,
        "work": {"record": "a lesson", "enroll": "enrolling", "remove": "enrolling and removing"}[job],
        "kills": str(len(done)),
        "damaged stores": str(sum(bool(kill.damage) for kill in done)),
        "with lost or half students": str(sum(bool(kill.students) for kill in done)),
        "lessons that are wrong or do not go on": str(sum(bool(kill.lesson) for kill in done)) if lessons else "",
        "seconds lost, median": f"{np.median(lost):.2f}" if lessons else "",
        "seconds lost, most": f"{max(lost):.2f}" if lessons else "",
        "good": "yes" if good else "NO",
    }


PARTS: dict[str, tuple[str, Callable[[Path, int, int], Rows]]] = {
    "kills": ("Killed at random moments", kill_table),
    "restores": ("Killed while a backup is restored", restore_table),
    "faults": ("Faults", fault_table),
    "damage": ("A store that is damaged", damage_table),
}
"""Name -> title and what makes its table, from a folder to work in, a count and a seed."""


def run(part: str, work: Path, count: int, seed: int, results: Path) -> bool:
    """Run one part, print its table and write it. Returns whether everything was as expected."""
    title, make = PARTS[part]
    folder = work / part
    folder.mkdir()
    rows = make(folder, count, seed)
    print(f"{title}\n\n{markdown(rows)}", flush=True)
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    print(f"Load of the machine: {load}\n", flush=True)
    write_csv(rows, results / f"survival_{part}.csv")
    return all(row["good"] != "NO" for row in rows)


def write_page(results: Path) -> None:
    """Write survival.md from the tables that are there."""
    page = ["# What it survives\n"]
    for part, (title, _) in PARTS.items():
        path = results / f"survival_{part}.csv"
        if path.exists():
            with path.open(encoding="utf-8", newline="") as file:
                rows = list(csv.DictReader(file))
            page.append(
                f"## {title}\n\n{markdown(rows)}\nRepeat with: `python experiments/survival.py --only {part}`\n"
            )
    page.append(f"## Machine\n\n{as_list(describe())}")
    (results / "survival.md").write_text("\n".join(page), encoding="utf-8")
