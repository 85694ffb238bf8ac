"""A lesson that runs while its class goes to another teacher, or while the account of its teacher is removed."""

from __future__ import annotations

import pytest
from made_frames import class_with_consents, everybody

from fewshot.accounts.accounts import Accounts
from fewshot.classroom.class_watch import ClassWatch
from fewshot.classroom.owners import Owner, Owners
from fewshot.database import open_database
from fewshot.database.owner import LOCAL_TEACHER
from fewshot.errors import StoreError
from fewshot.session import recorder
from fewshot.session.lessons import LessonStore
from fewshot.session.recorder import LessonRecorder
from fewshot.session.takeover import LessonGiven

NAMES = ["asha", "bela"]
SHOWN = dict.fromkeys(NAMES, "happy")


@pytest.fixture
def bert() -> Owner:
    return Owners().add("Bert")


def start(owner: Owner = LOCAL_TEACHER, classroom: str = "") -> LessonRecorder:
    store = LessonStore(owner=owner)
    students = NAMES if classroom else []
    kept = LessonRecorder(store, store.create(classroom, students=students), students, threaded=False)
    kept.write(everybody(0.0, SHOWN))
    kept.flush()
    return kept


@pytest.mark.parametrize("classroom", ["physics", ""])
def test_nothing_more_is_recorded_and_the_receiver_has_what_there_is(bert: Owner, classroom: str) -> None:
    class_with_consents("physics", NAMES)
    kept = start(classroom=classroom)
    Accounts().give(LOCAL_TEACHER, bert)
    kept.write(everybody(1.0, SHOWN))
    for end in (kept.flush, kept.flush, kept.close):
        with pytest.raises(LessonGiven, match="does not belong to this account any more"):
            end()
    theirs = LessonStore(owner=bert)
    assert LessonStore().lessons() == [] and theirs.info(kept.lesson).state == "ended"
    assert theirs.load(kept.lesson).frames_per_second.tolist() == [1]


def test_the_run_ends_at_once(bert: Owner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "PACE", 0.01)
    kept = start()
    Accounts().give(LOCAL_TEACHER, bert)
    kept.write(everybody(1.0, SHOWN))
    kept._work()
    with pytest.raises(LessonGiven):
        kept.write(everybody(2.0, SHOWN))


def test_the_giver_recognises_nobody_any_more(bert: Owner) -> None:
    class_with_consents("physics", NAMES)
    changes: list[object] = []
    watch = ClassWatch(open_database(), "physics", changes.append)
    Accounts().give(LOCAL_TEACHER, bert)
    watch._next = 0
    with pytest.raises(StoreError, match="given to another teacher"):
        watch.look()
    assert changes == [None]
    assert ClassWatch(open_database(), "physics", changes.append, bert).look().students == set(NAMES)


def test_a_lesson_that_nobody_can_stop_any_more_ends(bert: Owner) -> None:
    kept = start(bert)
    LessonStore(owner=bert).delete(kept.lesson)
    kept.flush()
    kept.flush()
    assert kept.deleted  # its teacher goes on to watch, without a record
    Accounts().owners.remove(bert.id)
    with pytest.raises(LessonGiven):
        kept.flush()
