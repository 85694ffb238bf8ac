"""Tracks faces: which face of this frame is which face of the frame before."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fewshot.faces.boxes import pairwise_iou
from fewshot.faces.pairing import best_pairs

_IMPOSSIBLE = -1e6
_SPARSE, _LONGEST = 2.0, 6.0
"""Where frames are far apart, a lost face is remembered for so many pauses between them; at most so many seconds."""


class Tracker:
    """Overlap and motion, like SORT (Bewley et al. 2016, https://arxiv.org/abs/1602.00763) without its Kalman filter.

    Every track's box is moved according to its speed. Then tracks and faces are paired so that the sum of their
    overlaps is largest. Every face gets a track number in its first frame, without waiting for confirmation. Numbers
    are never used twice. A box does not identify a person: when two tiles of a gallery change places between two
    frames, the tracks stay with the positions, and the identity check has to notice it.

    Where frames keep coming far apart (a busy server, one picture in two seconds), faces are remembered for longer than
    ``memory``. Otherwise every face would be a new one in every frame, and recognising all of them anew would make the
    next frame come even later. A single pause, as of a source that was lost, changes nothing.

    Args:
        memory: seconds for which a lost face is remembered.
        reach: largest distance of a face from its expected position, in units of its size, if the boxes do not overlap
            (fast motion, few frames per second).
    """

    def __init__(self, memory: float = 1.0, reach: float = 0.75) -> None:
        self._memory, self._reach = memory, reach
        self._next = 0
        self._latest: float | None = None
        self._pause = 0.0
        self.reset()

    def update(self, boxes: NDArray[np.float32], scores: NDArray[np.float32], time: float) -> NDArray[np.int64]:
        """Process the faces of one frame.

        Args:
            boxes: x0, y0, x1, y1, pixels, shape (n, 4). n may be 0.
            scores: scores of the detector, shape (n,).
            time: seconds; never less than in the call before.

        Returns:
            The track number of every box, shape (n,).
        """
        boxes = np.asarray(boxes, np.float32).reshape(-1, 4)
        pause, self._pause = (self._pause, time - self._latest) if self._latest is not None else (0.0, 0.0)
        self._latest = time
        sparse = min(pause, self._pause)  # two pauses in a row, so that one of them is not enough
        self._keep(time - self._seen <= max(self._memory, min(_SPARSE * sparse, _LONGEST)))
        rows, columns = best_pairs(self._affinity(boxes, self._expected(time)), _IMPOSSIBLE / 2)
        numbers = np.full(len(boxes), -1, np.int64)
        numbers[rows] = self._numbers[columns]
        self._move(columns, boxes[rows], time)
        # The face with the highest score comes first, so that numbers do not depend on the order of the boxes.
        order = np.argsort(-np.asarray(scores, np.float32).ravel(), kind="stable")
        new = order[numbers[order] < 0]
        numbers[new] = self._begin(boxes[new], time)
        return numbers

    def alive(self) -> set[int]:
        """Numbers of the tracks that are visible or still remembered."""
        return set(self._numbers.tolist())

    def reset(self) -> None:
        """Forget all tracks (another source begins); the numbering continues."""
        self._numbers = np.zeros(0, np.int64)
        self._boxes = np.zeros((0, 4), np.float32)
        self._velocities = np.zeros((0, 2), np.float32)  # of the centres, pixels per second
        self._seen = np.zeros(0)
        self._latest = None
        self._pause = 0.0

    def _keep(self, chosen: NDArray[np.bool_]) -> None:
        if not chosen.all():
            self._numbers, self._boxes = self._numbers[chosen], self._boxes[chosen]
            self._velocities, self._seen = self._velocities[chosen], self._seen[chosen]

    def _begin(self, boxes: NDArray[np.float32], time: float) -> NDArray[np.int64]:
        """Start a track for each of these boxes, shape (n, 4); their numbers, shape (n,)."""
        numbers = np.arange(self._next, self._next + len(boxes))
        self._next += len(boxes)
        self._numbers = np.concatenate([self._numbers, numbers])
        self._boxes = np.concatenate([self._boxes, boxes])
        self._velocities = np.concatenate([self._velocities, np.zeros((len(boxes), 2), np.float32)])
        self._seen = np.concatenate([self._seen, np.full(len(boxes), time)])
        return numbers

    def _affinity(self, boxes: NDArray[np.float32], expected: NDArray[np.float32]) -> NDArray[np.float32]:
        """Overlap (0..1) plus nearness (0..1) of boxes and expected boxes, shape (n, m)."""
        sides = [np.sqrt(np.maximum(np.prod(b[:, 2:] - b[:, :2], axis=1), 1)) for b in (boxes, expected)]
        centres = [(b[:, :2] + b[:, 2:]) / 2 for b in (boxes, expected)]
        gap = np.linalg.norm(centres[0][:, None] - centres[1][None], axis=2)
        far = gap / np.maximum(sides[0][:, None], sides[1][None])
        ratio = sides[0][:, None] / sides[1][None]
        overlap = pairwise_iou(boxes, expected)
        possible = ((overlap > 0.2) | (far < self._reach)) & (ratio < 2.0) & (ratio > 0.5)
        return np.where(possible, overlap + 1 - np.minimum(far, 1), _IMPOSSIBLE).astype(np.float32)

    def _expected(self, time: float) -> NDArray[np.float32]:
        """Expected positions of the boxes now. A speed is extrapolated for at most 0.2 s."""
        shifts = self._velocities * np.minimum(time - self._seen, 0.2)[:, None]
        return np.asarray(self._boxes + np.tile(shifts, 2), np.float32)

    def _move(self, columns: NDArray[np.int64], boxes: NDArray[np.float32], time: float) -> None:
        """Update the position and speed of tracks that were seen again."""
        before, elapsed = self._boxes[columns], (time - self._seen[columns])[:, None]
        shifts = (boxes[:, :2] + boxes[:, 2:] - before[:, :2] - before[:, 2:]) / 2
        faster = 0.5 * self._velocities[columns] + 0.5 * shifts / np.where(elapsed > 0, elapsed, 1.0)
        self._velocities[columns] = np.where(elapsed > 0, faster, self._velocities[columns])
        self._boxes[columns], self._seen[columns] = boxes, time
