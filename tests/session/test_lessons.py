from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from made_frames import everybody, frame, reading

from fewshot.classroom.consent import make_consent
from fewshot.classroom.store import ClassStore
from fewshot.database import Database
from fewshot.database.lesson_tables import LessonRow
from fewshot.errors import UsageError
from fewshot.session.lesson import NOBODY, UNREADABLE, UNSURE
from fewshot.session.lessons import LessonStore
from fewshot.session.recorder import LessonRecorder
from fewshot.session.settings import Settings
from fewshot.types import EMOTIONS

HAPPY, SAD = EMOTIONS.index("happy"), EMOTIONS.index("sad")
NAMES = ["asha", "Bela", "chen"]


@pytest.fixture(params=["file", "memory"])
def classes(request: pytest.FixtureRequest) -> ClassStore:
    """A class of three."""
    store = ClassStore(None if request.param == "file" else Database("sqlite://"))
    store.create("physics")
    for name in NAMES:
        store.record_consent("physics", name, make_consent("the parents"))
    return store


@pytest.fixture
def lessons(classes: ClassStore) -> LessonStore:
    return LessonStore(classes.database)


def record(lessons: LessonStore, aggregate: bool = False) -> LessonRecorder:
    number = lessons.create("physics", title="Optics", source="cam", network="n", students=NAMES, aggregate=aggregate)
    return LessonRecorder(lessons, number, NAMES, aggregate, threaded=False)


def test_no_lesson(lessons: LessonStore) -> None:
    assert lessons.lessons() == []
    for action in (lessons.info, lessons.load, lessons.readings, lessons.delete, lessons.end):
        with pytest.raises(UsageError, match="no lesson 1"):
            action(1)
    with pytest.raises(UsageError, match="no class 'maths'"):
        lessons.create("maths")
    with pytest.raises(UsageError, match="not in class 'physics': zoe"):
        lessons.create("physics", students=["asha", "zoe"])


def test_a_lesson_nobody_was_seen_in(lessons: LessonStore) -> None:
    recorder = record(lessons)
    lesson = lessons.load(recorder.lesson)
    assert (lesson.info.state, lesson.info.seconds, lesson.info.ended) == ("running", 0.0, None)
    assert (lesson.info.classroom, lesson.info.title, lesson.info.source) == ("physics", "Optics", "cam")
    assert lesson.students == ["asha", "Bela", "chen"]
    assert lesson.labels == list(EMOTIONS)
    assert (len(lesson.readings), lesson.counts().shape) == (0, (0, 9))
    recorder.close()
    assert lessons.info(recorder.lesson).state == "ended"


def test_everything_comes_back(lessons: LessonStore) -> None:
    with record(lessons) as recorder:
        recorder.write(everybody(0.0, {"chen": "sad", "asha": "happy"}))
        recorder.write(everybody(0.5, {"asha": "happy"}))
        recorder.write(frame(2.0, reading("asha", None), reading(None, "sad"), reading("Bela", readable=False)))
        recorder.write(frame(2.5, reading("asha", "confused", state="confused")))
        recorder.write(frame(2.6, reading("asha", "confused", state="confused")))
    lesson = lessons.load(recorder.lesson)
    rows = lesson.readings
    assert lesson.labels == [*EMOTIONS, "confused"]
    assert rows.second.tolist() == [0, 0, 2, 2, 2]
    assert rows.student.tolist() == [0, 2, NOBODY, 0, 1]
    assert rows.emotion.tolist() == [HAPPY, SAD, SAD, 7, UNREADABLE]
    assert rows.frames.tolist() == [2, 1, 1, 3, 1]
    assert rows.readable.tolist() == [2, 1, 1, 3, 0]
    assert np.isnan(rows.confidence[4])
    assert rows.confidence[0] == np.float32(0.8)
    assert rows.probabilities.shape == (5, 8)
    np.testing.assert_allclose(rows.probabilities.sum(axis=1), [1, 1, 1, 1, 0], atol=1e-6)
    assert lesson.frames_per_second.tolist() == [2, 0, 3]
    counts = lesson.counts()
    assert (counts[0, HAPPY], counts[0, SAD], counts[1].sum(), counts[2, 7], counts[2, -1]) == (1, 1, 0, 1, 1)
    assert counts.sum() == 4  # the stranger is no student
    assert [array.dtype for array in (rows.second, rows.probabilities)] == [np.int32, np.float32]
    assert lesson.info.seconds == pytest.approx(2.7)
    later = lessons.readings(recorder.lesson, since=1)
    assert later.second.tolist() == [2, 2, 2]
    assert later.emotion.tolist() == [SAD, 7, UNREADABLE]
    assert UNSURE not in later.emotion


def test_counts_alone(lessons: LessonStore) -> None:
    with record(lessons, aggregate=True) as recorder:
        faces = [reading(name, "sad", track=i) for i, name in enumerate([*NAMES, None, None])]
        recorder.write(frame(0.0, *faces))
        recorder.write(frame(1.0, *faces[:4]))
        recorder.write(frame(2.0, *faces[:4], reading(None, "lost", track=9, state="lost")))
    lesson = lessons.load(recorder.lesson)
    assert lesson.info.aggregate
    assert (lesson.students, len(lesson.readings)) == ([], 0)
    assert lesson.counts()[:, SAD].tolist() == [5, 0, 4]
    assert lesson.counts()[:, 7].tolist() == [0, 0, 1]
    assert lesson.counts()[1].sum() == 0
    assert lesson.frames_per_second.tolist() == [1, 1, 1]


