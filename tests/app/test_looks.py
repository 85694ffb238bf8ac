"""Opening a report leaves one line in the audit log per visit, and the card of a student makes the family's copy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("streamlit", reason="needs the extra app")

from streamlit.testing.v1 import AppTest

from fewshot.audit.log import latest
from fewshot.classroom.consent import make_consent
from fewshot.classroom.store import ClassStore
from fewshot.database import open_database
from fewshot.database.owner import LOCAL_TEACHER

LOOK = "from fewshot.app.looks import note_look\nnote_look('physics', 3)\nnote_look('physics', None, live=True)\n"
CARD = (
    "from fewshot.app.views.class_student import _family\nfrom fewshot.classroom.store import ClassStore\n"
    'store = ClassStore()\n_family(store, "physics", store.roster("physics").students["Zoë & O\'Neil"])\n'
)


@pytest.fixture(autouse=True)
def ready(empty_database: Any, fewshot_home: Path) -> None:
    empty_database(fewshot_home)
    ClassStore().create("physics")
    ClassStore().record_consent("physics", "Zoë & O'Neil", make_consent("the mother"))


def events() -> list[str]:
    return [line.event for line in latest(open_database(), 99, LOCAL_TEACHER)][1:]


def test_one_visit_leaves_one_line_of_each_lesson() -> None:
    test = AppTest.from_string(LOOK, default_timeout=60)
    test.session_state["visit"] = 1
    test.run()
    test.run()
    assert not test.exception and events() == ["looked", "looked"]
    test.session_state["visit"] = 2
    test.run()
    assert events() == ["looked"] * 4
    told = [line.told() for line in latest(open_database(), 2, LOCAL_TEACHER)]
    assert told == [{"class": 1, "lesson": 3, "live": False}, {"class": 1, "live": True}]


def test_the_copy_is_made_when_somebody_asks() -> None:
    test = AppTest.from_string(CARD, default_timeout=60).run()
    assert not test.exception and events() == []
    test.button[0].click().run()
    assert not test.exception and not test.error and events() == ["exported"]
