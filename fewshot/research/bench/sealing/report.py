"""Makes the tables of ``experiments/sealing.py``, and writes them as a page."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import time
import timeit
from pathlib import Path

import numpy as np

from fewshot.database.reading_codec import Measured, ReadingCipher, as_bytes
from fewshot.errors import FewshotError
from fewshot.research.bench.machine import as_list, describe
from fewshot.research.bench.sealing import lesson_cost
from fewshot.research.bench.sealing.after_erasure import Rows
from fewshot.research.evaluation.tables import markdown
from fewshot.vault.cipher import Cipher, new_key

_TIMES = 20_000


def reading_cost() -> dict[str, float]:
    """Microseconds of processor time to seal and to open the reading of one student in one second (seven emotions)."""
    cipher = ReadingCipher(Cipher(new_key(), "student", "lesson"), "participant")
    measured = Measured(25, 25, 25, 3, 0.9, as_bytes(np.full(7, 1 / 7, np.float32)))
    sealed = cipher.seal(5, measured)
    jobs = {"seal": lambda: cipher.seal(5, measured), "open": lambda: cipher.open(5, sealed)}
    best = {name: min(timeit.repeat(job, timer=time.process_time, number=_TIMES)) for name, job in jobs.items()}
    return {name: 1e6 * seconds / _TIMES for name, seconds in best.items()} | {"bytes": float(len(sealed))}


def cost_table(work: Path, seconds: int) -> Rows:
    """One row per measure, with and without encryption.

    Args:
        work: an empty folder.
        seconds: length of the lesson.
    """
    single = reading_cost()
    here, there = _lesson(work / "sealed", seconds, "sealed"), _lesson(work / "plain", seconds, "plain")
    rows = [
        _row("one reading: seal, microseconds", f"{single['seal']:.1f}", ""),
        _row("one reading: open, microseconds", f"{single['open']:.1f}", ""),
        _row("one reading: bytes in the database", f"{single['bytes']:.0f}", ""),
    ]
    names = {"write_s": "write, seconds of processor time", "open_s": "open, seconds of processor time",
             "megabytes": "database, MB"}  # fmt: skip
    for key, words in names.items():
        rows.append(_row(f"a lesson of {here['rows']:,.0f} readings: {words}", f"{here[key]:.2f}", f"{there[key]:.2f}"))
    return rows


def _row(measure: str, sealed: str, plain: str) -> dict[str, str]:
    return {"measure": measure, "encrypted": sealed, "not encrypted": plain}


def _lesson(folder: Path, seconds: int, way: str) -> dict[str, float]:
    """``lesson_cost`` in a program of its own."""
    folder.mkdir()
    words = [sys.executable, "-m", lesson_cost.__name__, str(folder), str(seconds), way]
    ways = os.environ | {"FEWSHOT_HOME": str(folder / "home")}
    done = subprocess.run(words, env=ways, capture_output=True, text=True, check=False)
    if done.returncode:
        raise FewshotError(f"A lesson could not be written: {done.stderr[-500:]}")
    return {str(key): float(value) for key, value in json.loads(done.stdout).items()}


def write_page(results: Path) -> None:
    """Write sealing.md from the tables that are there."""
    erased, cost, use = (_table(results / f"{name}.csv") for name in ("sealing", "sealing_cost", "sealing_use"))
    (results / "sealing.md").write_text(
        "# Encryption: what is left after an erasure, and what it costs\n\n"
        "One student of five is removed while nobody else reads. Sealed values of this student are counted in all "
        "files, and those for which the keys are there. Names and vectors are searched for in the bytes and in "
        "everything that the present keys open.\n\n"
        f"{erased}\n"
        "The bytes that are left are old pages and log records. Without their key they tell nothing.\n\n"
        "## Cost\n\nFor the other column the same program wrote its values as they are. Both ways take turns; the "
        f"range is in brackets.\n\n{cost}\n{use}\nRepeat with: `python experiments/sealing.py`\n\n"
        f"## Machine\n\n{as_list(describe())}",
        encoding="utf-8",
    )


def _table(path: Path) -> str:
    if not path.exists():
        return "Not measured yet.\n"
    with path.open(encoding="utf-8", newline="") as file:
        return markdown(list(csv.DictReader(file)))
