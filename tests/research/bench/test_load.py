"""The load run: what it counts as held, what it makes of costs, and what it sends; no service is started."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

pytest.importorskip("fastapi", reason="needs the extra serve")

from fewshot.api import messages
from fewshot.api.feed import decoded
from fewshot.errors import FewshotError, UsageError
from fewshot.research.bench.load.cores import PRICES, Prices, cores_for, load_prices, per_class_hour, words
from fewshot.research.bench.load.faults import Found, nonsense
from fewshot.research.bench.load.holding import Level, memory_per_lesson, per_face
from fewshot.research.bench.load.report import page


def level(lessons: int, worst: float = 0.3, dropped: int = 0, foreign: int = 0) -> Level:
    return Level(lessons, (0.1, 0.2, worst), worst, 100, dropped, 0.002, 500 + 50 * lessons, 0.0, foreign, 25 * lessons)


def test_a_price_file_without_prices_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "prices.json"
    for text in ("", "[]", "{}", json.dumps(PRICES), json.dumps({"price_per_hour": 1, "cores": 0, "currency": "EUR"})):
        file.write_text(text)
        with pytest.raises(UsageError, match=r"price"):
            load_prices(file)
    with pytest.raises(UsageError, match="cannot be used"):
        load_prices(tmp_path / "none.json")
    file.write_text(json.dumps({"price_per_hour": 2, "cores": 4, "currency": "EUR"}))
    assert load_prices(file) == Prices("EUR", 2, 4)


def test_cores_and_prices_follow_the_formula() -> None:
    assert cores_for(0.0007, lessons=10, students=30, readings=5) == pytest.approx(10 * 30 * 5 * 0.0007 / 0.7)
    assert per_class_hour(0.0007, Prices("EUR", 2.0, 4, 0.5)) == pytest.approx(0.15 / 4 * 2 + 0.5)
    assert "**214 cores**" in words(0.001, None) and "No price is given" in words(0.001, None)


def test_late_or_dropped_moments_are_not_held() -> None:
    assert level(2).held and level(2, dropped=2).held
    assert not level(2, worst=0.51).held and not level(2, dropped=3).held
    assert memory_per_lesson([level(1)]) is None
    assert memory_per_lesson([level(1), level(3)]) == pytest.approx(50)
    assert per_face([level(1), level(2)]) == 0.002


def test_the_page_says_what_failed_and_what_was_left_out() -> None:
    checks = {"a": Found(True, "fine"), "b": Found(False, "lost"), "c": "needs PostgreSQL"}
    told = page([level(1), level(4, worst=0.9, foreign=3)], checks, 2, "python experiments/load.py", None)
    assert (
        "Lessons held: **1**" in told and "125 of 125 students" in told and "3 names belonged to other lessons" in told
    )
    assert "on a quiet one" not in told
    busy = replace(level(1), others=1.5)
    assert "on a quiet one" in page([busy], {}, 2, "python experiments/load.py", None)
    assert "| b | no | lost |" in told and "| c | left out | needs PostgreSQL |" in told


def test_nonsense_fits_no_message_and_is_no_picture() -> None:
    draw = random.Random(1)
    for _ in range(300):
        made = nonsense(draw)
        with pytest.raises((FewshotError, ValidationError, UnicodeError)):
            if isinstance(made, bytes):
                decoded(made)
            else:
                messages.first(made)
