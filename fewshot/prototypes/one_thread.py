"""FAISS on one thread, for searches so small that waking others costs more than the search."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import faiss


@contextmanager
def one_thread() -> Iterator[None]:
    """Calls of FAISS inside use one thread.

    A frame of a class takes microseconds; on a busy computer OpenMP's threads wait for each other for milliseconds.
    The number of threads belongs to the calling thread, so others are not disturbed.
    """
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)
