"""One tile of a video call: a still picture made to look like a webcam, with the person swaying a little."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fewshot.research.simulation.truth import Box
from fewshot.types import Frame

AWAY = (38, 38, 38)
STRIP = (28, 28, 28)


@dataclass(frozen=True, slots=True)
class Camera:
    """What one student's camera, lamp and line do to every picture; fixed for a video.

    Attributes:
        exposure: factor on the light.
        gains: factor on blue, green, red (white balance), shape (3,).
        saturation: 0 is grey, 1 leaves the colours.
        resolution: the picture is sent at this share of the tile's size and enlarged again.
        noise: standard deviation of the sensor's noise, grey levels.
        jpeg: quality of the compression, 0..100.
    """

    exposure: float
    gains: NDArray[np.float32]
    saturation: float
    resolution: float
    noise: float
    jpeg: int

    @classmethod
    def draw(cls, random: np.random.Generator) -> Camera:
        """A camera at random, as they are in calls."""
        return cls(
            exposure=random.uniform(0.75, 1.2),  # nosec B311: draws a scene
            gains=random.uniform(0.92, 1.08, 3).astype(np.float32),  # nosec B311: draws a scene
            saturation=random.uniform(0.5, 1.1),  # nosec B311: draws a scene
            resolution=random.uniform(0.65, 1.0),  # nosec B311: draws a scene
            noise=random.uniform(0.0, 4.0),  # nosec B311: draws a scene
            jpeg=int(random.integers(50, 92)),
        )

    def shoot(self, picture: Frame, light: float, random: np.random.Generator) -> Frame:
        """The picture as this camera sends it, same shape; ``light`` is a factor that changes with time."""
        height, width = picture.shape[:2]
        small = cv2.resize(picture, None, fx=self.resolution, fy=self.resolution, interpolation=cv2.INTER_AREA)
        # Light and white balance first, then every channel moves towards the mean of the three: one matrix.
        fade = self.saturation * np.eye(3) + (1 - self.saturation) / 3
        lit = cv2.transform(small, fade * (self.gains * (self.exposure * light)))
        grain: NDArray[np.int16] = np.empty(lit.shape, np.int16)
        # OpenCV's own generator is ten times as fast as NumPy's here; seeded from ours, it repeats.
        cv2.setRNGSeed(int(random.integers(1 << 31)))
        cv2.randn(grain, 0, self.noise)
        seen = cv2.add(lit, grain, dtype=cv2.CV_8U)
        packed = cv2.imencode(".jpg", seen, [cv2.IMWRITE_JPEG_QUALITY, self.jpeg])[1]
        received = cv2.imdecode(packed, cv2.IMREAD_COLOR)
        shown: Frame = cv2.resize(received, (width, height), interpolation=cv2.INTER_LINEAR)
        return shown


@dataclass(frozen=True, slots=True)
class Motion:
    """Slow sway: a sum of two sines for each of right, down, scale, roll and light.

    Attributes:
        amplitudes: shape (5, 2): share of the tile's height, the same, share, radians, share of the light.
        periods: seconds, shape (5, 2).
        phases: radians, shape (5, 2).
    """

    amplitudes: NDArray[np.float64]
    periods: NDArray[np.float64]
    phases: NDArray[np.float64]

    @classmethod
    def draw(cls, random: np.random.Generator) -> Motion:
        """The motion of one head at random."""
        largest = np.array([0.03, 0.015, 0.025, 0.03, 0.08])[:, None] * np.array([1.0, 0.4])
        slowest = np.array([9.0, 3.5])
        return cls(
            amplitudes=largest * random.uniform(0.3, 1.0, (5, 2)),  # nosec B311: draws a scene
            periods=slowest * random.uniform(0.6, 1.0, (5, 2)),  # nosec B311: draws a scene
            phases=random.uniform(0, 2 * np.pi, (5, 2)),  # nosec B311: draws a scene
        )

    def at(self, time: float) -> NDArray[np.float64]:
        """Shift right and down, change of scale, roll, change of light at ``time`` seconds, shape (5,)."""
        moved: NDArray[np.float64] = (self.amplitudes * np.sin(2 * np.pi * time / self.periods + self.phases)).sum(1)
        return moved


def place(
    picture: Frame, face: Box, size: tuple[int, int], scale: float, pose: NDArray[np.float64]
) -> tuple[Frame, Box]:
    """Put a picture into a tile with its face in the middle.

    Args:
        picture: the original, any size.
        face: box of the face in it.
        size: width, height of the tile.
        scale: pixels of the tile for one pixel of the picture.
        pose: as ``Motion.at`` gives it.

    Returns:
        The tile, and the box of the face in it (its centre is moved and its size scaled; roll leaves it upright).
    """
    width, height = size
    # warpAffine does not average: shrink first, then move by less than a factor of two.
    shrink = min(1.0, scale)
    if shrink < 1.0:
        picture = cv2.resize(picture, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    x0, y0, x1, y1 = (value * shrink for value in face)
    right, down, grow, roll, _ = pose
    factor = scale / shrink * (1 + grow)
    centre = np.array([(x0 + x1) / 2, (y0 + y1) / 2])
    turn = factor * np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]])
    # A face box sits a little below the middle of a well-framed head.
    target = np.array([width / 2 + right * height, height * 0.55 + down * height])
    matrix = np.hstack([turn, (target - turn @ centre)[:, None]])
    # Where the picture does not reach, a blurred copy of it stands in, as phones in portrait mode do it.
    tile = cv2.resize(cv2.resize(picture, (6, 4), interpolation=cv2.INTER_AREA), size, interpolation=cv2.INTER_CUBIC)
    cv2.warpAffine(picture, matrix, size, dst=tile, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_TRANSPARENT)
    half = np.array([x1 - x0, y1 - y0]) * factor / 2
    low, high = np.clip(target - half, 0, size), np.clip(target + half, 0, size)
    return tile, (float(low[0]), float(low[1]), float(high[0]), float(high[1]))


def away(size: tuple[int, int]) -> Frame:
    """A tile with the camera off: dark, with a plain disc."""
    width, height = size
    tile: Frame = np.full((height, width, 3), AWAY, np.uint8)
    cv2.circle(tile, (width // 2, height // 2), height // 5, (110, 90, 70), -1, cv2.LINE_AA)
    return tile


def decorate(tile: Frame, speaking: bool) -> None:
    """Draw the strip where a name would stand (left blank), and the frame of whoever speaks."""
    height, width = tile.shape[:2]
    tile[height - max(8, height // 9) :, : width * 3 // 10] = STRIP
    if speaking:
        cv2.rectangle(tile, (0, 0), (width - 1, height - 1), (60, 220, 180), max(2, height // 60))
