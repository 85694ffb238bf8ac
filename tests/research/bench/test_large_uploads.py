"""The measurement of large uploads: a small sample of experiments/uploads.py against the app as it is served."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("streamlit", reason="needs the extra app")
pytest.importorskip("websockets", reason="needs the extra app")

from fewshot.research.bench.large_uploads import measure


def test_three_files_go_to_the_disk_and_away_again(tmp_path: Path) -> None:
    found = measure(tmp_path, files=3, megabytes=40, closes=False)
    assert [one.what for one in found] == ["one after another", "all at once"]
    for one in found:
        assert 120 <= one.kept < 122 and one.left < 1
        assert one.before > 50 and one.peak - one.before < 60  # in memory they would take 120
