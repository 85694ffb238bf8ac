"""A deletion is said to be complete once, and not by every program that comes after it."""

from __future__ import annotations

from pathlib import Path

import pytest

from fewshot.classroom.consent import make_consent
from fewshot.classroom.store import ClassStore
from fewshot.database import Database
from fewshot.database.erasure import take_note


@pytest.mark.parametrize("interrupted", [False, True])
def test_later_programs_say_nothing_of_a_deletion_that_is_complete(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, interrupted: bool
) -> None:
    url = f"sqlite:///{tmp_path / 'x.db'}"
    store = ClassStore(Database(url))
    store.create("physics")
    store.record_consent("physics", "asha", make_consent("her mother"))
    if interrupted:  # as after a kill between the deletion and the erasure
        with store.database.write() as session:
            take_note(session)
    else:
        store.remove_student("physics", "asha", keep_class=True)
    said = []
    for _ in range(3):
        caplog.clear()
        assert not Database(url).erasure_pending
        said.append("is now complete" in caplog.text)
    assert said == [interrupted, False, False]
