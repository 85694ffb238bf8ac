from datetime import date, timedelta

import numpy as np
import pytest

from fewshot.classroom.class_rows import Networks
from fewshot.classroom.consent import SAMPLE_CONSENT, Consent
from fewshot.classroom.enrollment import Accepted
from fewshot.classroom.store import ClassStore, class_names, no_such_class
from fewshot.database import Database
from fewshot.errors import StoreError, UsageError
from fewshot.session.lessons import LessonStore

DAY = date(2026, 11, 20)
NETWORKS = Networks("net-1", "face-1", 4, 6)
MOTHER = Consent("her mother", DAY)


def photo(student: str, number: int, emotion: str | None = "happy", seed: int = 0) -> Accepted:
    rng = np.random.default_rng([seed, number, *student.encode()])
    return Accepted(
        student, emotion, f"{student}-{number}", "0f", rng.normal(size=4).astype(np.float32),
        rng.normal(size=6).astype(np.float32), 120.0, 0.8, DAY,
    )  # fmt: skip


@pytest.fixture(params=["file", "memory"])
def store(request: pytest.FixtureRequest) -> ClassStore:
    return ClassStore(None if request.param == "file" else Database("sqlite://"))


@pytest.fixture
def physics(store: ClassStore) -> ClassStore:
    """A class of two students with two photos each."""
    photos = [photo(student, number) for student in ("asha", "Zoë") for number in range(2)]
    store.keep("physics", photos, {"asha": MOTHER, "Zoë": Consent("himself", DAY, until=DAY)}, NETWORKS)
    return store


def test_nothing_is_there(store: ClassStore) -> None:
    assert store.names() == []
    assert store.roster("physics").students == {}
    assert store.vectors("physics") is None
    assert store.networks("physics") is None
    assert "no other class yet" in str(no_such_class("physics", store.names()))
    with pytest.raises(UsageError, match="no class 'physics'"):
        store.remove_student("physics", "asha")
    store.keep("physics", [], {"asha": MOTHER}, NETWORKS)
    assert store.names() == []


def test_there_and_back(physics: ClassStore) -> None:
    roster = physics.roster("PHYSICS")
    assert roster.name == "physics"
    assert list(roster.students) == ["asha", "Zoë"]
    assert roster.students["asha"].consent == MOTHER
    assert roster.students["asha"].emotions() == {"happy": 2}
    assert roster.students["asha"].photos["asha-0"].size == 120.0
    assert (roster.owner_of("Zoë-1"), roster.owner_of("nobody's")) == ("Zoë", None)
    assert roster.consenting(DAY) == ["Zoë", "asha"]
    assert roster.consenting(DAY + timedelta(1)) == ["asha"]
    vectors = physics.vectors("physics")
    assert Networks.of(vectors) == NETWORKS == physics.networks("physics")
    assert vectors.photos() == {f"{name}-{n}": name for name in ("asha", "Zoë") for n in range(2)}
    np.testing.assert_array_equal(vectors.supports_of("Zoë").vectors[1], photo("Zoë", 1).expression)
    np.testing.assert_array_equal(vectors.identities_of("Zoë")[1], photo("Zoë", 1).identity)


def test_enrolling_again_adds_what_is_new(physics: ClassStore) -> None:
    physics.keep("Physics", [photo("asha", 1), photo("asha", 2, None)], {"asha": MOTHER}, NETWORKS)
    assert physics.roster("physics").students["asha"].emotions() == {"happy": 2, None: 1}
    assert len(physics.vectors("physics").supports_of("asha")) == 3
    assert physics.consents("physics", "asha") == [MOTHER]
    with pytest.raises(StoreError, match="other networks"):
        physics.keep("physics", [photo("asha", 3)], {}, Networks("net-2", "face-1", 4, 6))


def test_consents_have_a_history(physics: ClassStore) -> None:
    newer = Consent("her father", DAY, until=date(2027, 7, 31))
    physics.record_consent("physics", "asha", newer)
    physics.record_consent("physics", "asha", newer)
    assert physics.consents("physics", "asha") == [MOTHER, newer]
    physics.withdraw_consent("physics", "asha", DAY + timedelta(3))
    last = physics.roster("physics").students["asha"].consent
    assert [last.holds(DAY + timedelta(days)) for days in (2, 3, 4)] == [True, False, False]
    physics.record_consent("physics", "asha", newer)
    assert physics.roster("physics").students["asha"].consent == newer
    assert len(physics.consents("physics", "asha")) == 3
    physics.record_consent("physics", "nina", MOTHER)
    assert physics.roster("physics").students["nina"].photos == {}


def test_consents_of_several_are_recorded_together_or_not_at_all(physics: ClassStore) -> None:
    physics.record_consents("physics", ["asha", "nina", "nina"], MOTHER)
    assert physics.consents("physics", "asha") == physics.consents("physics", "nina") == [MOTHER]
    with pytest.raises(UsageError):
        physics.record_consents("physics", ["omar", ""], MOTHER)
    assert "omar" not in physics.roster("physics").students


