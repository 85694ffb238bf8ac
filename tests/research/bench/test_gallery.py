"""A gallery of any size: what is in it is found under its number, what is removed is nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import faiss
import numpy as np
import pytest
from small_world import unit

from fewshot.errors import DimensionMismatch, StoreError, UsageError
from fewshot.prototypes import gallery
from fewshot.prototypes import ivf_index as cells
from fewshot.prototypes.gallery import IdentityGallery, choose_kind
from fewshot.research.bench import gallery_file
from fewshot.research.bench.gallery_file import load_gallery, save_gallery

D, LARGE = 16, 3000


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Threads that wait for each other on a busy machine take seconds for what one does in a tenth."""
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    yield
    faiss.omp_set_num_threads(before)


@pytest.fixture(autouse=True)
def small_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cells from 1,001 references of 16 numbers on, so that a test needs no million."""
    monkeypatch.setattr(gallery, "EXACT_NUMBERS", 1000 * D)


def people(count: int, seed: int = 0) -> tuple[list[str], np.ndarray]:
    return [f"s{k}" for k in range(count)], unit(np.random.default_rng(seed).normal(size=(count, D)))


def filled(count: int) -> tuple[IdentityGallery, np.ndarray, np.ndarray]:
    made = IdentityGallery(D, "net-1")
    names, vectors = people(count)
    return made, vectors, made.add(names, vectors)


def test_an_empty_gallery_finds_nobody() -> None:
    empty = IdentityGallery(D)
    ids, scores = empty.search(np.zeros((3, D), np.float32), 5)
    assert ids.shape == scores.shape == (3, 0) and len(empty) == 0 and empty.students() == []
    assert empty.students_of(np.array([1, 2])) == [None, None]
    assert empty.add([], np.zeros((0, D), np.float32)).shape == (0,)


@pytest.mark.parametrize(
    ("count", "dimension", "kind"),
    [(0, 512, "exact"), (50, 512, "exact"), (5000, 512, "exact"), (7_812, 512, "exact"), (7_813, 512, "cells"),
     (31_250, 128, "exact"), (1_000_000, 512, "cells")],
)  # fmt: skip
def test_the_rule(monkeypatch: pytest.MonkeyPatch, count: int, dimension: int, kind: str) -> None:
    monkeypatch.undo()
    assert choose_kind(count, dimension) == kind


@pytest.mark.parametrize(("count", "expected"), [(0, 64), (1000, 128), (20_000, 512), (1_000_000, 4096)])
def test_cells_grow_with_the_gallery(count: int, expected: int) -> None:
    assert cells.choose_cells(count) == expected
    assert 0 < cells.choose_probes(expected) <= expected


@pytest.mark.parametrize("count", [1, 50, 1000, 1001, LARGE])
def test_everybody_is_found_by_a_slightly_different_vector(count: int) -> None:
    made, vectors, ids = filled(count)
    assert made.kind == ("exact" if count <= 1000 else "cells") and len(made) == count
    queries = unit(vectors + 0.02 * np.random.default_rng(1).normal(size=vectors.shape))
    found, scores = made.search(queries)
    assert (found[:, 0] == ids).mean() > (0.999 if count <= 1000 else 0.97)
    right = found[:, 0] == ids
    np.testing.assert_allclose(
        scores[right, 0], (queries * vectors).sum(1)[right], atol=1e-5 if count <= 1000 else 0.02
    )
    assert made.students_of(ids[-1:]) == [f"s{count - 1}"]


def test_several_are_given_best_first() -> None:
    made, vectors, ids = filled(40)
    found, scores = made.search(vectors[:2], 100)
    assert found.shape == (2, 40) and (np.diff(scores, axis=1) <= 0).all() and set(found[0]) == set(ids)


def test_growing_past_the_limit_keeps_the_numbers() -> None:
    made, vectors, ids = filled(900)
    names, more = people(LARGE, seed=5)
    later = made.add([f"t{name}" for name in names], more)
    assert made.kind == "cells" and later[0] == ids[-1] + 1 and len(made) == 900 + LARGE
    made.add(["last"], unit(np.ones((1, D))))
    assert made.students_of(made.search(unit(np.ones((1, D))))[0][0]) == ["last"]
    found = made.search(vectors[:50])[0][:, 0]
    assert (found == ids[:50]).mean() > 0.95


def test_cells_are_made_anew_when_there_are_four_times_too_few() -> None:
    made, _, _ = filled(1001)
    before = cells.cells_of(made._index)
    names, more = people(16_100, seed=6)
    made.add([f"t{name}" for name in names], more)
    assert cells.cells_of(made._index) >= 4 * before and len(made) == 17_101


def in_full(made: IdentityGallery) -> set[bytes]:
    """Every vector as the index's memory holds it in all its directions."""
    codes = made._index if made.kind == "exact" else cells._parts(made._index)[1]
    return {row.tobytes() for row in cells._bytes_of(codes)}


@pytest.mark.parametrize("count", [50, LARGE])
def test_a_removed_student_is_gone_from_memory_and_file(tmp_path: Path, count: int) -> None:
    made, vectors, ids = filled(count)
    (extra,) = made.add(["s7"], vectors[20:21] * -1)
    before = in_full(made)
    assert made.remove("s7") == 2 and len(made) == count - 1 and "s7" not in made.students()
    gone = before - in_full(made)
    assert len(gone) == 2
    save_gallery(made, tmp_path / "g")
    content = (tmp_path / "g").read_bytes()
    assert not any(code in content for code in gone) and b'"s7"' not in content
    for one in (made, load_gallery(tmp_path / "g")):
        found = one.search(np.stack([vectors[7], -vectors[20]]), 10)[0]
        assert not {ids[7], extra} & set(found.ravel().tolist())
        assert one.students_of(np.array([ids[7], extra, ids[8]])) == [None, None, "s8"]
        assert one.students_of(one.search(vectors[8:9])[0][0]) == ["s8"]


