"""Nothing of a removed student is left, in the database or in the bytes of its files."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from fewshot.classroom.class_rows import Networks
from fewshot.classroom.consent import Consent
from fewshot.classroom.corrections import learn, unlearn
from fewshot.classroom.enrollment import Accepted
from fewshot.classroom.store import ClassStore
from fewshot.research.bench.survival.openable import readable
from fewshot.session.lessons import LessonStore
from fewshot.session.recorder import LessonRecorder
from fewshot.types import EMOTIONS, FrameResult, Reading
from fewshot.vault import FileKeys

DAY = datetime(2026, 11, 20, tzinfo=UTC).date()
STUDENTS = ["Quentin", "Bela", "chen"]
DIMENSION = 256


def vectors(student: str, number: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng([number, *student.encode()])
    return rng.normal(size=DIMENSION).astype(np.float32), rng.normal(size=512).astype(np.float32)


def content(home: Path) -> bytes:
    """What can be read in the files by whoever has the keys that are there now."""
    return readable([home], FileKeys(home))


def marks_of(student: str) -> list[bytes]:
    """Bytes that stand in the database because of this student alone."""
    marks = [vector.tobytes() for number in range(30) for vector in vectors(student, number)]
    marks += [student.encode(), f"the mother of {student}".encode(), f"sha-{student}-7".encode()]
    return [*marks, f"mood-{student}".lower().encode(), b"\xff\xd8 " + student.encode() * 200]


def fill(store: ClassStore) -> int:
    """A class of three with 30 photos, a portrait, a correction, and 90 seconds of a lesson each."""
    photos = [
        Accepted(s, "happy", f"sha-{s}-{n}", "0f", *vectors(s, n), 100.0, 0.9, DAY) for n in range(30) for s in STUDENTS
    ]
    consents = {student: Consent(f"the mother of {student}", DAY) for student in STUDENTS}
    store.keep("physics", photos, consents, Networks("n", "i", DIMENSION, 512))
    with LessonRecorder.start("physics", STUDENTS, database=store.database) as recorder:
        for second in range(90):
            recorder.write(FrameResult("cam", second, float(second), 640, 480, tuple(map(showing, STUDENTS))))
    for student in STUDENTS:
        store.set_portrait("physics", student, b"\xff\xd8 " + student.encode() * 200)
        learn(store.database, "physics", recorder.lesson, student, 3.0, "sad", vectors(student, 99)[0], "happy")
        LessonStore(store.database).mark(recorder.lesson, 5.0, f"{student} asks")
    return recorder.lesson


def showing(student: str) -> Reading:
    probabilities = {**dict.fromkeys(EMOTIONS, 0.1), f"mood-{student}".lower(): 0.3}
    return Reading(1, (0, 0, 1, 1), 0.9, student, 0.5, f"mood-{student}".lower(), 0.3, probabilities)


def test_not_a_byte_is_left_of_a_removed_student(fewshot_home: Path) -> None:
    store = ClassStore()
    lesson = fill(store)
    # Somebody reads at the same time, so that SQLite cannot drop its journal by itself.
    with store.database.read() as session:
        session.connection().exec_driver_sql("SELECT 1").all()
    before = content(fewshot_home)
    present = {student: [mark for mark in marks_of(student) if mark in before] for student in STUDENTS}
    assert all(len(marks) == len(marks_of(student)) for student, marks in present.items())
    store.remove_student("physics", "Quentin")
    after = content(fewshot_home)
    assert [mark[:20] for mark in marks_of("Quentin") if mark in after] == []
    for student in STUDENTS[1:]:
        assert [mark[:20] for mark in marks_of(student) if mark not in after] == []
    kept = LessonStore().load(lesson)
    assert kept.students == STUDENTS[1:]
    assert len(kept.readings) == 2 * 90
    assert {correction.student for correction in kept.corrections} == set(STUDENTS[1:])


def test_not_a_byte_is_left_while_another_connection_is_open(fewshot_home: Path) -> None:
    store = ClassStore()
    fill(store)
    other = store.database._engine.connect()  # as of a second program: the journal stays
    other.exec_driver_sql("SELECT count(*) FROM students").all()
    other.rollback()
    assert any(path.suffix == ".db-wal" for path in fewshot_home.iterdir())
    store.remove_student("physics", "Quentin")
    assert [mark[:20] for mark in marks_of("Quentin") if mark in content(fewshot_home)] == []
    other.close()


def test_a_correction_undone_leaves_no_vector(fewshot_home: Path) -> None:
    store = ClassStore()
    lesson = fill(store)
    vector = vectors("Bela", 99)[0].tobytes()
    assert vector in content(fewshot_home)
    number = next(c.id for c in LessonStore().load(lesson).corrections if c.student == "Bela")
    unlearn(store.database, "physics", number)
    assert vector not in content(fewshot_home)


def test_a_deleted_lesson_and_a_deleted_class_are_gone(fewshot_home: Path) -> None:
    store = ClassStore()
    lesson = fill(store)
    LessonStore().delete(lesson)
    assert b"mood-bela" not in content(fewshot_home)
    assert len(store.vectors("physics").supports_of("Bela")) == 31  # what was learned from the correction stays
    store.delete("physics")
    left = content(fewshot_home)
    assert [mark[:20] for student in STUDENTS for mark in marks_of(student) if mark in left] == []
