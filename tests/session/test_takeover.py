"""Going on with a lesson whose recorder has died, hangs, or wakes up too late."""

from __future__ import annotations

from datetime import timedelta

import pytest
from made_frames import class_with_consents, everybody, frame, reading

from fewshot.classroom.store import ClassStore
from fewshot.database.columns import now
from fewshot.database.lesson_tables import LessonRow
from fewshot.errors import StoreError, UsageError
from fewshot.session import recorder
from fewshot.session.lesson import NOBODY
from fewshot.session.lessons import LessonStore
from fewshot.session.recorder import LessonRecorder
from fewshot.session.takeover import LessonTaken

NAMES = ["asha", "ben"]
SHOWN = dict.fromkeys(NAMES, "happy")


@pytest.fixture
def lessons() -> LessonStore:
    class_with_consents("physics", NAMES)
    return LessonStore()


def begun(lessons: LessonStore, frames: int = 25, aggregate: bool = False) -> LessonRecorder:
    """A recorder that has written frames at 10 per second, and then does nothing any more."""
    kept = LessonRecorder(
        lessons, lessons.create("physics", students=NAMES, aggregate=aggregate), NAMES, aggregate, threaded=False
    )
    for step in range(frames):
        kept.write(everybody(step / 10, SHOWN))
        kept.flush()
    return kept


def silent(lessons: LessonStore, lesson: int, seconds: float, owner: str | None = None) -> None:
    """Let a lesson look as if its last sign of life came so many seconds ago."""
    with lessons.database.write() as session:
        row = session.get(LessonRow, lesson)
        assert row is not None
        row.heartbeat = now() - timedelta(seconds=seconds)
        row.owner = row.owner if owner is None else owner


def resumed(lesson: int, ticket: str | None = None) -> LessonRecorder:
    return LessonRecorder.resume(lesson, ticket, threaded=False)


@pytest.mark.parametrize("first", [0.0, 2.5, 57.3, 3600.1])
def test_it_goes_on_after_the_last_second_and_replaces_the_unfinished_one(lessons: LessonStore, first: float) -> None:
    old = begun(lessons)
    assert lessons.load(old.lesson).frames_per_second.tolist() == [10, 10, 5]
    with resumed(old.lesson, old.ticket) as kept:
        assert kept.position == pytest.approx(2.5)
        assert lessons.load(old.lesson).frames_per_second.tolist() == [10, 10, 5]  # until there is something better
        for step in range(20):
            kept.write(everybody(first + step / 8, SHOWN))
            kept.flush()
    lesson = lessons.load(old.lesson)
    assert lesson.frames_per_second.tolist() == [10, 10, 8, 8, 4]
    assert lesson.readings.second.tolist() == [second for second in range(5) for _ in NAMES]
    assert lesson.readings.frames.tolist() == [count for count in (10, 10, 8, 8, 4) for _ in NAMES]
    assert lesson.info.state == "ended" and lesson.info.seconds == pytest.approx(4.5, abs=0.01)


def test_a_second_that_was_finished_is_kept(lessons: LessonStore) -> None:
    old = begun(lessons, 0)
    for step in range(21):
        old.write(everybody(step / 10, SHOWN))
    old.flush(unfinished=False)
    with resumed(old.lesson, old.ticket) as kept:
        kept.write(everybody(0.0, SHOWN))
    assert lessons.load(old.lesson).frames_per_second.tolist() == [10, 10, 1]


def test_it_can_be_taken_over_before_the_first_frame_and_again_and_again(lessons: LessonStore) -> None:
    kept = begun(lessons, 0)
    for number in range(4):
        ticket = kept.ticket
        kept = resumed(kept.lesson, ticket)
        assert kept.ticket == ticket
        kept.flush()  # a sign of life, without a frame
        for step in range(10 * (number % 2)):
            kept.write(everybody(step / 10, SHOWN))
        kept.flush(unfinished=number == 1)
    kept.close()
    # The last recorder wrote its second at its end; the one before left one unfinished, which was replaced.
    assert lessons.load(kept.lesson).frames_per_second.tolist() == [10]


def test_the_old_recorder_is_refused_whatever_it_does(lessons: LessonStore) -> None:
    old = begun(lessons)
    new = resumed(old.lesson, old.ticket)
    new.write(everybody(0.0, SHOWN))
    new.flush()
    before = lessons.load(old.lesson)
    old.write(everybody(2.6, SHOWN))
    for act in (old.flush, old.close, lambda: old.flush(unfinished=False)):
        with pytest.raises(LessonTaken, match=f"now records lesson {old.lesson}.*fewshot lessons"):
            act()
    after = lessons.load(old.lesson)
    assert after.info.state == "running"  # the old one could not end it
    assert (after.frames_per_second == before.frames_per_second).all() and len(after.readings) == len(before.readings)
    new.close()
    assert lessons.info(old.lesson).state == "ended"


