import numpy as np
import pytest
from small_world import DIMENSION, IDENTITY, identities, photos

from fewshot.errors import DimensionMismatch, StoreError, UsageError
from fewshot.prototypes.store import PrototypeStore
from fewshot.types import EMOTIONS


@pytest.fixture
def store(population) -> PrototypeStore:
    store = PrototypeStore(DIMENSION, IDENTITY, "test-1", "face-1")
    store.add("asha", photos(1, ["neutral", "happy", "confused"]), identities(1))
    store.add("béla/7", photos(2, [None, None]), identities(2, 1))
    store.rebuild(population)
    return store


def ids_of(store):
    return {(row.student, row.emotion): number for number, row in store.rows().items()}


def test_an_empty_store(population):
    store = PrototypeStore(DIMENSION, IDENTITY, "test-1")
    store.rebuild(population)
    assert (store.students(), store.rows(), store.prototypes_of(None)) == ([], {}, None)
    assert store.identity_references()[1].shape == (0, IDENTITY)


def test_the_table_describes_every_prototype(store, population):
    rows = store.rows()
    assert len(rows) == 7 + 8 + 7
    assert {row.student for row in rows.values()} == {None, "asha", "béla/7"}
    assert {row.level for row in rows.values() if row.student is None} == {"class"}
    asha = store.prototypes_of("asha")
    assert asha.emotions == (*EMOTIONS, "confused")
    assert dict(zip(asha.emotions, asha.shots, strict=True))["happy"] == 1
    assert asha.matrix.shape == (8, DIMENSION)
    assert {(row.network, row.variances) for row in asha.rows} == {("test-1", population.variances)}
    # Unlabelled photos count for their most probable emotion, by its probability: together less than two.
    assert 0 < sum(store.prototypes_of("béla/7").shots) < 2


def test_enrolling_again_adds_and_keeps_ids(store, population):
    before, old = ids_of(store), store.prototypes_of("asha").matrix
    again = photos(1, ["neutral", "happy", "confused"])
    assert store.add("asha", again, identities(1)) == 0
    assert store.add("asha", photos(3, ["sad", "happy"]), identities(3)) == 2
    assert len(store.supports_of("asha")) == 5
    assert len(store.identities_of("asha")) == 4
    store.rebuild(population)
    assert ids_of(store) == before
    assert not np.allclose(store.prototypes_of("asha").matrix, old)
    assert store.photos()["photo-3-0"] == "asha"


def test_a_change_drops_all_prototypes_until_they_are_made_again(store, population):
    store.add("chen", photos(4, ["neutral"]), identities(4))
    assert store.rows() == {}
    assert store.built_with == ""
    store.rebuild(population)
    assert store.built_with == population.fingerprint
    assert store.prototypes_of("chen").level == "personal"


def test_ids_are_never_used_again(store, population):
    before = ids_of(store)
    removed = {number for (student, _), number in before.items() if student == "asha"}
    supports = store.supports_of("asha")
    store.remove("asha")
    store.rebuild(population)
    assert set(ids_of(store).values()) == set(before.values()) - removed
    store.add("asha", supports, identities(1))
    store.rebuild(population)
    assert not removed & {number for (student, _), number in ids_of(store).items() if student == "asha"}
    assert ids_of(store)["béla/7", "sad"] == before["béla/7", "sad"]


def test_replace_forgets_what_was_known(store):
    store.replace("asha", photos(9, ["sad"]), identities(9, 1))
    assert store.supports_of("asha").photos == ["photo-9-0"]
    assert len(store.identities_of("asha")) == 1
    assert "photo-1-0" not in store.photos()


def test_vectors_of_another_length_are_refused(store):
    with pytest.raises(DimensionMismatch, match="expression"):
        store.add("x", photos(1, ["happy"]).__class__(np.zeros((1, 5)), ["happy"], ["a"]), identities(1))
    with pytest.raises(DimensionMismatch, match="identity"):
        store.replace("asha", photos(1, ["happy"]), np.zeros((1, 5), np.float32))
    assert "x" not in store.students()


def test_ids_of_the_removed_stay_retired(store, population):
    highest = max(store.rows())
    store.remove("béla/7")
    store.add("dora", photos(5, ["happy"]), identities(5))
    store.rebuild(population)
    assert min(number for number, row in store.rows().items() if row.student == "dora") > highest


def test_a_removed_student_is_gone_from_the_index(store, population):
    mark = store.prototypes_of("asha").matrix[0]
    store.remove("asha")
    assert store.prototypes_of("asha") is None and store.index.rows == {}
    store.rebuild(population)
    left = np.concatenate([store.prototypes_of(who).matrix for who in (None, *store.students())])
    assert not (left == mark).all(axis=1).any()
    with pytest.raises(UsageError, match=r"no student 'asha'.*béla/7"):
        store.remove("asha")


def test_another_network_is_refused(population):
    other = PrototypeStore(DIMENSION, IDENTITY, "test-2", "face-2")
    with pytest.raises(StoreError, match=r"expression network 'test-2'.*Enroll the class again"):
        other.rebuild(population)
    with pytest.raises(StoreError, match="identity network 'face-2'"):
        other.require(identity_network="face-1")
