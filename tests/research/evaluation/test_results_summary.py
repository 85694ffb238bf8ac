import re
from pathlib import Path

import pytest

from fewshot.research.evaluation.results_rows import Tables
from fewshot.research.evaluation.results_summary import put_into, summary, text

ROOT = Path(__file__).parents[3]
RESULTS = ROOT / "experiments/results"
PAGE = ROOT / "docs/reference/results.md"


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The results in a folder of their own, to be changed."""
    for table in [*RESULTS.glob("*.csv"), RESULTS / "live.md"]:
        (tmp_path / table.name).write_text(table.read_text(encoding="utf-8"), encoding="utf-8")
    return tmp_path


def test_the_page_shows_what_the_tables_say():
    page = PAGE.read_text(encoding="utf-8")
    assert put_into(page, summary(RESULTS)) == page
    beside = (RESULTS / "summary.md").read_text(encoding="utf-8")
    assert [name for name, rows in summary(RESULTS).items() if text(rows) not in beside] == []


def test_a_cell_holds_one_number():
    for name, rows in summary(RESULTS).items():
        for row in rows:
            assert "/" not in row["value"] and row["value"], (name, row)
            assert re.fullmatch(r"(about )?[+-]?[\d.]+( of \d+)?( ?%| ms| s| MB)?", row["value"]), (name, row)


def test_every_table_has_a_sentence_below_it():
    below = re.findall(r"<!-- end of table -->\n(.*?)(?=\n## |\Z)", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(below) == len(summary(RESULTS)) and all(text.strip().endswith(".") for text in below)


def test_another_number_in_a_table_is_another_number_in_the_summary(copied):
    assert summary(copied) == summary(RESULTS)
    own = Tables(RESULTS).row("identity", {"chain": "SCRFD + own identity output"})["LFW"]
    changed = (copied / "identity.csv").read_text(encoding="utf-8").replace(own, "0.123")
    (copied / "identity.csv").write_text(changed, encoding="utf-8")
    (row,) = summary(copied)["identity"]
    assert row["value"] == "0.123"


def test_another_speed_is_another_speed_in_the_summary(copied):
    live = (RESULTS / "live.md").read_text(encoding="utf-8")
    first = re.search(r"\*\*([\d.]+)\*\* \|", live)[1]
    (copied / "live.md").write_text(live.replace(first, "12.3"), encoding="utf-8")
    assert summary(copied)["speed"][0] == summary(RESULTS)["speed"][0] | {"value": "12.3"}
    (copied / "live.md").write_text(live.replace("start to the first", "end after the last"), encoding="utf-8")
    with pytest.raises(LookupError, match=r"where .* was expected"):
        summary(copied)


def test_a_row_that_is_not_there_is_no_number(tmp_path):
    (tmp_path / "closed_set.csv").write_text("test,flip\nFER+,no\nFER+,no\n", encoding="utf-8")
    for where in ({"test": "FER+"}, {"test": "something else"}):
        with pytest.raises(LookupError, match=r"closed_set\.csv: [02] rows"):
            Tables(tmp_path).row("closed_set", where)
    with pytest.raises(FileNotFoundError):
        Tables(tmp_path).row("episodes", {})


def test_a_page_keeps_what_stands_around_its_tables():
    page = "before\n<!-- table: one -->\nold\n<!-- end of table -->\nafter"
    new = put_into(page, {"one": [{"measure": "new \\1", "value": "2", "target": ""}]})
    table = "\n| measure | value |\n| --- | --- |\n| new \\1 | 2 |\n\n"
    assert new == f"before\n<!-- table: one -->\n{table}<!-- end of table -->\nafter"
    for wrong in ("a page without marks", page.replace("one", "two")):
        with pytest.raises(LookupError, match="Each needs its own marks"):
            put_into(wrong, {"one": [{"measure": "new", "value": "2"}]})
