"""Which face of this frame is which face of the last one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

_IMPOSSIBLE = -1e6


@dataclass(slots=True)
class _Track:
    """A face that is followed: its box, how its centre moves (pixels a second), when it was seen last."""

    box: NDArray[np.float32]
    velocity: NDArray[np.float32]
    seen: float


def pairwise_iou(boxes: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """Intersection over union of boxes [n, 4] and others [m, 4] (x0, y0, x1, y1), shape (n, m)."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    overlap = np.prod(np.maximum(high - low, 0), axis=2)
    areas = [np.prod(b[:, 2:] - b[:, :2], axis=1) for b in (boxes, others)]
    union = areas[0][:, None] + areas[1][None, :] - overlap
    return np.asarray(overlap / np.maximum(union, 1e-6), np.float32)


class Tracker:
    """Overlap and motion, as SORT (Bewley et al. 2016, https://arxiv.org/abs/1602.00763) without its Kalman filter.

    Every track's box is moved on by its speed; tracks and faces are then paired so that the sum of their overlaps is
    largest. Every face has a number from its first frame on (a tracker that first waits for confirmation would show
    nothing there); numbers are never given twice. A box says nothing about who is in it: when two tiles of a gallery
    change places between two frames, the tracks stay with the tiles, and identity has to notice.

    Args:
        memory: seconds for which a lost face is remembered.
        reach: how far a face may be from where it was expected, in units of its size, if the boxes do not overlap
            (fast motion, few frames a second).
    """

    def __init__(self, memory: float = 1.0, reach: float = 0.75) -> None:
        self._memory, self._reach = memory, reach
        self._tracks: dict[int, _Track] = {}
        self._next = 0

    def update(self, boxes: NDArray[np.float32], scores: NDArray[np.float32], time: float) -> NDArray[np.int64]:
        """Take in one frame.

        Args:
            boxes: x0, y0, x1, y1, pixels, shape (n, 4). n may be 0.
            scores: the detector's, shape (n,).
            time: seconds; never less than at the last call.

        Returns:
            The track number of every box, shape (n,).
        """
        boxes = np.asarray(boxes, np.float32).reshape(-1, 4)
        self._tracks = {number: track for number, track in self._tracks.items() if time - track.seen <= self._memory}
        numbers = np.full(len(boxes), -1, np.int64)
        known = list(self._tracks)
        for row, column in self._pairs(boxes, known, time):
            numbers[row] = known[column]
            self._move(self._tracks[known[column]], boxes[row], time)
        # The surest face first, so that numbers do not depend on the order of the boxes.
        for row in np.argsort(-np.asarray(scores, np.float32).ravel(), kind="stable"):
            if numbers[row] < 0:
                numbers[row] = self._next
                self._tracks[self._next] = _Track(boxes[row].copy(), np.zeros(2, np.float32), time)
                self._next += 1
        return numbers

    def alive(self) -> set[int]:
        """Tracks that are seen, or still remembered."""
        return set(self._tracks)

    def reset(self) -> None:
        """Forget all tracks (another source begins); numbers go on."""
        self._tracks.clear()

    def _pairs(self, boxes: NDArray[np.float32], known: list[int], time: float) -> list[tuple[int, int]]:
        """Indices (box, known track) that belong together."""
        if not len(boxes) or not known:
            return []
        expected = np.stack([self._expected(self._tracks[number], time) for number in known])
        affinity = self._affinity(boxes, expected)
        rows, columns = linear_sum_assignment(affinity, maximize=True)
        return [(int(r), int(c)) for r, c in zip(rows, columns, strict=True) if affinity[r, c] > _IMPOSSIBLE / 2]

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

    @staticmethod
    def _expected(track: _Track, time: float) -> NDArray[np.float32]:
        """Where the box should be now. Nobody is trusted to keep a speed for more than a fifth of a second."""
        shift = track.velocity * min(time - track.seen, 0.2)
        return track.box + np.tile(shift, 2)

    @staticmethod
    def _move(track: _Track, box: NDArray[np.float32], time: float) -> None:
        elapsed = time - track.seen
        if elapsed > 0:
            shift = (box[:2] + box[2:] - track.box[:2] - track.box[2:]) / 2
            track.velocity = (0.5 * track.velocity + 0.5 * shift / elapsed).astype(np.float32)
        track.box, track.seen = box.copy(), time
