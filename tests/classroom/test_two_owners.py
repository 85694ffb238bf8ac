"""Two teachers with the same names for everything: nothing of one is ever seen or changed by the other."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from fewshot.classroom.class_rows import Networks
from fewshot.classroom.class_watch import ClassWatch
from fewshot.classroom.consent import Consent
from fewshot.classroom.corrections import learn, learned, unlearn
from fewshot.classroom.enrollment import Accepted
from fewshot.classroom.owners import LOCAL, Owner, Owners
from fewshot.classroom.store import ClassStore, class_names
from fewshot.database import Database, open_database
from fewshot.database.columns import now
from fewshot.errors import UsageError
from fewshot.room import Classroom
from fewshot.session.lesson import LessonInfo
from fewshot.session.lessons import LessonStore
from fewshot.session.recorder import LessonRecorder
from fewshot.session.settings import Settings
from fewshot.types import EMOTIONS, FrameResult, Reading

DAY = date(2024, 5, 6)
NETWORKS = Networks("n", "i", 4, 4)
OLD = timedelta(days=400)


@dataclass
class Teacher:
    """One teacher's stores, and what is in them. ``mark`` stands in every text of this teacher."""

    mark: str
    owner: Owner
    classes: ClassStore
    lessons: LessonStore
    lesson: int
    free: int
    correction: int

    def everything(self) -> str:
        """All that this teacher can see."""
        database, seen = self.classes.database, []
        for name in self.classes.names():
            roster = self.classes.roster(name)
            for student in roster.students:
                seen += [name, student, self.classes.consents(name, student), self.classes.portrait(name, student)]
                seen += [roster.students[student].photos]
            seen += [learned(database, name, owner=self.owner), self.classes.networks(name)]
        for info in self.lessons.lessons():
            lesson = self.lessons.load(info.id)
            seen += [info, lesson.students, lesson.labels, lesson.markers, lesson.corrections, len(lesson.readings)]
        settings = Settings(database, self.owner)
        return repr([*seen, settings.acknowledged, settings.portraits, settings.aggregate_only])


def teach(database: Database, owner: Owner, mark: str) -> Teacher:
    """Class physics with two students, one recorded lesson, one lesson without a class, one correction."""
    classes, lessons = ClassStore(database, owner), LessonStore(database, owner)
    photos = [
        Accepted(who, "happy", "sha-same", "0f", *vectors(place), 100.0, 0.9, DAY)
        for place, who in enumerate(("Zebulon", "Ann"))
    ]
    consents = {who: Consent(f"parents {mark}, Zebulon", DAY) for who in ("Zebulon", "Ann")}
    classes.keep("physics", photos, consents, NETWORKS)
    classes.set_portrait("physics", "Zebulon", b"\xff\xd8" + mark.encode())
    with LessonRecorder(
        lessons, lessons.create("physics", title=f"Zebulon {mark}", students=["Zebulon", "Ann"]), ["Zebulon", "Ann"],
        threaded=False,
    ) as recorder:  # fmt: skip
        for second in range(3):
            recorder.write(FrameResult("cam", second, float(second), 640, 480, (showing("Zebulon"), showing("Ann"))))
    lessons.mark(recorder.lesson, 1.0, f"Zebulon asks {mark}")
    free = lessons.create(title=f"free Zebulon {mark}")
    lessons.end(free)
    correction = learn(
        database, "physics", recorder.lesson, "Zebulon", 1.0, f"mood {mark}", vectors(3)[0], "happy", owner=owner
    )
    settings = Settings(database, owner)
    settings.acknowledged, settings.portraits = now(), True
    return Teacher(mark, owner, classes, lessons, recorder.lesson, free, correction)


def vectors(place: int) -> tuple[np.ndarray, np.ndarray]:
    return np.eye(4, dtype=np.float32)[place], np.eye(4, dtype=np.float32)[place]


def showing(student: str) -> Reading:
    return Reading(1, (0, 0, 1, 1), 0.9, student, 0.5, "happy", 0.9, dict.fromkeys(EMOTIONS, 0.1))


@pytest.fixture(params=["the local teacher and another", "two others"])
def pair(request: pytest.FixtureRequest) -> tuple[Teacher, Teacher]:
    database = Database("sqlite://")
    owners = Owners(database)
    first = owners.local() if "local" in request.param else owners.add("Berta")
    return teach(database, first, "aaa"), teach(database, owners.add("Cem"), "bbb")


