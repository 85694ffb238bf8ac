import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from small_world import DIMENSION, IDENTITY, identities, photos, unit

from fewshot.errors import DimensionMismatch, StoreError, UsageError
from fewshot.prototypes import storefile
from fewshot.prototypes.space import squared_distances
from fewshot.prototypes.store import FILE, PrototypeStore
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


def contents(store):
    """Everything that must come back from the disk."""
    supports = [store.supports_of(student) for student in store.students()]
    keys, references = store.identity_references()
    return (
        store.rows(),
        store.students(),
        keys,
        references.tolist(),
        [(item.vectors.tolist(), item.emotions, item.photos) for item in supports],
        [store.prototypes_of(student).matrix.tolist() for student in (None, *store.students())],
    )


def test_an_empty_store(population, tmp_path):
    store = PrototypeStore(DIMENSION, IDENTITY, "test-1")
    store.rebuild(population)
    assert (store.students(), store.rows(), store.prototypes_of(None)) == ([], {}, None)
    assert store.identity_references()[1].shape == (0, IDENTITY)
    assert store.search(np.zeros((3, DIMENSION), np.float32), 5)[0].shape == (3, 0)
    store.save(tmp_path)
    assert PrototypeStore.load(tmp_path).students() == []


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


def test_ids_of_the_removed_stay_retired_over_a_restart(store, population, tmp_path):
    highest = max(store.rows())
    store.remove("béla/7")
    store.save(tmp_path)
    again = PrototypeStore.load(tmp_path)
    again.add("dora", photos(5, ["happy"]), identities(5))
    again.rebuild(population)
    assert min(number for number, row in again.rows().items() if row.student == "dora") > highest


def test_a_removed_student_is_gone_from_the_file(store, population, tmp_path):
    path = store.save(tmp_path)
    vector = store.supports_of("asha").vectors[0].tobytes()
    reference = store.identities_of("asha")[0].tobytes()
    prototype = store.prototypes_of("asha").matrix[0].tobytes()
    marks = [vector, reference, prototype, b"asha", b"photo-1-0"]
    assert all(mark in path.read_bytes() for mark in marks)
    store.remove("asha")
    store.save(tmp_path)
    assert not any(mark in path.read_bytes() for mark in marks)
    store.rebuild(population)
    store.save(tmp_path)
    assert not any(mark in path.read_bytes() for mark in marks)
    assert [item.name for item in tmp_path.iterdir() if item.is_file()] == [FILE]
    with pytest.raises(UsageError, match=r"no student 'asha'.*béla/7"):
        store.remove("asha")


def test_replace_forgets_what_was_known(store):
    store.replace("asha", photos(9, ["sad"]), identities(9, 1))
    assert store.supports_of("asha").photos == ["photo-9-0"]
    assert len(store.identities_of("asha")) == 1
    assert "photo-1-0" not in store.photos()


def test_search_is_exact(store):
    queries = unit(np.random.default_rng(0).normal(size=(20, DIMENSION)))
    everything = {n: store.prototypes_of(row.student) for n, row in store.rows().items()}
    matrix = np.stack([found.matrix[[row.id for row in found.rows].index(n)] for n, found in everything.items()])
    expected = squared_distances(queries, matrix)
    ids, distances = store.search(queries, 3)
    np.testing.assert_array_equal(ids[:, 0], np.array(list(everything))[expected.argmin(axis=1)])
    np.testing.assert_allclose(distances, np.sort(expected, axis=1)[:, :3], atol=1e-5)
    assert ids.dtype == np.int64


def test_search_within_one_student(store):
    queries = unit(np.random.default_rng(0).normal(size=(20, DIMENSION)))
    own = store.prototypes_of("asha")
    ids, distances = store.search(queries, 100, student="asha")
    assert ids.shape == (20, 8)
    assert {store.rows()[number].student for number in ids.ravel()} == {"asha"}
    np.testing.assert_allclose(distances, np.sort(squared_distances(queries, own.matrix), axis=1), atol=1e-5)
    assert store.search(queries, 1, student="nobody")[0].shape == (20, 0)


def test_everything_comes_back(store, population, tmp_path):
    folder = tmp_path / "Klasse Müller 数学"
    store.save(folder)
    again = PrototypeStore.load(folder, network="test-1", identity_network="face-1")
    assert contents(again) == contents(store)
    assert again.built_with == population.fingerprint
    again.add("chen", photos(4, ["neutral"]), identities(4))
    again.rebuild(population)
    again.save(folder)
    assert contents(PrototypeStore.load(folder)) == contents(again)


def test_another_network_is_refused(store, population, tmp_path):
    store.save(tmp_path)
    with pytest.raises(StoreError, match=r"expression network 'test-1'.*Enroll the class again"):
        PrototypeStore.load(tmp_path, network="test-2")
    with pytest.raises(StoreError, match="identity network 'face-1'"):
        PrototypeStore.load(tmp_path, identity_network="face-2")
    with pytest.raises(StoreError, match="Enroll the class again"):
        PrototypeStore(DIMENSION, IDENTITY, "test-2").save(tmp_path)
    with pytest.raises(StoreError):
        PrototypeStore(DIMENSION, IDENTITY, "test-2").rebuild(population)
    # Somebody can be removed from it all the same.
    PrototypeStore.load(tmp_path).remove("asha")


