"""A class whose students left something in every place: photos, portrait, correction, check-in, consents, lessons."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from fewshot.classroom.class_rows import Networks
from fewshot.classroom.consent import Consent
from fewshot.classroom.corrections import learn
from fewshot.classroom.enrollment import Accepted
from fewshot.classroom.store import ClassStore
from fewshot.database import Database, in_folder
from fewshot.session.check_in_answers import close_check_in
from fewshot.session.lessons import LessonStore
from fewshot.session.recorder import LessonRecorder
from fewshot.types import EMOTIONS, FrameResult, Reading

NAMES = ["Zebulon", "आशा कुमारी", "Ναταλία"]
DIMENSION = 24


@pytest.fixture
def homes(fewshot_home: Path) -> tuple[Path, Path]:
    """The folder with the data of such a class, and the one with the epoch key."""
    database = in_place(fewshot_home)
    fill(database).close()
    database.close()
    return fewshot_home, fewshot_home.with_name(f"{fewshot_home.name}-keys")


def vector_of(name: str, number: int) -> np.ndarray:
    return np.random.default_rng([number, *name.encode()]).normal(size=DIMENSION).astype(np.float32)


def fill(database: Database, names: list[str] = NAMES, seconds: int = 4) -> LessonRecorder:
    """The class "physics". Returns the recorder of its lesson, which still runs."""
    store, day = ClassStore(database), date(2026, 11, 20)
    photos = [
        Accepted(name, "happy", f"{name} {number}", "0f", vector_of(name, number), vector_of(name, 100 + number), 90.0,
                 0.9, day)
        for name in names for number in range(2)
    ]  # fmt: skip
    consents = {name: Consent(f"the mother of {name}", day, f"research with {name}") for name in names}
    store.keep("physics", photos, consents, Networks("n", "i", DIMENSION, DIMENSION))
    recorder = LessonRecorder.start("physics", names, database=database, title=f"{names[0]} speaks")
    write(recorder, names, 0, seconds)
    recorder.flush()
    for name in names:
        store.set_portrait("physics", name, b"\xff\xd8 " + name.encode() * 3)
        learn(database, "physics", recorder.lesson, name, 1.0, "sad", vector_of(name, 7), "happy")
        LessonStore(database).mark(recorder.lesson, 1.0, f"{name} asks")
        close_check_in(LessonStore(database), [recorder.lesson], name, "asked, fine", f"{name} was tired")
    return recorder


def write(recorder: LessonRecorder, names: list[str], first: int, last: int) -> None:
    """Seconds of a lesson, with two frames each."""
    for half in range(2 * first, 2 * last):
        readings = tuple(
            Reading(n, (0, 0, 1, 1), 0.9, name, 0.5, EMOTIONS[(half // 2 + n) % 7], 0.4,
                    {label: 0.4 if label == EMOTIONS[(half // 2 + n) % 7] else 0.1 for label in EMOTIONS})
            for n, name in enumerate(names)
        )  # fmt: skip
        recorder.write(FrameResult("cam", half, half / 2, 64, 48, readings))


def marks_of(name: str) -> list[bytes]:
    """Bytes that would tell something of a student: the name in several encodings, and the vectors."""
    spellings = {name, name.lower(), name.upper()}
    marks = [text.encode(code) for text in spellings for code in ("utf-8", "utf-16-le", "utf-16-be")]
    marks += [json.dumps(text)[1:-1].encode() for text in spellings]
    return [*marks, *(vector_of(name, number).tobytes() for number in (0, 1, 7, 100, 101))]


def told(database: Database, name: str) -> tuple[object, ...]:
    """Everything that the program says of a student."""
    store = ClassStore(database)
    vectors = store.vectors("physics")
    assert vectors is not None
    lesson = LessonStore(database).load(1)
    mine = lesson.readings.student == lesson.students.index(name)
    return (
        vectors.supports_of(name).vectors.tobytes(), vectors.identities_of(name).tobytes(),
        store.consents("physics", name)[0].given_by, store.portrait("physics", name),
        lesson.readings.emotion[mine].tolist(), [c.actually for c in lesson.corrections if c.student == name],
        [(one.answer, one.note) for one in lesson.answers if one.student == name],
    )  # fmt: skip


def in_place(folder: Path) -> Database:
    """The database in a folder, as a program that just started opens it."""
    return in_folder(folder)
