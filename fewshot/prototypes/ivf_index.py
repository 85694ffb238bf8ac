"""Search in very many vectors: candidates from 4-bit codes in an inverted file, then similarity with 8 bits per number.

It uses three steps of FAISS. (1) PCA keeps the 64 main directions of the references: a recogniser distinguishes people
in few directions, and the others contain mostly noise. (2) An inverted file over these directions (Jégou et al. 2011):
a search reads only the nearest cells, with product codes of 4 bits per 2 directions; a processor compares 32 codes at
a time (André et al. 2017). (3) The best candidates are compared again in all directions, with 8 bits per number.
"""

from __future__ import annotations

import math
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from fewshot.types import Vectors

PROJECTED = 64
"""Directions in the first two steps. 96 directions take 1.5 times as long and find no more."""
CANDIDATES = 16
"""Candidates that are compared in all directions, per requested result."""
TRAINED_ON = 32
"""References per cell in the training of k-means."""
PROJECTION_TRAINED_ON = 50_000
_SEED = 20_261_120

Rows = NDArray[np.int64]


def choose_cells(count: int) -> int:
    """Number of cells for ``count`` vectors: the power of two nearest to 4 sqrt(n) (FAISS's guideline), at least 64."""
    return max(64, int(2 ** round(math.log2(4 * math.sqrt(max(count, 1))))))


def choose_probes(cells: int) -> int:
    """Number of cells that a search reads: 256 of 4,096, or 128 of 1,024.

    Share of the results of an exact search that is found among a million vectors: 99.4 %; 98 % with half as many cells,
    99.8 % with twice as many.
    """
    return min(cells, round(4 * math.sqrt(cells)))


def build(vectors: Vectors) -> Any:
    """Train and fill an index; row k is vector k.

    Args:
        vectors: unit vectors, shape (n, d); n should be at least some thousands.

    Returns:
        ``faiss.IndexRefine`` with inner product.
    """
    dimension, count = vectors.shape[1], choose_cells(len(vectors))
    pairs = min(PROJECTED, dimension) // 2
    rng = np.random.default_rng(_SEED)
    sample = vectors[np.sort(rng.choice(len(vectors), min(len(vectors), TRAINED_ON * count), replace=False))]
    projection = faiss.PCAMatrix(dimension, 2 * pairs)
    projection.train(sample[:PROJECTION_TRAINED_ON])
    quantizer = faiss.IndexFlatIP(2 * pairs)
    inverted = faiss.IndexIVFPQFastScan(quantizer, 2 * pairs, count, pairs, 4, faiss.METRIC_INNER_PRODUCT)
    inverted.cp.seed, inverted.cp.niter = 1, 8
    inverted.cp.min_points_per_centroid, inverted.cp.max_points_per_centroid = 1, TRAINED_ON
    inverted.train(projection.apply(sample))
    inverted.nprobe = choose_probes(count)
    full = faiss.IndexScalarQuantizer(dimension, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT)
    full.train(sample[:PROJECTION_TRAINED_ON])
    index = faiss.IndexRefine(faiss.IndexPreTransform(projection, inverted), full)
    index.k_factor = CANDIDATES
    add(index, vectors)
    return index


def add(index: Any, vectors: Vectors) -> None:
    """Append vectors, shape (n, d), as the next rows."""
    inverted, full = _parts(index)
    first = full.ntotal
    full.add(vectors)
    # Not index.add: after a removal it would use the number of an existing vector again.
    rows = np.arange(first, full.ntotal, dtype=np.int64)
    inverted.add_with_ids(_projection(index).apply(vectors), rows)
    index.base_index.ntotal = index.ntotal = full.ntotal


def erase(index: Any, rows: Rows) -> None:
    """Overwrite vectors and remove them from their cells; the others keep their rows.

    FAISS's own removal moves the last vector of a cell into the gap, but leaves a copy of it in unused memory of the
    cell. This copy would still exist after a later removal. Here the whole cell is overwritten and filled again.
    """
    inverted, full = _parts(index)
    _bytes_of(full)[rows] = 0
    lists = faiss.downcast_InvertedLists(inverted.invlists)
    kept = []
    for cell in range(lists.nlist):
        size = lists.list_size(cell)
        ids = faiss.rev_swig_ptr(lists.get_ids(cell), size) if size else np.zeros(0, np.int64)
        stays = ~np.isin(ids, rows)
        if stays.all():
            continue
        kept.append(ids[stays].copy())
        codes_of(lists, cell)[:] = 0
        lists.resize(cell, 0)
        inverted.ntotal -= size
    if kept and len(again := np.concatenate(kept)):
        inverted.add_with_ids(_projection(index).apply(full.reconstruct_batch(again)), again)


def codes_of(lists: Any, cell: int) -> NDArray[np.uint8]:
    """A view of the memory of a cell; its codes are in blocks of 32. Bytes, shape (blocks * bytes of a block,)."""
    blocks = -(-lists.list_size(cell) // lists.n_per_block)
    return np.asarray(faiss.rev_swig_ptr(lists.get_codes(cell), blocks * lists.block_size))


def vectors_of(index: Any, rows: Rows) -> Vectors:
    """The vectors in these rows, restored from 8 bits per number, shape (n, d)."""
    return np.asarray(_parts(index)[1].reconstruct_batch(rows), np.float32)


def cells_of(index: Any) -> int:
    """Number of cells of an index."""
    return int(_parts(index)[0].nlist)


def code_size(index: Any) -> int:
    """Bytes per vector: the codes of both steps and the row number."""
    inverted, full = _parts(index)
    return int(inverted.code_size + full.code_size + 8)


def overwrite(flat: Any) -> None:
    """Fill the memory of a flat index with zeros, before the index is deleted."""
    _bytes_of(flat)[:] = 0


def _parts(index: Any) -> tuple[Any, Any]:
    """(inverted file, full vectors)."""
    return faiss.extract_index_ivf(index.base_index), faiss.downcast_index(index.refine_index)


def _projection(index: Any) -> Any:
    base: Any = faiss.downcast_index(index.base_index)
    return faiss.downcast_VectorTransform(base.chain.at(0))


def _bytes_of(flat: Any) -> NDArray[np.uint8]:
    """A writable view of the codes of a flat index, shape (n, bytes per vector)."""
    view = faiss.rev_swig_ptr(flat.codes.data(), flat.codes.size())
    return np.asarray(view.reshape(-1, flat.code_size))
