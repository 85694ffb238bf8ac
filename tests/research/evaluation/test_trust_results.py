"""The table of what was tried against the program says what the tables of the trials say."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from fewshot.research.evaluation.results_rows import Tables
from fewshot.research.evaluation.results_summary import put_into
from fewshot.research.evaluation.trust_results import AGAIN, TRIED, WRONG, trust

ROOT = Path(__file__).parents[3]
RESULTS, PAGE = ROOT / "experiments/results", ROOT / "docs/explanation/survival.md"


def test_the_page_shows_what_the_tables_say() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert put_into(page, {"trust": trust(Tables(RESULTS))}) == page


def test_every_row_names_a_command_that_is_there() -> None:
    for row in trust(Tables(RESULTS)):
        assert (ROOT / row[AGAIN].strip("`").split()[1]).is_file()


@pytest.mark.parametrize(
    ("table", "old", "new", "words"),
    [
        (
            "survival_kills",
            "0.48,1.04,yes",
            "0.48,7.25,NO",
            "1 damaged stores or half-enrolled students; at most 7.25 s",
        ),
        ("hostile_requests", '"upload, HTTP",781,781,0', '"upload, HTTP",781,780,1', "1 read anything"),
        ("survival_damage", "0,0,0,yes\n", "0,3,0,NO\n", "18 silently wrong"),
    ],
)
def test_what_went_wrong_is_shown(table: str, old: str, new: str, words: str, tmp_path: Path) -> None:
    shutil.copytree(RESULTS, tmp_path / "results")
    path = tmp_path / "results" / f"{table}.csv"
    content = path.read_text(encoding="utf-8")
    assert old in content
    path.write_text(content.replace(old, new), encoding="utf-8")
    assert sum(words in row[WRONG] for row in trust(Tables(path.parent))) == 1


def test_the_full_counts_are_committed() -> None:
    rows = [row[TRIED] for row in trust(Tables(RESULTS))]
    counts = [int(words.split()[0].replace(",", "")) for words in rows]
    assert sum(counts[:2]) >= 200  # kills
    assert counts[-4] >= 1_000  # damaged stores
    assert counts[-1] >= 10_000  # requests
    assert counts[-3] + counts[-2] >= 1_000_000  # inputs