def test_vectors_of_another_length_are_refused(store):
    with pytest.raises(DimensionMismatch, match="expression"):
        store.add("x", photos(1, ["happy"]).__class__(np.zeros((1, 5)), ["happy"], ["a"]), identities(1))
    with pytest.raises(DimensionMismatch, match="identity"):
        store.replace("asha", photos(1, ["happy"]), np.zeros((1, 5), np.float32))
    with pytest.raises(DimensionMismatch):
        store.search(np.zeros((1, 5), np.float32))
    assert "x" not in store.students()


def test_no_store(tmp_path):
    with pytest.raises(StoreError, match="Enroll somebody first"):
        PrototypeStore.load(tmp_path)


@pytest.mark.parametrize(
    "harm",
    [
        lambda content: b"",
        lambda content: content[:-1],
        lambda content: content + b"x",
        lambda content: content[:40] + bytes([content[40] ^ 1]) + content[41:],
        lambda content: content[:5000] + bytes([content[5000] ^ 1]) + content[5001:],
        lambda content: b"a text file",
    ],
)
def test_a_damaged_store_is_named_and_never_overwritten(store, tmp_path, harm):
    path = store.save(tmp_path)
    path.write_bytes(harm(path.read_bytes()))
    before = path.read_bytes()
    with pytest.raises(StoreError, match="damaged") as caught:
        PrototypeStore.load(tmp_path)
    assert str(path) in str(caught.value)
    with pytest.raises(StoreError, match="damaged"):
        store.save(tmp_path)
    assert path.read_bytes() == before
    assert list(tmp_path.glob("*.unfinished")) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda header, arrays: header.update(version=99), "version 99"),
        (lambda header, arrays: header.pop("students"), "damaged"),
        (lambda header, arrays: header["table"]["rows"].pop(), "damaged"),
        (lambda header, arrays: arrays.update(supports=arrays["supports"][:-1]), "damaged"),
        (lambda header, arrays: arrays.update(identities=arrays["identities"][:, :-1]), "damaged"),
        (lambda header, arrays: arrays.update(index=arrays["index"][:50]), "damaged"),
    ],
)
def test_a_whole_file_of_wrong_content_is_refused(store, tmp_path, change, words):
    path = store.save(tmp_path)
    header, arrays = storefile.read(path)
    change(header, arrays)
    storefile.write(path, header, arrays)
    with pytest.raises(StoreError, match=words):
        PrototypeStore.load(tmp_path)


@pytest.mark.parametrize("step", ["os.fdopen", "os.fsync", "pathlib.Path.replace"])
def test_a_failed_save_leaves_the_old_store(store, tmp_path, monkeypatch, step):
    store.save(tmp_path)
    before = (tmp_path / FILE).read_bytes()
    store.remove("asha")

    def full_disk(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched, pytest.raises(StoreError, match=r"No space left on device.*untouched"):
        patched.setattr(step, full_disk)
        store.save(tmp_path)
    assert [item.read_bytes() for item in tmp_path.iterdir() if item.is_file()] == [before]


def test_a_folder_that_cannot_be_made(store, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError):
        store.save(tmp_path / "file" / "class")


def test_faces_of_a_crashed_save_do_not_stay(store, tmp_path):
    old, young = tmp_path / f"{FILE}abc.unfinished", tmp_path / f"{FILE}xyz.unfinished"
    for leftover in (old, young):
        leftover.write_bytes(b"faces")
    long_ago = time.time() - 3600
    os.utime(old, (long_ago, long_ago))
    store.save(tmp_path)
    assert not old.exists()
    assert young.exists()  # another program may be writing it just now


SAVER = """
import sys
import numpy as np
from fewshot.prototypes.store import PrototypeStore
from fewshot.prototypes.supports import SupportSet
store = PrototypeStore(512, 512, "n")
for round in range(100000):
    vectors = np.full((200, 512), round, np.float32)
    store.replace("asha", SupportSet(vectors, ["happy"] * 200, [str(i) for i in range(200)]), vectors)
    store.save(sys.argv[1])
    print(round, flush=True)
"""


def test_a_program_killed_while_saving_leaves_a_whole_store(tmp_path):
    root = Path(__file__).resolve().parents[2]
    saver = subprocess.Popen([sys.executable, "-c", SAVER, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=root)
    try:
        first = saver.stdout.readline()
        time.sleep(0.05)
    finally:
        saver.kill()
        rest = saver.stdout.read().split()
        saver.wait()
        saver.stdout.close()
    store = PrototypeStore.load(tmp_path)
    saved = store.supports_of("asha").vectors[0, 0]
    assert saved in {int([first, *rest][-1]), int([first, *rest][-1]) + 1}
    assert (store.identities_of("asha") == saved).all()
