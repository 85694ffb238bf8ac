"""Tables of results: as CSV for programs, as Markdown for the reader, and in the terminal."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

Rows = Sequence[Mapping[str, str]]


def columns_of(rows: Rows) -> list[str]:
    """All columns, in the order in which they first occur; a row need not have them all."""
    return list(dict.fromkeys(column for row in rows for column in row))


def write_csv(rows: Rows, path: Path) -> None:
    """Write the rows; a missing value is an empty cell."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns_of(rows), restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def markdown(rows: Rows) -> str:
    """The rows as a Markdown table; empty without rows."""
    columns = columns_of(rows)
    if not columns:
        return ""
    lines = [columns, ["---"] * len(columns), *([row.get(column, "") for column in columns] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def show(rows: Rows, title: str, console: Console | None = None, wide: int = 4) -> None:
    """Print the rows turned on their side, because there are more measures than runs.

    What is the same in all rows is said once, under the last table; a table holds ``wide`` rows at most.
    """
    console = console or Console()
    same = [column for column in columns_of(rows) if len(rows) > 1 and len({row.get(column) for row in rows}) == 1]
    for start in range(0, len(rows), wide):
        part = rows[start : start + wide]
        table = Table(title=title, show_header=False)
        for column in columns_of(rows):
            if column not in same:
                table.add_row(column, *(row.get(column, "") for row in part))
        console.print(table)
    if same:
        console.print("In all: " + ", ".join(f"{column} {rows[0][column]}" for column in same))
