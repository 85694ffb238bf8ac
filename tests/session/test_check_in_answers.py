"""Check-ins that a teacher closed: kept sealed, opened again, and gone with the student, the lesson or the class."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from made_frames import class_with_consents, everybody

from fewshot.audit.log import latest
from fewshot.classroom.blotting import SOMEBODY
from fewshot.classroom.owners import Owners
from fewshot.classroom.store import ClassStore
from fewshot.database.lesson_tables import CheckInRow
from fewshot.database.owner import LOCAL_TEACHER
from fewshot.errors import UsageError
from fewshot.research.bench.survival.openable import readable
from fewshot.session.check_in_answers import answers_of, close_check_in, open_check_in
from fewshot.session.lessons import LessonStore
from fewshot.session.recorder import LessonRecorder
from fewshot.vault import FileKeys

ODD = "Zoë & 🙂 نور"
NAMES = ["Asha P.", "Bela", ODD]
NOTE = "quarrelled with Bela; tired"


@pytest.fixture
def lessons() -> tuple[int, int]:
    """Two lessons of one class, a week apart."""
    class_with_consents("physics", NAMES)
    numbers = []
    for ago in (7, 0):
        started = datetime.now(UTC) - timedelta(days=ago, minutes=1)
        with LessonRecorder.start("physics", NAMES, started=started) as recorder:
            for second in range(3):
                recorder.write(everybody(float(second), dict.fromkeys(NAMES, "happy")))
        numbers.append(recorder.lesson)
    return numbers[0], numbers[1]


def content(home: Path) -> bytes:
    """What can be read in the files by whoever has the keys that are there now."""
    return readable([home], FileKeys(home))


@pytest.mark.parametrize("student", ["Asha P.", ODD])
def test_an_answer_is_kept_and_its_note_is_sealed(lessons: tuple[int, int], student: str, fewshot_home: Path) -> None:
    store = LessonStore()
    close_check_in(store, [lessons[1]], student, "asked, fine", f"  {NOTE} ")
    (kept,) = store.load(lessons[1]).answers
    assert (kept.lesson, kept.student, kept.answer, kept.note) == (lessons[1], student, "asked, fine", NOTE)
    assert store.load(lessons[0]).answers == []
    raw = b"".join(path.read_bytes() for path in fewshot_home.rglob("*") if path.is_file())
    assert NOTE.encode() not in raw and b"asked, fine" not in raw and NOTE.encode() in content(fewshot_home)


def test_the_log_has_the_event_and_not_the_words(lessons: tuple[int, int]) -> None:
    store = LessonStore()
    close_check_in(store, [lessons[1]], "Bela", "not needed", NOTE)
    open_check_in(store, lessons[1], "Bela")
    closed, opened = latest(store.database, 2, LOCAL_TEACHER)
    assert (closed.event, opened.event) == ("check-in closed", "check-in opened")
    assert closed.told() == opened.told() == {"lesson": lessons[1]} and closed.subject == opened.subject != ""


def test_what_is_closed_together_is_opened_together_and_its_note_is_gone(
    lessons: tuple[int, int], fewshot_home: Path
) -> None:
    store = LessonStore()
    close_check_in(store, lessons, "Bela", "asked, fine", NOTE)
    close_check_in(store, [lessons[1]], "Asha P.", "not needed", "stays")
    assert [(one.lesson, one.student) for one in answers_of(store, lessons)] == [
        (lessons[0], "Bela"), (lessons[1], "Bela"), (lessons[1], "Asha P."),
    ]  # fmt: skip
    key = store.stamp(lessons[1])
    open_check_in(store, lessons[1], "Bela")
    assert [(one.student, one.note) for one in answers_of(store, lessons)] == [("Asha P.", "stays")]
    assert NOTE.encode() not in content(fewshot_home) and b"stays" in content(fewshot_home)
    assert store.stamp(lessons[1]) == key, "a report need not be calculated again"
    open_check_in(store, lessons[1], "Bela")
    close_check_in(store, [lessons[1]], "Bela", "not needed")
    assert answers_of(store, lessons)[-1].note == ""


def test_two_windows_do_not_overwrite_each_other(lessons: tuple[int, int]) -> None:
    store = LessonStore()
    close_check_in(store, [lessons[1]], "Bela", "asked, fine", "first")
    with pytest.raises(UsageError, match=r"closed already.*Nothing was changed"):
        close_check_in(store, lessons, "Bela", "not needed", "second")
    assert [(one.lesson, one.note) for one in answers_of(store, lessons)] == [(lessons[1], "first")]


@pytest.mark.parametrize(
    ("student", "answer", "note", "said"),
    [
        ("Nobody", "asked, fine", "", "no student 'Nobody'"),
        ("Bela", "expelled", "", "asked, fine; not needed"),
        ("Bela", "asked, fine", "x" * 501, "501 characters"),
    ],
)
def test_what_cannot_be_kept_is_a_sentence(
    lessons: tuple[int, int], student: str, answer: str, note: str, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        close_check_in(LessonStore(), [lessons[1]], student, answer, note)  # type: ignore[arg-type]
    assert answers_of(LessonStore(), lessons) == []


def test_a_colleague_reads_and_changes_nothing(lessons: tuple[int, int]) -> None:
    store, other = LessonStore(), LessonStore(owner=Owners().add("Anna"))
    close_check_in(store, [lessons[1]], "Bela", "asked, fine", NOTE)
    assert answers_of(other, lessons) == []
    for act in (
        lambda: close_check_in(other, [lessons[0]], "Bela", "asked, fine"),
        lambda: open_check_in(other, lessons[1], "Bela"),
        lambda: other.unmark(lessons[1], 1),
        lambda: other.stamp(lessons[1]),
    ):
        with pytest.raises(UsageError, match=r"There is no lesson \d+\."):
            act()
    assert len(answers_of(store, lessons)) == 1


def rows() -> int:
    with LessonStore().database.read() as session:
        return session.query(CheckInRow).count()


@pytest.mark.parametrize("what", ["student", "lesson", "class", "retention"])
def test_it_goes_with_what_it_is_about(lessons: tuple[int, int], what: str, fewshot_home: Path) -> None:
    store = LessonStore()
    close_check_in(store, [lessons[0]], "Bela", "asked, fine", NOTE)
    acts = {
        "student": lambda: ClassStore().remove_student("physics", "Bela"),
        "lesson": lambda: store.delete(lessons[0]),
        "class": lambda: ClassStore().delete("physics"),
        "retention": lambda: store.delete_older_than(5),
    }
    acts[what]()
    assert rows() == 0 and NOTE.encode() not in content(fewshot_home)


def test_a_removed_name_leaves_the_notes_about_others(lessons: tuple[int, int], fewshot_home: Path) -> None:
    store = LessonStore()
    close_check_in(store, [lessons[1]], ODD, "asked, fine", NOTE)
    said = ClassStore().remove_student("physics", "Bela")
    assert "1 note" in said
    assert [one.note for one in answers_of(store, lessons)] == [f"quarrelled with {SOMEBODY}; tired"]
    assert b"Bela" not in content(fewshot_home)


def test_a_marker_can_be_taken_back(lessons: tuple[int, int], fewshot_home: Path) -> None:
    store = LessonStore()
    first, second = store.mark(lessons[1], 1.0, "Exercise 2 of Bela"), store.mark(lessons[1], 2.0, "break")
    store.unmark(lessons[1], first)
    store.unmark(lessons[1], first)
    store.unmark(lessons[0], second)
    assert [marker.text for marker in store.load(lessons[1]).markers] == ["break"]
    assert b"Exercise 2" not in content(fewshot_home)


def test_a_stamp_changes_with_the_report(lessons: tuple[int, int]) -> None:
    store, classes, number = LessonStore(), ClassStore(), lessons[1]
    stamps = [store.stamp(number), store.stamp(number)]
    assert stamps[0] == stamps[1]
    for act in (
        lambda: store.rename(number, "Optics"),
        lambda: store.mark(number, 1.0, "break"),
        lambda: store.unmark(number, 1),
        lambda: classes.rename_student("physics", "Bela", "Béla"),
        lambda: classes.remove_student("physics", ODD),
    ):
        act()
        stamps.append(store.stamp(number))
    assert all(old != new for old, new in pairwise(stamps[1:]))
