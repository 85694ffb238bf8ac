"""What `experiments/sealing.py` compares: the same program with its encryption, and without."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(("way", "readable"), [("sealed", False), ("plain", True)])
def test_only_one_of_the_two_ways_is_encrypted(way: str, readable: bool, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "fewshot.research.bench.sealing.lesson_cost", str(tmp_path), "2", way]
    environment = os.environ | {"FEWSHOT_HOME": str(tmp_path / "home"), "FEWSHOT_KEYS": str(tmp_path / "keys")}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True, timeout=120)
    assert json.loads(done.stdout)["rows"] == 2 * 49
    assert (b"student 48" in b"".join(file.read_bytes() for file in tmp_path.glob("lesson.db*"))) == readable
