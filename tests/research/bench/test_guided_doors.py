"""atheris at the doors: a sample of ``experiments/fuzz.py --guided``, and whether it would find something."""

from __future__ import annotations

import importlib.util
import time
from pathlib import Path

import pytest

pytest.importorskip("resource", reason="needs limits of processes that Windows does not have")
if importlib.util.find_spec("atheris") is None:
    pytest.skip("atheris is not installed: it exists for Linux on x86-64", allow_module_level=True)

from fewshot.research.bench.survival.guided import guided

PLANTED = """
from types import SimpleNamespace

DOORS = {"planted": SimpleNamespace(right=lambda: [b"aaaa", b"ok"])}

def give(door, content):
    if len(content) > 3 and content[0] == 0x66 and content[1] == 0x65 and content[2] == 0x77:
        END
"""


def test_what_it_tries_is_refused_in_words_and_takes_new_ways() -> None:
    found = guided("consent.csv", 500, seed=3)
    assert found.faults == [] and found.inputs >= 500
    assert found.refused > 100 and found.kept > 5


@pytest.mark.parametrize("door", ["keys.json", "store"])
def test_right_bytes_are_among_what_it_tries(door: str) -> None:
    found = guided(door, 25, seed=3)
    assert found.refused < found.inputs and found.faults == []


@pytest.mark.parametrize(
    ("end", "words"),
    [
        ("raise ValueError('planted')", "ValueError in give"),
        ("import os; os.kill(os.getpid(), 11)", "ended by SIGSEGV: b'few"),
    ],
)
def test_three_bytes_in_a_row_are_found(end: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without guidance one of sixteen million inputs would find them."""
    name = f"planted_{len(end)}"
    (tmp_path / f"{name}.py").write_text(PLANTED.replace("END", end), encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    found = guided("planted", 200_000, 1, time.monotonic() + 120, doors=name)
    assert any(words in fault for fault in found.faults), found
