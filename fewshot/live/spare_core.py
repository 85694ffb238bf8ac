"""Embeds the faces of one frame on two cores while no other frame needs the second one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from fewshot.types import Face

FEWEST = 8
"""Faces below this number are not divided: handing over half of them takes longer than it saves."""


class SpareCore:
    """Lends a core that has no frame to the frame that is being processed.

    A camera at 8 frames per second leaves the cores idle most of the time, and then a frame is done sooner when both
    embed its faces. With a frame for every core nothing is divided, because that would only make them wait for each
    other. A network's vector may differ in its last bit with the size of the batch, so this is for live sources: a
    recording gives the same results every time.

    Args:
        cores: number of frames that are processed at the same time when all cores are busy.
    """

    def __init__(self, cores: int) -> None:
        self._cores, self._frames = cores, 0
        self._counting, self._lent = threading.Lock(), threading.Lock()
        self._helper = ThreadPoolExecutor(1, "fewshot spare core") if cores > 1 else None

    @contextmanager
    def frame(self) -> Iterator[None]:
        """Around the processing of a frame: it uses one core."""
        with self._counting:
            self._frames += 1
        try:
            yield
        finally:
            with self._counting:
                self._frames -= 1

    def share(self, work: Callable[[Sequence[Face]], None], faces: Sequence[Face]) -> None:
        """``work(faces)``, in two halves at the same time if a core is free. Returns when both are done."""
        if self._helper is None or len(faces) < FEWEST or self._frames >= self._cores:
            return work(faces)
        if not self._lent.acquire(blocking=False):
            return work(faces)
        try:
            half = len(faces) // 2
            try:
                other = self._helper.submit(work, faces[:half])
            except RuntimeError:  # closed: Ctrl-C came while the run waited for its workers
                return work(faces)
            try:
                work(faces[half:])
            finally:
                other.result()
        finally:
            self._lent.release()

    def close(self) -> None:
        """End the helping thread."""
        if self._helper is not None:
            self._helper.shutdown()
