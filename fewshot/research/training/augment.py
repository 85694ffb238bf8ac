"""What a webcam does to a face, done to training crops: framing, light, blur, low resolution, JPEG, a hand."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fewshot.faces.align import CROP_SIZE


@dataclass
class Augmentation:
    """How far each change goes; 0 switches it off.

    Attributes:
        rotation: degrees either way.
        scale: of the framing, a fraction either way.
        shift: of the framing, pixels of the 112 either way.
        light: strength of contrast, brightness and gamma changes.
        degrade: chance of each of blur, low resolution (down to 32 pixels), JPEG and noise.
        occlude: chance of a grey patch.
    """

    rotation: float = 12.0
    scale: float = 0.14
    shift: float = 6.0
    light: float = 0.3
    degrade: float = 0.2
    occlude: float = 0.2

    def framing(
        self, matrix: NDArray[np.float32], rng: np.random.Generator, mirror: bool = True
    ) -> NDArray[np.float32]:
        """Jitter a 2x3 matrix that maps picture to crop, and mirror it half of the time, unless it shall not."""
        angle = np.deg2rad(rng.uniform(-self.rotation, self.rotation))
        factor = np.exp(rng.uniform(-self.scale, self.scale))
        sign = -1.0 if mirror and rng.random() < 0.5 else 1.0
        cosine, sine = factor * np.cos(angle), factor * np.sin(angle)
        linear = np.array([[cosine * sign, -sine], [sine * sign, cosine]])
        centre = np.array([CROP_SIZE / 2, CROP_SIZE / 2])
        offset = centre - linear @ centre + rng.uniform(-self.shift, self.shift, 2)
        jittered = linear @ matrix
        jittered[:, 2] += offset
        return jittered.astype(np.float32)

    def picture(self, crop: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
        """Change light and quality of a grey crop (112, 112)."""
        crop = self._light(crop, rng)
        if rng.random() < self.degrade:
            crop = cv2.GaussianBlur(crop, (0, 0), rng.uniform(0.5, 2.5))
        if rng.random() < self.degrade:
            low = int(rng.uniform(32, 80))
            small = cv2.resize(crop, (low, low), interpolation=cv2.INTER_AREA)
            crop = cv2.resize(small, (CROP_SIZE, CROP_SIZE), interpolation=cv2.INTER_LINEAR)
        if rng.random() < self.degrade:
            quality = int(rng.uniform(15, 80))
            encoded = cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
            crop = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE), np.uint8)
        if rng.random() < self.degrade:
            noisy = crop + rng.standard_normal(crop.shape, dtype=np.float32) * rng.uniform(2, 12)
            crop = np.clip(noisy, 0, 255).astype(np.uint8)
        if rng.random() < self.occlude:
            height, width = rng.integers(12, 48, 2)
            top, left = rng.integers(0, CROP_SIZE - height), rng.integers(0, CROP_SIZE - width)
            crop[top : top + height, left : left + width] = rng.integers(0, 256)
        return crop

    def _light(self, crop: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
        if self.light <= 0:
            return crop.copy()
        levels = np.arange(256, dtype=np.float32) / 255
        levels = levels ** np.exp(rng.uniform(-self.light, self.light) * 1.2)
        contrast, brightness = 1 + rng.uniform(-self.light, self.light), rng.uniform(-0.5, 0.5) * self.light
        levels = (levels - 0.5) * contrast + 0.5 + brightness
        return cv2.LUT(crop, np.clip(levels * 255, 0, 255).astype(np.uint8))
