from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console

from fewshot.data.tables import columns_of, markdown, show, write_csv

ROWS = [{"a": "1", "b": "x"}, {"a": "2", "c": "y"}]


def test_columns_in_order() -> None:
    assert columns_of(ROWS) == ["a", "b", "c"]
    assert columns_of([]) == []


def test_markdown() -> None:
    assert markdown(ROWS) == "| a | b | c |\n| --- | --- | --- |\n| 1 | x |  |\n| 2 |  | y |\n"
    assert markdown([]) == ""


def test_csv(tmp_path: Path) -> None:
    write_csv(ROWS, tmp_path / "new/table.csv")
    assert (tmp_path / "new/table.csv").read_text(encoding="utf-8") == "a,b,c\n1,x,\n2,,y\n"


def test_shown_on_its_side() -> None:
    out = io.StringIO()
    show(ROWS, "runs", Console(file=out, width=60))
    assert [line.split("│")[1:4] for line in out.getvalue().splitlines() if "│ b" in line] == [[" b ", " x ", "   "]]