MY_CLASS: dict[str, Callable[[ClassStore], Any]] = {
    "names": lambda s: s.names(),
    "spelled": lambda s: s.spelled("PHYSICS"),
    "exists": lambda s: s.exists("physics"),
    "is_sample": lambda s: s.is_sample("physics"),
    "create": lambda s: s.create("chemistry"),
    "rename": lambda s: s.rename("physics", "Physics 2"),
    "delete": lambda s: s.delete("physics"),
    "roster": lambda s: s.roster("physics").students,
    "networks": lambda s: s.networks("physics"),
    "vectors": lambda s: s.vectors("physics").students(),
    "keep": lambda s: s.keep("physics", [], {"Ann": Consent("me", DAY)}, NETWORKS),
    "remove_student": lambda s: s.remove_student("physics", "Zebulon"),
    "rename_student": lambda s: s.rename_student("physics", "Zebulon", "Zeb"),
    "consents": lambda s: s.consents("physics", "Zebulon"),
    "record_consent": lambda s: s.record_consent("physics", "Dan", Consent("me", DAY)),
    "record_consents": lambda s: s.record_consents("physics", ["Zebulon", "Eve"], Consent("me", DAY)),
    "withdraw_consent": lambda s: s.withdraw_consent("physics", "Zebulon"),
    "remove_photo": lambda s: s.remove_photo("physics", "Zebulon", "sha-same"),
    "label_photo": lambda s: s.label_photo("physics", "Zebulon", "sha-same", "sad"),
    "portrait": lambda s: s.portrait("physics", "Zebulon"),
    "set_portrait": lambda s: s.set_portrait("physics", "Zebulon", None),
    "require_writable": lambda s: s.require_writable(),
}

MY_LESSON: dict[str, Callable[[LessonStore, int, LessonInfo], Any]] = {
    "info": lambda s, n, _: s.info(n),
    "load": lambda s, n, _: s.load(n),
    "readings": lambda s, n, _: s.readings(n),
    "opened": lambda s, n, _: s.opened(n),
    "rename": lambda s, n, _: s.rename(n, "mine now"),
    "mark": lambda s, n, _: s.mark(n, 1.0, "mine now"),
    "unmark": lambda s, n, _: s.unmark(n, 1),
    "stamp": lambda s, n, _: s.stamp(n),
    "end": lambda s, n, _: s.end(n),
    "delete": lambda s, n, _: s.delete(n),
}
"""These take the number of a lesson."""

MY_LESSONS: dict[str, Callable[[LessonStore, LessonInfo], Any]] = {
    "create": lambda s, _: s.create("physics", title="new", students=["Zebulon"]),
    "lessons": lambda s, _: [s.lessons(), s.lessons("physics"), s.lessons("")],
    "earlier": lambda s, info: s.earlier(info),
    "load_earlier": lambda s, info: s.load_earlier(info),
    "delete_older_than": lambda s, _: s.delete_older_than(1, now() + OLD),
    "apply_retention": lambda s, _: s.apply_retention(now() + OLD),
    "held_back": lambda s, _: s.held_back(now() + OLD),
    "delete_old": lambda s, _: s.delete_old(now() + OLD),
}


def public(store: type) -> set[str]:
    return {name for name, _ in inspect.getmembers(store, inspect.isfunction) if not name.startswith("_")}


def test_every_public_function_of_the_stores_is_tried_below() -> None:
    assert public(ClassStore) == set(MY_CLASS)
    assert public(LessonStore) == {*MY_LESSON, *MY_LESSONS, "refuse_foreign"}  # the last passes one that is missing


@pytest.mark.parametrize("name", MY_CLASS)
def test_classes_of_the_same_name_are_two(pair: tuple[Teacher, Teacher], name: str) -> None:
    one, other = pair
    for mine, theirs in ((one, other), (other, one)):
        before = theirs.everything()
        assert theirs.mark not in repr(MY_CLASS[name](mine.classes))
        assert theirs.everything() == before


