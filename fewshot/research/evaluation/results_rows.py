"""Rows of the tables of results: where a number comes from, and how it is written."""

from __future__ import annotations

import csv
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

MEASURE, DATA, VALUE = "measure", "data, n", "value"
INTERVAL, TARGET, BEST = "95 % interval", "target", "best of others"
Where = dict[str, str]
Row = dict[str, str]


class Tables:
    """The CSV files of a folder of results, each read once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read: dict[str, list[Where]] = {}

    def rows(self, table: str, where: Where) -> list[Where]:
        """Rows of ``table``.csv that have these values.

        Raises:
            FileNotFoundError: a script has not been run.
        """
        if table not in self._read:
            with (self.folder / f"{table}.csv").open(newline="", encoding="utf-8") as stream:
                self._read[table] = list(csv.DictReader(stream))
        return [row for row in self._read[table] if all(row[name] == wanted for name, wanted in where.items())]

    def row(self, table: str, where: Where) -> Where:
        """The one row that is meant.

        Raises:
            LookupError: there is none, or several: a protocol has changed its words.
        """
        found = self.rows(table, where)
        if len(found) != 1:
            raise LookupError(f"{table}.csv: {len(found)} rows with {where}")
        return found[0]


def measured(measure: str, data: str, value: str, interval: str = "", target: str = "", best: str = "") -> Row:
    """One row: what is measured, on what, and the number; whatever there is none of stays empty."""
    return {MEASURE: measure, DATA: data, VALUE: value, INTERVAL: interval, TARGET: target, BEST: best}


def estimate(row: Where, column: str, digits: int = 3) -> tuple[str, str]:
    """(value, interval) of a column that has _low and _high beside it."""
    low, high = rounded(row[f"{column}_low"], digits), rounded(row[f"{column}_high"], digits)
    return rounded(row[column], digits), f"{low} to {high}"


def rounded(value: str | float, digits: int = 3) -> str:
    """Half up, as people round: the tables hold decimal digits, which a float is only near to."""
    step = Decimal(1).scaleb(-digits)
    return str(Decimal(str(value)).quantize(step, ROUND_HALF_UP))
