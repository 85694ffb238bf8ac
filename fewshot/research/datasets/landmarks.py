"""What the landmark network learns from: faces framed as cascades frame them, and what cascades take for faces.

Teacher: SCRFD's points on FER2013's training faces and on the LFW pictures whose identities are in no line of
pairs.txt (outputs/*_prepared.npz, written by experiments/prepare.py).
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fewshot.errors import FewshotError
from fewshot.faces.detectors.cascade import ENLARGED, INPUT, open_cascade
from fewshot.research.datasets.fer2013 import TRAINING, load_fer2013

Picture = NDArray[np.uint8]

# What comes with scikit-image and shows nobody (the astronaut without her face): walls, grass, print, things, animals.
SCENERY = (
    "brick",
    "grass",
    "gravel",
    "coffee",
    "chelsea",
    "coins",
    "text",
    "page",
    "rocket",
    "motorcycle_left",
    "clock_motion",
    "moon",
    "horse",
    "retina",
    "ihc",
    "hubble_deep_field",
    "astronaut",
    "cell",
    "color",
)


def teaching_faces(shared: Path, prepared: Path) -> tuple[list[Picture], NDArray[np.float32]]:
    """Grey square pictures and landmarks in their pixels, shape (n, 5, 2). LFW counts four times: it is rarer."""
    fer, table = load_fer2013(shared / "data/fer2013"), np.load(prepared / "fer2013_prepared.npz")
    chosen = np.flatnonzero((fer.usage == TRAINING) & ~table["excluded"] & (table["scores"] > 0.45))
    lfw = np.load(prepared / "lfw_prepared.npz")
    pictures = list(fer.faces[chosen]) + 4 * list(lfw["faces"])
    points = np.concatenate([table["landmarks"][chosen] * 48, *[lfw["landmarks"] * 112] * 4])
    return pictures, points.astype(np.float32)


def backgrounds(faces: list[Picture], rng: np.random.Generator) -> list[Picture]:
    """Pictures without a face: photographs, made-up screens and clouds, corners of portraits, faces cut to pieces.

    Args:
        faces: grey square pictures; those of 112 pixels are portraits.
        rng: decides what is made up.

    Raises:
        FewshotError: scikit-image, which brings the photographs, is not installed.
    """
    scenes = [_photograph(name) for name in SCENERY]
    scenes += [_screen(rng) for _ in range(16)]
    portraits = [face for face in faces if face.shape[0] == 112]
    scenes += [_clouds(rng) for _ in range(16)]
    scenes += [_corners(portraits, rng) for _ in range(16)]
    scenes += [_shuffled(faces, side, rng) for side in (8, 12, 16, 24) * 5]
    # Each also as a negative, upside down and on its side: four times as much for a cascade to be mistaken about.
    return [np.ascontiguousarray(s) for scene in scenes for s in (scene, 255 - scene, scene[::-1], scene.T)]


def _photograph(name: str) -> Picture:
    try:
        import skimage.data
    except ImportError as error:
        raise FewshotError(
            "Pictures without a face come with scikit-image, which is not installed: uv pip install scikit-image"
        ) from error
    path = next(Path(skimage.data.__file__).parent.glob(f"{name}.*"))
    picture = np.asarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), np.uint8)
    if name == "astronaut":  # her suit, flags and hands shall be here, her face not
        picture[30:220, 140:310] = cv2.GaussianBlur(picture[300:490, 300:470], (0, 0), 5)
    scale = 420 / max(picture.shape)
    return np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)


def _screen(rng: np.random.Generator) -> Picture:
    """Rectangles, discs and letters."""
    screen = np.full((400, 400), rng.integers(0, 256), np.uint8)
    for kind in rng.integers(0, 3, 40):
        x, y, w, h, grey = (int(v) for v in rng.integers(0, (400, 400, 400, 400, 256)))
        thickness = int(rng.choice([-1, 1, 2, 3]))
        if kind == 0:
            cv2.rectangle(screen, (x, y), (x + w // 3, y + h // 3), grey, thickness)
        elif kind == 1:
            cv2.circle(screen, (x, y), w // 8, grey, thickness)
        else:
            text = "".join(chr(c) for c in rng.integers(48, 122, 12))
            cv2.putText(screen, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.3 + w / 400, grey, 1 + w // 200)
    return np.asarray(cv2.GaussianBlur(screen, (0, 0), rng.uniform(0.4, 2)), np.uint8)


def _clouds(rng: np.random.Generator) -> Picture:
    """Soft light and shadow, as on arms and folds of cloth."""
    noise, sigma = rng.standard_normal((400, 400)), rng.uniform(3, 12)
    layers = [
        cv2.GaussianBlur(noise * s, (0, 0), sigmaX=s, sigmaY=s * rng.uniform(0.4, 2.5)) for s in (sigma, 3 * sigma)
    ]
    return np.asarray(cv2.normalize(layers[0] + layers[1], None, 0, 255, cv2.NORM_MINMAX, cv2.CV_8U), np.uint8)


def _corners(portraits: list[Picture], rng: np.random.Generator) -> Picture:
    """A wall of shoulders, hair and whatever is behind people."""
    tiles = []
    for index in rng.integers(0, len(portraits), 121):
        rows, columns = (slice(0, 36) if low else slice(-36, None) for low in rng.integers(0, 2, 2))
        tiles.append(portraits[index][rows, columns])
    return np.vstack([np.hstack(tiles[start : start + 11]) for start in range(0, 121, 11)])


def _shuffled(faces: list[Picture], side: int, rng: np.random.Generator) -> Picture:
    """A wall of 16 faces, cut into squares of ``side`` pixels (a divisor of 96) that changed places."""
    rows = rng.integers(0, len(faces), (4, 4))
    wall = np.vstack([np.hstack([cv2.resize(faces[index], (96, 96)) for index in row]) for row in rows])
    count = 384 // side
    tiles = wall.reshape(count, side, count, side).transpose(0, 2, 1, 3).reshape(-1, side, side)
    rng.shuffle(tiles)
    wall = tiles.reshape(count, count, side, side).transpose(0, 2, 1, 3).reshape(384, 384)
    return np.asarray(cv2.GaussianBlur(wall, (0, 0), side / 12), np.uint8)


def mistaken_boxes(scenes: list[Picture]) -> list[tuple[int, NDArray[np.float32]]]:
    """(scene, what the network sees of the box) wherever the cascade sees a face in a picture without one."""
    found, cascade = [], open_cascade()
    for index, scene in enumerate(scenes):
        for x, y, width, _ in cascade.detectMultiScale(scene, 1.1, 0, minSize=(20, 20)):
            around = np.array([x, y, x + width, y + width], np.float32)
            found.append((index, around + (ENLARGED - 1) / 2 * width * np.array([-1, -1, 1, 1], np.float32)))
    return found


class Samples:
    """Draws crops with their targets."""

    def __init__(self, shared: Path, prepared: Path, rng: np.random.Generator) -> None:
        self.rng = rng
        self.faces, self.points = teaching_faces(shared, prepared)
        self.centres = self.points.mean(axis=1)
        self.spreads = np.sqrt(((self.points - self.centres[:, None]) ** 2).sum(axis=2).mean(axis=1))
        self.scenes = backgrounds(self.faces, rng)
        self.mistakes = mistaken_boxes(self.scenes)
        print(f"{len(self.faces)} faces, {len(self.scenes)} scenes, {len(self.mistakes)} mistaken boxes", flush=True)

    def epoch(self, count: int) -> tuple[Picture, NDArray[np.float32]]:
        """``count`` crops with a face, as many without, uint8 [m, 48, 48]; targets [m, 11], NaN where no face."""
        crops = np.empty((2 * count, INPUT, INPUT), np.uint8)
        targets = np.full((len(crops), 11), np.nan, np.float32)
        chosen = self.rng.permutation(len(self.faces))[:count]
        for row in range(len(crops)):
            crop, points = self.face(int(chosen[row])) if row < len(chosen) else (self.nothing(), None)
            crops[row] = self.spoiled(crop)
            targets[row, 10] = points is not None
            if points is not None:
                targets[row, :10] = (points / INPUT - 0.5).ravel()
        return crops, targets

    def face(self, index: int) -> tuple[Picture, NDArray[np.float32]]:
        """A crop around a face, framed roughly as a cascade would, mirrored half of the time; its points."""
        rng = self.rng
        width = self.spreads[index] * rng.uniform(3.2, 5.4)
        middle = self.centres[index] + width * rng.normal((0, -0.075), 0.05)
        angle, mirror = np.deg2rad(rng.normal(0, 13)), rng.choice([-1, 1])
        scale = INPUT / (width * ENLARGED)
        stretch = np.exp(rng.normal(0, 0.05, 2)) * (mirror, 1)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        linear = (turn * stretch) * scale
        matrix = np.column_stack([linear, INPUT / 2 - linear @ middle]).astype(np.float32)
        points = self.points[index] @ matrix[:, :2].T + matrix[:, 2]
        if mirror < 0:
            points = points[[1, 0, 2, 4, 3]]
        crop = cv2.warpAffine(
            self.faces[index], matrix, (INPUT, INPUT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        if rng.random() < 0.5:  # beyond the picture there is a wall, not stretched skin
            inside = cv2.warpAffine(np.full_like(self.faces[index], 255), matrix, (INPUT, INPUT))
            crop = np.where(inside > 127, crop, self.patch())
        return crop, points

    def patch(self) -> Picture:
        """Some square of a scene."""
        scene = self.scenes[self.rng.integers(len(self.scenes))]
        side = int(self.rng.integers(20, min(scene.shape) - 1))
        y, x = (int(self.rng.integers(0, length - side)) for length in scene.shape)
        part = cv2.resize(scene[y : y + side, x : x + side], (INPUT, INPUT), interpolation=cv2.INTER_AREA)
        return np.asarray(part, np.uint8)

    def nothing(self) -> Picture:
        """A crop without a face: mistaken by a cascade, anywhere in a scene, or a face missed by half its width."""
        rng, kind = self.rng, self.rng.random()
        if kind < 0.6:
            index, box = self.mistakes[rng.integers(len(self.mistakes))]
            crop = cut(self.scenes[index], box + rng.normal(0, 0.05, 4) * (box[2] - box[0]))
            return crop[:, ::-1].copy() if rng.random() < 0.5 else crop
        if kind < 0.7:
            return self.patch()
        index = int(rng.integers(len(self.faces)))
        spread = self.spreads[index]
        width = spread * np.exp(rng.uniform(np.log(1), np.log(12)))
        away = rng.uniform(0.45, 1) * max(width, 4 * spread) if 2.3 < width / spread < 7.5 else 0
        angle = rng.uniform(0, 2 * np.pi)
        middle = self.centres[index] + away * np.array([np.cos(angle), np.sin(angle)])
        return cut(self.faces[index], np.concatenate([middle - width / 2, middle + width / 2]))

    def spoiled(self, crop: Picture) -> Picture:
        """Light, low resolution, blur and noise."""
        rng = self.rng
        if rng.random() < 0.5:
            low = int(rng.integers(18, 44))
            crop = cv2.resize(cv2.resize(crop, (low, low), interpolation=cv2.INTER_AREA), (INPUT, INPUT))
        if rng.random() < 0.25:
            crop = cv2.GaussianBlur(crop, (0, 0), rng.uniform(0.5, 1.5))
        levels = (np.arange(256) / 255) ** np.exp(rng.normal(0, 0.4))
        levels = (levels - 0.5) * rng.uniform(0.4, 1.3) + 0.5 + rng.uniform(-0.15, 0.15)
        crop = cv2.LUT(crop, np.clip(levels * 255, 0, 255).astype(np.uint8))
        if rng.random() < 0.3:
            noisy = crop + rng.standard_normal(crop.shape, dtype=np.float32) * rng.uniform(1, 10)
            crop = np.clip(noisy, 0, 255).astype(np.uint8)
        return crop


def cut(picture: Picture, square: NDArray[np.floating]) -> Picture:
    """The square x0, y0, x1, y1 of a picture as the network's input."""
    scale = INPUT / max(float(square[2] - square[0]), 1.0)
    matrix = np.array([[scale, 0, -scale * square[0]], [0, scale, -scale * square[1]]], np.float32)
    return np.asarray(cv2.warpAffine(picture, matrix, (INPUT, INPUT), borderMode=cv2.BORDER_REPLICATE), np.uint8)