@pytest.mark.parametrize("name", MY_LESSON)
def test_a_lesson_of_somebody_else_does_not_exist(pair: tuple[Teacher, Teacher], name: str) -> None:
    one, other = pair
    for mine, theirs in ((one, other), (other, one)):
        before = theirs.everything()
        for number in (theirs.lesson, theirs.free):
            with pytest.raises(UsageError, match=f"There is no lesson {number}") as foreign:
                MY_LESSON[name](mine.lessons, number, theirs.lessons.info(number))
            with pytest.raises(UsageError) as missing:
                MY_LESSON[name](mine.lessons, 999, theirs.lessons.info(number))
            # The words do not tell whether somebody else has such a lesson.
            assert str(foreign.value) == str(missing.value).replace("999", str(number))
        assert theirs.everything() == before


@pytest.mark.parametrize("name", MY_LESSONS)
def test_lists_and_retention_stay_with_their_teacher(pair: tuple[Teacher, Teacher], name: str) -> None:
    one, other = pair
    infos = {teacher.mark: teacher.lessons.info(teacher.lesson) for teacher in pair}
    for mine, theirs in ((one, other), (other, one)):
        Settings(mine.classes.database, mine.owner).retention_days = 5
        before = theirs.everything()
        done = MY_LESSONS[name](mine.lessons, infos[theirs.mark])
        assert theirs.mark not in repr(done)
        assert theirs.everything() == before
        Settings(mine.classes.database, mine.owner).retention_days = None


def test_a_correction_of_somebody_else_is_neither_seen_nor_undone(pair: tuple[Teacher, Teacher]) -> None:
    one, other = pair
    database, before = one.classes.database, other.everything()
    assert "bbb" not in repr(learned(database, "physics", owner=one.owner))
    with pytest.raises(UsageError, match="no correction"):
        unlearn(database, "physics", other.correction, owner=one.owner)
    with pytest.raises(UsageError, match="no lesson"):
        learn(database, "physics", other.lesson, "Zebulon", 1.0, "sad", vectors(3)[0], None, owner=one.owner)
    room = Classroom.open("physics", database=database, owner=one.owner)
    with pytest.raises(UsageError, match="no correction"):
        room.undo(other.correction)
    assert other.everything() == before


def test_the_lesson_of_somebody_else_cannot_be_recorded_or_watched(pair: tuple[Teacher, Teacher]) -> None:
    one, other = pair
    with pytest.raises(UsageError, match="There is no lesson"):
        LessonRecorder(one.lessons, other.lesson, ["Zebulon"], threaded=False)
    other.classes.create("only theirs")
    with pytest.raises(UsageError, match="no class 'only theirs'") as error:
        ClassWatch(one.classes.database, "only theirs", lambda _: None, one.owner)
    assert error.value.text.count("only theirs") == 1  # the list of existing classes is the teacher's own
    with pytest.raises(UsageError, match="no class 'only theirs'"):
        one.lessons.create("only theirs")
    watch = ClassWatch(one.classes.database, "physics", lambda _: None, one.owner)
    other.classes.remove_student("physics", "Zebulon")
    assert "Zebulon" in watch.look().students


def test_removing_a_student_finds_all_texts_of_the_teacher_and_no_others(pair: tuple[Teacher, Teacher]) -> None:
    one, other = pair
    before = other.everything()
    said = one.classes.remove_student("physics", "Zebulon")
    assert "Zebulon" not in one.everything() and "2 titles" in said and "1 marker" in said
    assert other.everything() == before and "free Zebulon bbb" in before
    one.classes.delete("physics")
    other.classes.delete("physics")  # its texts in lessons without a class are found now
    assert "Zebulon" not in other.everything() and "free [removed] bbb" in other.everything()


def test_deleting_a_class_leaves_the_other_teacher_s_texts(pair: tuple[Teacher, Teacher]) -> None:
    one, other = pair
    before = other.everything()
    one.classes.delete("physics")
    assert "Zebulon" not in one.everything() and other.everything() == before


