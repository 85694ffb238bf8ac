"""How long this machine needs for the faces of one frame, for ``fewshot doctor``."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

import cv2
import numpy as np

from fewshot.live.sparing import CALL_FPS

FACES = 25
"""Faces of the frame: a usual class."""
TRIES = 3
"""The shortest of several tries counts: another program can only make a try longer."""
WARN = 0.5
"""Share of all cores that watching a call may take without a warning."""


@dataclass(frozen=True, slots=True)
class Speed:
    """Milliseconds of one core for one frame of 1920x1080 pixels.

    Attributes:
        find: for finding the faces.
        embed: for the vectors of ``FACES`` faces.
        cores: of this machine.
    """

    find: float
    embed: float
    cores: int

    @property
    def share(self) -> float:
        """Share of all cores for a call at ``CALL_FPS`` if every face were embedded in every frame: an upper limit."""
        return CALL_FPS * (self.find + self.embed) / 1000 / self.cores

    def __str__(self) -> str:
        return (
            f"{FACES} faces: {self.find:.0f} ms to find them and {self.embed:.0f} ms for their vectors, on one of "
            f"{self.cores} cores. Watching a call {CALL_FPS:g} times per second takes at most {self.share:.0%} of this "
            "computer"
        )

    @property
    def advice(self) -> str:
        """What to do if it is too slow; empty if it is not."""
        if self.share <= WARN:
            return ""
        rate = max(1, int(CALL_FPS * WARN / self.share))
        return f"Close other programs, or watch less often: set FEWSHOT_FPS={rate}, or type: fewshot live --fps {rate}"


def measure() -> Speed:
    """Load the models and measure. Takes about two seconds.

    Raises:
        ModelUnavailable: a model does not load.
    """
    from fewshot.demo.sample import sample_picture
    from fewshot.faces.align import CROP_SIZE
    from fewshot.perception import open_perception

    perception = open_perception(download=False, threads=1)
    frame = np.asarray(cv2.resize(sample_picture(), (1920, 1080)), np.uint8)
    crops = np.random.default_rng(0).integers(0, 256, (FACES, CROP_SIZE, CROP_SIZE), np.uint8)
    find = _shortest(lambda: perception.detector.detect(frame))
    embed = _shortest(lambda: perception.embedder.embed_grey(crops))
    return Speed(1000 * find, 1000 * embed, os.cpu_count() or 1)


def _shortest(work: Callable[[], object]) -> float:
    """Seconds of the shortest of ``TRIES`` runs after one that warms up."""
    seconds = []
    for _ in range(TRIES + 1):
        start = perf_counter()
        work()
        seconds.append(perf_counter() - start)
    return min(seconds[1:])