def test_the_old_recorder_s_run_learns_of_it_at_once(lessons: LessonStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """No 30 seconds of further attempts, as for a database that fails."""
    old = begun(lessons)
    old.write(everybody(3.0, SHOWN))
    resumed(old.lesson, old.ticket)
    monkeypatch.setattr(recorder, "PACE", 0.0)
    old._work()
    with pytest.raises(LessonTaken):
        old.write(everybody(3.1, SHOWN))


def test_a_second_recorder_on_a_lesson_is_refused_and_told_what_to_use(lessons: LessonStore) -> None:
    old = begun(lessons)
    with pytest.raises(UsageError, match=rf"already has a recorder.*resume\({old.lesson}\)"):
        LessonRecorder(lessons, old.lesson, NAMES, threaded=False)
    old.close()


def test_without_a_ticket_the_sign_of_life_decides(lessons: LessonStore) -> None:
    old = begun(lessons)
    with pytest.raises(UsageError, match=r"still being recorded.*10 seconds"):
        resumed(old.lesson)
    silent(lessons, old.lesson, 11)
    new = resumed(old.lesson)
    assert new.ticket and new.ticket != old.ticket
    with pytest.raises(UsageError, match="not the ticket"):
        resumed(old.lesson, old.ticket)  # who was silent does not get it back with the old ticket
    with pytest.raises(UsageError, match="still being recorded"):
        resumed(old.lesson)
    new.close()


@pytest.mark.parametrize(("seconds", "free"), [(9, False), (11, True), (-5, False), (-3600, True)])
def test_a_writer_on_another_machine_and_clocks_that_differ(lessons: LessonStore, seconds: float, free: bool) -> None:
    """A sign of life from the future is one from before a clock was set back: it must not lock a lesson for an hour."""
    old = begun(lessons)
    silent(lessons, old.lesson, seconds, owner="elsewhere|1|1")
    if free:
        resumed(old.lesson).close()
    else:
        with pytest.raises(UsageError, match="still being recorded"):
            resumed(old.lesson)


@pytest.mark.parametrize("ticket", ["", "wrong", "\udcff", "x" * 100_000])
def test_a_wrong_ticket_opens_nothing(lessons: LessonStore, ticket: str) -> None:
    old = begun(lessons)
    silent(lessons, old.lesson, 11)
    with pytest.raises(UsageError, match="not the ticket"):
        resumed(old.lesson, ticket)
    with lessons.database.read() as session:
        row = session.get(LessonRow, old.lesson)
        assert row is not None and row.writer == 1 and old.ticket not in row.ticket


@pytest.mark.parametrize("number", [99, 0, -1, 2**63, -(2**70)])
def test_a_lesson_that_is_not_there(lessons: LessonStore, number: int) -> None:
    with pytest.raises(UsageError, match=f"no lesson {number}, so"):
        resumed(number)


def test_a_lesson_that_has_ended_or_was_deleted(lessons: LessonStore) -> None:
    old = begun(lessons)
    old.close()
    with pytest.raises(UsageError, match="has ended"):
        resumed(old.lesson, old.ticket)
    lessons.delete(old.lesson)
    with pytest.raises(UsageError, match="no lesson"):
        resumed(old.lesson, old.ticket)
    gone = lessons.create("physics", students=NAMES)
    lessons.delete(gone)
    with LessonRecorder(lessons, gone, NAMES, threaded=False) as kept:
        kept.write(everybody(0.0, SHOWN))
    assert kept.deleted


def test_own_states_keep_their_columns(lessons: LessonStore) -> None:
    old = begun(lessons, 0)
    old.write(frame(0.0, reading("asha", "bored", state="bored")))
    old.write(frame(1.0, reading("asha", "bored", state="bored")))
    old.flush()
    with resumed(old.lesson, old.ticket) as kept:
        kept.write(frame(0.0, reading("ben", "puzzled", state="puzzled")))
        kept.write(frame(1.0, reading("asha", "bored", state="bored")))
    lesson = lessons.load(old.lesson)
    assert lesson.labels[-2:] == ["bored", "puzzled"]
    rows = lesson.readings
    shown = [
        (int(second), lesson.students[who], lesson.labels[emotion])
        for second, who, emotion in zip(rows.second, rows.student, rows.emotion, strict=True)
    ]
    assert shown == [(0, "asha", "bored"), (1, "ben", "puzzled"), (2, "asha", "bored")]
    assert rows.probabilities.argmax(axis=1).tolist() == [7, 8, 7]


def test_students_who_left_meanwhile_stay_away(lessons: LessonStore) -> None:
    old = begun(lessons)
    ClassStore().remove_student("physics", "ben")
    with resumed(old.lesson, old.ticket) as kept:
        kept.write(everybody(0.0, SHOWN))
    lesson = lessons.load(old.lesson)
    assert lesson.students == ["asha"]
    assert lesson.readings.student.tolist() == [0, 0, NOBODY, 0]  # the face of somebody who is not enrolled


def test_a_lesson_with_counts_only_stays_one(lessons: LessonStore) -> None:
    six = {f"student {number}": "happy" for number in range(6)}
    old = begun(lessons, 0, aggregate=True)
    for step in range(11):
        old.write(everybody(step / 10, six))
    old.flush()
    with resumed(old.lesson, old.ticket) as kept:
        kept.write(everybody(0.0, six))
    lesson = lessons.load(old.lesson)
    assert len(lesson.readings) == 0 and lesson.kept_counts is not None
    assert lesson.kept_counts.sum(axis=1).tolist() == [6, 6]


def test_a_change_that_was_saved_though_its_answer_was_lost(
    lessons: LessonStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that restarts may have saved the seconds; to write them again must not fail for ever."""
    kept = begun(lessons, 15)
    keep = kept._keep

    def lost(*words: object) -> bool:
        keep(*words)  # type: ignore[arg-type]
        raise StoreError("the server closed the connection")

    for step in range(15, 32):
        kept.write(everybody(step / 10, SHOWN))
    with monkeypatch.context() as patched:
        patched.setattr(kept, "_keep", lost)
        for _ in range(2):
            with pytest.raises(StoreError, match="closed the connection"):
                kept.flush()
    kept.write(everybody(3.2, SHOWN))
    kept.close()
    lesson = lessons.load(kept.lesson)
    assert lesson.frames_per_second.tolist() == [10, 10, 10, 3] and len(lesson.readings) == 8