def test_settings_are_each_teacher_s_own_and_the_connection_is_everybody_s(pair: tuple[Teacher, Teacher]) -> None:
    database = pair[0].classes.database
    chief, cem = Settings(database, Owners(database).add("Chief", "administrator")), Settings(database, pair[1].owner)
    cem.acknowledged = None
    assert Settings(database, pair[0].owner).acknowledged is not None and cem.acknowledged is None
    chief.set("ice", {"servers": "stun:x", "username": ""})
    assert cem.get("ice") == {"servers": "stun:x", "username": ""}
    for change in (
        lambda: cem.set("ice", None),
        lambda: cem.set("detector", "yunet"),
        lambda: setattr(cem, "longest_retention", 7),
        lambda: setattr(cem, "turn_password", "mine"),
    ):
        with pytest.raises(UsageError, match="Only an administrator"):
            change()
    assert cem.get("ice") == {"servers": "stun:x", "username": ""}


def test_an_administrator_limits_how_long_lessons_of_all_are_kept(pair: tuple[Teacher, Teacher]) -> None:
    database = pair[0].classes.database
    chief = Settings(database, Owners(database).add("Chief", "administrator"))
    for teacher in pair:
        teacher.lessons.create("physics", title=f"old {teacher.mark}", started=now() - timedelta(days=100))
        teacher.lessons.end(teacher.lessons.lessons()[-1].id)
    mine = Settings(database, pair[0].owner)
    chief.longest_retention = 50
    assert mine.retention_days == 50
    mine.retention_days = 20
    assert mine.retention_days == 20 and Settings(database, pair[1].owner).retention_days == 50
    with pytest.raises(UsageError, match="at most 50 days"):
        mine.retention_days = 60
    pair[0].lessons.create(title="the next lesson of any teacher")
    assert all(f"old {teacher.mark}" not in teacher.everything() for teacher in pair)
    assert all(f"Zebulon {teacher.mark}" in teacher.everything() for teacher in pair)


def test_an_administrator_has_no_classes_and_sees_no_reading() -> None:
    database = open_database()
    chief = Owners(database).add("Chief", "administrator")
    for use in (
        lambda: ClassStore(database, chief),
        lambda: LessonStore(database, chief),
        lambda: Classroom.open("physics", owner="chief"),
        lambda: LessonRecorder.start(database=database, owner=chief),
        lambda: class_names(chief),
    ):
        with pytest.raises(UsageError, match=r"Chief is an administrator.*no classes and sees no readings"):
            use()


def test_a_class_is_opened_for_a_teacher_by_name() -> None:
    owner = Owners().add("Ms Ünal")
    ClassStore(owner=owner).create("physics")
    assert Classroom.open("physics", owner="MS ÜNAL").exists
    assert not Classroom.open("physics").exists
    with pytest.raises(UsageError, match=r"no account 'nobody'.*local, Ms Ünal.*fewshot accounts add nobody"):
        Classroom.open("physics", owner="nobody")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "1 to 64"),
        ("a/b", "must not contain"),
        ("LOCAL", "already"),
        ("ms  berta\u200b", "already"),
        ("-x", "minus"),
    ],
)
def test_names_of_owners_follow_the_rules_of_names(name: str, words: str) -> None:
    owners = Owners(Database("sqlite://"))
    owners.add("Ms Berta")
    with pytest.raises(UsageError, match=words):
        owners.add(name)
    with pytest.raises(UsageError, match="no role"):
        owners.add("x", "chief")  # type: ignore[arg-type]


def test_an_owner_is_removed_only_when_nothing_is_left_of_them() -> None:
    owners = Owners(Database("sqlite://"))
    berta = owners.add("Berta")
    classes, lessons = ClassStore(owners.database, berta), LessonStore(owners.database, berta)
    Settings(owners.database, berta).portraits = True
    classes.create("physics")
    number = lessons.create()
    with pytest.raises(UsageError, match=r"still has 1 class and 1 lesson.*roster --as Berta"):
        owners.remove(berta.id)
    classes.delete("physics")
    with pytest.raises(UsageError, match="0 classes and 1 lesson"):
        owners.remove(berta.id)
    lessons.delete(number)
    owners.remove(berta.id)
    owners.remove(berta.id)
    assert owners.all() == [owners.local()] and owners.local().id == LOCAL
    with pytest.raises(UsageError, match="does not exist any more"):
        owners.get(berta.id)
    with pytest.raises(UsageError, match="cannot be removed"):
        owners.remove(LOCAL)
    assert not Settings(owners.database, owners.add("Berta")).portraits  # a new account of the same name
