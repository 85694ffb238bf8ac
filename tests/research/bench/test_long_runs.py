"""What is reported of a long run, measurements in other processes, and a server that does not start."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from fewshot.errors import FewshotError
from fewshot.research.bench import served_app, stage_times
from fewshot.research.bench.soak_run import MOST_GROWTH, summary_rows
from fewshot.research.bench.soaking import Growth, Sample


def sample(seconds: float, p50: float, p95: float, waiting: int) -> Sample:
    numbers = dict.fromkeys(Sample.__dataclass_fields__, 0)
    told = {"seconds": seconds, "latency_p50_ms": p50, "latency_p95_ms": p95, "waiting": waiting, "threads": 7}
    return Sample(**{**numbers, "processed": 100, "captured": 120, "dropped": 20, **told})


def test_a_run_is_reported_by_its_worst_values_and_its_growth() -> None:
    samples = [sample(60, 20, 90, 3), sample(120, 30, 40, 1), sample(200, 25, 41, 0)]
    rows = {row["what"]: row for row in summary_rows(samples, Growth(100, 101, 1.0, 2.5, 3), ["a note"])}
    assert rows["latency, median of p50 / worst p95"]["found"] == "25 / 90 ms"
    assert rows["most frames waiting"]["found"] == "3"
    assert rows["frames processed"]["found"] == "100 (0.5 a second)"
    assert rows["errors and notes"]["found"] == "a note"
    growth = rows["growth of memory after the warm-up"]
    assert growth["found"].startswith("+1.00 % (100.0 to 101.0 MB") and growth["wanted"] == f"< {MOST_GROWTH:g} %"


def test_a_short_run_says_nothing_about_memory() -> None:
    rows = {row["what"]: row["found"] for row in summary_rows([sample(5, 20, 90, 0)], None, [])}
    assert rows["memory"] == "the run was too short to say" and rows["errors and notes"] == "none"


def test_a_copy_of_the_package_that_does_not_run_is_named(tmp_path: Path) -> None:
    (tmp_path / "fewshot").mkdir()
    (tmp_path / "fewshot/__init__.py").write_text("raise RuntimeError('an old copy')")
    with pytest.raises(FewshotError, match="an old copy") as raised:
        stage_times.in_process(tmp_path, tmp_path, tmp_path, 1)
    assert str(tmp_path) in str(raised.value)


def test_a_server_that_ends_at_once_shows_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing = tmp_path / "python"
    failing.write_text(f"#!{sys.executable}\nprint('no streamlit here')\n")
    failing.chmod(0o755)
    monkeypatch.setattr(served_app.sys, "executable", str(failing))
    with pytest.raises(TimeoutError, match="no streamlit here"):
        served_app.ServedApp(tmp_path / "home", patience=30)
