"""Labels of the app that the page on responsible use names are labels of the app."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_label_in_italics_begins_a_text_of_the_app() -> None:
    page = (ROOT / "docs" / "responsible-use.md").read_text(encoding="utf-8")
    labels = set(re.findall(r"(?<!\*)\*([^*\n]+)\*(?!\*)", page))
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "fewshot" / "app").rglob("*.py"))
    assert labels and [label for label in labels if f'"{label}' not in code] == []