def test_classes_are_made_renamed_and_deleted(physics: ClassStore) -> None:
    assert physics.create(" Maths ") == "Maths"
    for taken in ("physics", "MATHS"):
        with pytest.raises(UsageError, match="already"):
            physics.create(taken)
    with pytest.raises(UsageError, match="already"):
        physics.rename("maths", "Physics")
    with pytest.raises(UsageError, match="cannot be the name"):
        physics.rename("maths", "../maths")
    assert physics.rename("physics", "PHYSICS") == "PHYSICS"
    assert physics.rename("Physics", "физика") == "физика"
    assert physics.names() == ["Maths", "физика"]
    assert physics.spelled("ФИЗИКА") == "физика"
    assert "asha" in physics.roster("Физика").students
    lesson = LessonStore(physics.database).create("физика", students=["asha"])
    physics.delete("физика")
    assert physics.names() == ["Maths"]
    with pytest.raises(UsageError):
        LessonStore(physics.database).info(lesson)


def test_students_are_renamed(physics: ClassStore) -> None:
    assert physics.rename_student("physics", "asha", "Asha K") == "Asha K"
    assert sorted(physics.roster("physics").students) == ["Asha K", "Zoë"]
    assert physics.vectors("physics").students() == ["Asha K", "Zoë"]
    with pytest.raises(UsageError, match="already"):
        physics.rename_student("physics", "Asha K", "Zoë")
    with pytest.raises(UsageError, match=r"no student 'asha'.*Asha K, Zoë"):
        physics.rename_student("physics", "asha", "x")


def test_a_photo_goes_with_its_vectors(physics: ClassStore) -> None:
    physics.remove_photo("physics", "asha", "asha-0")
    physics.remove_photo("physics", "asha", "asha-0")
    assert list(physics.roster("physics").students["asha"].photos) == ["asha-1"]
    vectors = physics.vectors("physics")
    assert vectors.supports_of("asha").photos == ["asha-1"]
    assert len(vectors.identities_of("asha")) == 1


def test_a_photo_can_be_said_to_show_something_else(physics: ClassStore) -> None:
    before = physics.vectors("physics").supports_of("asha")
    physics.label_photo("physics", "asha", "asha-1", "confused")
    physics.label_photo("physics", "asha", "no such photo", "sad")
    photos = physics.roster("physics").students["asha"].photos
    assert photos["asha-1"].emotion == "confused" and photos["asha-0"].emotion == before.emotions[0]
    after = physics.vectors("physics").supports_of("asha")
    assert after.emotions == [before.emotions[0], "confused"] and (after.vectors == before.vectors).all()
    with pytest.raises(UsageError):
        physics.label_photo("physics", "nobody", "asha-1", "sad")


def test_portraits_only_if_wanted(physics: ClassStore) -> None:
    assert physics.portrait("physics", "asha") is None
    physics.set_portrait("physics", "asha", b"\xff\xd8 a picture")
    physics.set_portrait("physics", "asha", b"\xff\xd8 another")
    assert physics.portrait("physics", "asha") == b"\xff\xd8 another"
    physics.set_portrait("physics", "asha", None)
    assert physics.portrait("physics", "asha") is None
    for wrong in (b"GIF", b"\xff\xd8" + bytes(300_000)):
        with pytest.raises(UsageError, match="JPEG"):
            physics.set_portrait("physics", "asha", wrong)


def test_the_last_one_takes_an_empty_class_along(physics: ClassStore) -> None:
    physics.remove_student("physics", "asha")
    assert list(physics.roster("physics").students) == ["Zoë"]
    physics.remove_student("physics", "Zoë", keep_class=True)
    assert physics.names() == ["physics"]
    other = Networks("net-2", "face-2", 4, 6)
    physics.keep("physics", [photo("asha", 0)], {"asha": MOTHER}, other)
    assert physics.networks("physics") == other
    LessonStore(physics.database).create("physics", students=["asha"])
    physics.remove_student("physics", "asha")
    assert physics.names() == ["physics"]  # there is a lesson of it


def test_the_sample_class(store: ClassStore) -> None:
    store.create("sample", sample=True)
    store.keep("sample", [photo("asha", 0)], {}, NETWORKS)
    assert store.is_sample("sample")
    assert store.roster("sample").students["asha"].consent is SAMPLE_CONSENT
    assert store.roster("sample").sample
    assert class_names() in ([], ["sample"])


def test_damaged_vectors_are_named(physics: ClassStore) -> None:
    from fewshot.database.tables import SupportRow

    with physics.database.write() as session:
        session.query(SupportRow).first().vector = np.zeros(3, np.float32)
    with pytest.raises(StoreError, match="vectors of 'asha'"):
        physics.vectors("physics")