def test_marks_and_titles(lessons: LessonStore) -> None:
    number = record(lessons).lesson
    later, sooner = lessons.mark(number, 61.5, "exercise 2"), lessons.mark(number, 3.0, "exercise 1")
    assert [(m.id, m.second, m.text) for m in lessons.load(number).markers] == [
        (sooner, 3.0, "exercise 1"),
        (later, 61.5, "exercise 2"),
    ]
    lessons.rename(number, "Waves")
    assert lessons.info(number).title == "Waves"
    with pytest.raises(UsageError, match="501 characters"):
        lessons.mark(number, 0.0, "x" * 501)
    lessons.mark(number, 90.0, "quiz\x00\x1b")
    lessons.rename(number, "Wa\x00ves")
    assert lessons.load(number).markers[-1].text == "quiz\ufffd\ufffd" and lessons.info(number).title == "Wa\ufffdves"


def test_listed_by_class_newest_first(lessons: LessonStore, classes: ClassStore) -> None:
    classes.create("maths")
    start = datetime(2026, 11, 1, tzinfo=UTC)
    for day, name in enumerate(["physics", "maths", "", "physics"]):
        lessons.create(name, title=str(day), started=start + timedelta(day))
    assert [info.title for info in lessons.lessons()] == ["3", "2", "1", "0"]
    assert [info.title for info in lessons.lessons("physics")] == ["3", "0"]
    assert [info.title for info in lessons.lessons("")] == ["2"]
    assert lessons.lessons("physics")[0].started == start + timedelta(3)


def test_deleting_and_retention(lessons: LessonStore) -> None:
    now = datetime(2026, 11, 20, tzinfo=UTC)
    ages = {lessons.create("physics", started=now - timedelta(days)): days for days in (0, 29, 31, 400)}
    for number in list(ages)[:-1]:
        lessons.end(number)
    assert lessons.delete_older_than(30, now) == 1  # the oldest one still runs
    assert sorted(ages[info.id] for info in lessons.lessons()) == [0, 29, 400]
    for info in lessons.lessons():
        lessons.delete(info.id)
    assert lessons.lessons() == []
    old = lessons.create("physics", started=now - timedelta(10_000))
    lessons.end(old)
    Settings(lessons.database).retention_days = 365
    new = lessons.create("physics")
    assert [info.id for info in lessons.lessons()] == [new]


@pytest.mark.parametrize(
    ("owner", "silent", "state"), [("elsewhere|1|5", 3, "running"), ("elsewhere|1|5", 11, "interrupted")]
)
def test_a_writer_elsewhere_is_known_by_its_silence(lessons: LessonStore, owner: str, silent: int, state: str) -> None:
    number = record(lessons).lesson
    heard = datetime.now(UTC) - timedelta(seconds=silent)
    with lessons.database.write() as session:
        row = session.get(LessonRow, number)
        row.owner, row.heartbeat = owner, heard
    info = lessons.info(number)
    assert info.state == state
    assert info.ended == (heard if state == "interrupted" else None)


def test_a_removed_student_is_gone_from_every_lesson(lessons: LessonStore, classes: ClassStore) -> None:
    with record(lessons) as recorder:
        recorder.write(frame(0.0, reading("asha", "sleepy", state="sleepy"), reading("Bela", "sad"), reading(None)))
        recorder.write(frame(1.0, reading("Bela", "confused", state="confused")))
    number = recorder.lesson
    lessons.rename(number, "Optics with Asha")
    lessons.mark(number, 0.0, "asha, Bela and ashanti speak")
    classes.remove_student("physics", "asha")
    lesson = lessons.load(number)
    assert lesson.students == ["Bela", "chen"]
    assert lesson.labels == [*EMOTIONS, "confused"]  # "sleepy" was asha's alone
    assert lesson.readings.student.tolist() == [NOBODY, 0, 0]
    assert lesson.readings.emotion.tolist() == [HAPPY, SAD, 7]
    assert lesson.readings.probabilities.shape == (3, 8)
    assert lesson.info.title == "Optics with [removed]"
    assert lesson.markers[0].text == "[removed], Bela and [removed]nti speak"


def test_a_student_keeps_to_the_lesson_under_another_name(lessons: LessonStore, classes: ClassStore) -> None:
    recorder = record(lessons)
    recorder.write(everybody(0.0, {"asha": "sad"}))
    classes.rename_student("physics", "asha", "Zita")
    recorder.write(everybody(1.0, {"asha": "happy"}))  # the run goes on under the name it knows
    recorder.close()
    lesson = lessons.load(recorder.lesson)
    assert lesson.students == ["Bela", "chen", "Zita"]
    assert lesson.readings.student.tolist() == [2, 2]


def test_settings(classes: ClassStore) -> None:
    settings = Settings(classes.database)
    assert (settings.acknowledged, settings.aggregate_only, settings.portraits) == (None, False, False)
    assert (settings.retention_days, settings.get("theme", "light")) == (90, "light")
    assert settings.chosen_retention is None
    settings.retention_days = None
    assert settings.retention_days is None and Settings(classes.database).retention_days is None
    moment = datetime(2026, 11, 20, 9, tzinfo=UTC)
    settings.acknowledged, settings.aggregate_only, settings.portraits = moment, True, True
    settings.set("theme", {"name": "dark"})
    again = Settings(classes.database)
    assert (again.acknowledged, again.aggregate_only, again.portraits) == (moment, True, True)
    assert again.get("theme") == {"name": "dark"}
    settings.acknowledged = None
    assert settings.acknowledged is None
    with pytest.raises(UsageError, match="0 days"):
        settings.retention_days = 0
