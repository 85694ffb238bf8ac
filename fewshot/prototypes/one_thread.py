"""FAISS with one thread, for small searches in which starting other threads would take longer than the search."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import faiss


@contextmanager
def one_thread() -> Iterator[None]:
    """FAISS uses one thread inside the ``with`` block.

    A search for one frame takes microseconds, but on a busy computer OpenMP's threads wait milliseconds for each other.
    The setting is valid only for the calling thread, so other threads are not affected.
    """
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)
