from pathlib import Path

import pytest

from fewshot.research.evaluation.results_summary import END, START, Tables, put_into, summary, text

ROOT = Path(__file__).parents[3]
RESULTS = ROOT / "experiments/results"


def test_the_readme_shows_what_the_tables_say():
    assert f"{START}\n{text(RESULTS)}{END}" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert (RESULTS / "summary.md").read_text(encoding="utf-8").endswith(text(RESULTS))


def test_another_number_in_a_table_is_another_number_in_the_summary(tmp_path):
    for table in RESULTS.glob("*.csv"):
        (tmp_path / table.name).write_text(table.read_text(encoding="utf-8"), encoding="utf-8")
    assert summary(tmp_path) == summary(RESULTS)
    own = Tables(RESULTS).row("identity", {"chain": "SCRFD + own identity output"})["LFW"]
    changed = (tmp_path / "identity.csv").read_text(encoding="utf-8").replace(own, "0.123")
    (tmp_path / "identity.csv").write_text(changed, encoding="utf-8")
    (row,) = [row for row in summary(tmp_path) if row["on still pictures"].startswith("who it is")]
    assert row["measured"] == "0.123"


def test_a_row_that_is_not_there_is_no_number(tmp_path):
    (tmp_path / "closed_set.csv").write_text("test,flip\nFER+,no\nFER+,no\n", encoding="utf-8")
    for where in ({"test": "FER+"}, {"test": "something else"}):
        with pytest.raises(LookupError, match=r"closed_set\.csv: [02] rows"):
            Tables(tmp_path).row("closed_set", where)
    with pytest.raises(FileNotFoundError):
        Tables(tmp_path).row("episodes", {})


def test_a_page_keeps_what_stands_around_the_table():
    assert (
        put_into(f"before\n{START}\nold\n{END}\nafter", "| new \\1 |\n")
        == f"before\n{START}\n| new \\1 |\n{END}\nafter"
    )
    with pytest.raises(LookupError, match="goes between"):
        put_into("a page without marks", "| new |\n")
