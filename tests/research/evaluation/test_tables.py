from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console

from fewshot.research.evaluation.tables import columns_of, markdown, show, write_csv

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


def shown(rows: list[dict[str, str]], wide: int = 4) -> str:
    out = io.StringIO()
    show(rows, "runs", Console(file=out, width=60), wide)
    return out.getvalue()


def test_shown_on_its_side() -> None:
    assert [line.split("│")[1:4] for line in shown(ROWS).splitlines() if "│ b" in line] == [[" b ", " x ", "   "]]


def test_what_is_the_same_is_said_once_and_many_rows_are_split() -> None:
    text = shown([{"a": "1", "b": str(number)} for number in range(5)], wide=2)
    assert text.count("runs") == 3
    assert text.splitlines()[-1] == "In all: a 1"
    assert "│ a" not in text


def test_nothing_to_show() -> None:
    assert shown([]) == ""