def test_a_cell_that_somebody_left_is_filled_as_if_they_had_never_come() -> None:
    made, _, _ = filled(LARGE)
    inverted, full = cells._parts(made._index)
    lists = faiss.downcast_InvertedLists(inverted.invlists)
    cell = int(np.argmax([lists.list_size(k) for k in range(lists.nlist)]))
    # The last one of a cell is the one whose code FAISS's own removal leaves behind.
    row = int(faiss.rev_swig_ptr(lists.get_ids(cell), lists.list_size(cell))[-1])
    size, memory = lists.list_size(cell), cells.codes_of(lists, cell).copy()
    made.remove(f"s{row}")
    rows = faiss.rev_swig_ptr(lists.get_ids(cell), lists.list_size(cell))
    assert lists.list_size(cell) == size - 1 and row not in rows and inverted.ntotal == LARGE - 1
    after = cells.codes_of(lists, cell)
    assert len(after) in (len(memory), len(memory) - lists.block_size) and not np.array_equal(
        after, memory[: len(after)]
    )
    fresh = faiss.clone_index(inverted)
    fresh.reset()
    fresh.add_with_ids(cells._projection(made._index).apply(full.reconstruct_batch(rows.copy())), rows.copy())
    fresh_lists = faiss.downcast_InvertedLists(faiss.downcast_index(fresh).invlists)
    np.testing.assert_array_equal(after, cells.codes_of(fresh_lists, cell))


@pytest.mark.parametrize("count", [3, LARGE])
def test_numbers_of_the_removed_are_not_given_again(count: int) -> None:
    made, vectors, ids = filled(count)
    made.remove(f"s{count - 1}")
    again = made.add(["s1", "new"], vectors[:2] * -1)
    assert again.min() > ids.max() and made.students_of(again) == ["s1", "new"]
    assert made.students_of(made.search(-vectors[:1])[0][0]) == ["s1"]
    assert made.remove("s1") == 2


def test_a_gallery_may_be_emptied() -> None:
    made, vectors, _ = filled(2)
    made.remove("s0")
    made.remove("s1")
    assert len(made) == 0 and made.search(vectors)[0].shape == (2, 0)


@pytest.mark.parametrize("count", [0, 50, LARGE])
def test_what_is_saved_comes_back(tmp_path: Path, count: int) -> None:
    made, vectors, _ = filled(count)
    path = tmp_path / "Übung.gallery"
    save_gallery(made, path)
    again = load_gallery(path, network="net-1")
    assert (again.kind, len(again), again.students(), again.nbytes) == (made.kind, count, made.students(), made.nbytes)
    for one, other in zip(made.search(vectors[:20], 3), again.search(vectors[:20], 3), strict=True):
        np.testing.assert_array_equal(one, other)
    assert again.add(["x"], unit(np.ones((1, D))))[0] == count + 1
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_damaged_and_foreign_files(tmp_path: Path) -> None:
    made, _, _ = filled(50)
    path = tmp_path / "g"
    with pytest.raises(StoreError, match="no gallery"):
        load_gallery(path)
    save_gallery(made, path)
    whole = path.read_bytes()
    with pytest.raises(StoreError, match="net-2"):
        load_gallery(path, network="net-2")
    for broken in (b"", whole[:-1], whole[:2000], whole[:900] + b"x" + whole[901:], whole + b"x", b"x" * 3000):
        path.write_bytes(broken)
        with pytest.raises(StoreError, match="damaged"):
            load_gallery(path)
    with pytest.raises(StoreError, match="could not be written"):
        save_gallery(made, tmp_path / "nowhere" / "g")


def test_a_disk_that_fills_up_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, _, _ = filled(LARGE)
    save_gallery(made, tmp_path / "g")
    before = (tmp_path / "g").read_bytes()

    class Full:
        """Has room for the table, and not for the index."""

        def __init__(self, file: object) -> None:
            self.left = 70_000

        def write(self, piece: bytes) -> int:
            self.left -= len(piece)
            if self.left < 0:
                raise OSError(28, "No space left on device")
            return len(piece)

    real = gallery_file.replacing

    @contextmanager
    def on_a_full_disk(path: Path) -> Iterator[Full]:
        with real(path) as file:
            yield Full(file)

    with monkeypatch.context() as patch:
        patch.setattr("fewshot.research.bench.gallery_file.replacing", on_a_full_disk)
        with pytest.raises(StoreError, match="No space left"):
            save_gallery(made, tmp_path / "g")
    assert (tmp_path / "g").read_bytes() == before and len(list(tmp_path.iterdir())) == 1


def test_wrong_usage() -> None:
    made, vectors, _ = filled(3)
    with pytest.raises(DimensionMismatch):
        made.search(np.zeros((1, D + 1), np.float32))
    with pytest.raises(DimensionMismatch):
        made.add(["x"], np.zeros(D, np.float32))
    with pytest.raises(UsageError, match="Give one per reference"):
        made.add(["x"], vectors)
    with pytest.raises(UsageError, match="no student 'x'"):
        made.remove("x")
