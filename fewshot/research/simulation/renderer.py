"""Draw a planned virtual classroom, frame by frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from fewshot.research.datasets.subjects import Picture
from fewshot.research.simulation.tiles import Camera, Motion, away, decorate, place
from fewshot.research.simulation.truth import Box, Segment, Truth
from fewshot.research.simulation.virtual_classroom import GalleryPlan
from fewshot.types import Frame

BACKGROUND = (22, 22, 22)


def draw_classroom(
    plan: GalleryPlan, load: Callable[[Picture], Frame], locate: Callable[[Frame], Box]
) -> Iterator[tuple[Frame, list[Box | None]]]:
    """Draw the video.

    Args:
        plan: from ``plan_classroom``.
        load: reads a picture, BGR.
        locate: box of the face in an original picture.

    Yields:
        The frame, and for every seat the box of its face in pixels of the frame, or None.
    """
    settings = plan.settings
    stage = [_Performer(plan, number, load, locate) for number in range(len(plan.seats))]
    speaker = np.random.default_rng([settings.seed, 1 << 20])
    speaking = 0
    for index in range(settings.frames):
        if index % max(1, round(3 * settings.fps)) == 0:
            speaking = int(speaker.integers(len(stage)))
        frame: Frame = np.full((settings.height, settings.width, 3), BACKGROUND, np.uint8)
        boxes: list[Box | None] = []
        taken = {performer.seat.tile for performer in stage if performer.segment(index)}
        for number, performer in enumerate(stage):
            x0, y0, x1, y1 = performer.seat.tile
            tile, box = performer.perform(index)
            # Two people may use one tile, one after the other: an absent one does not cover the other.
            if box is not None or performer.seat.tile not in taken:
                decorate(tile, number == speaking)
                frame[y0:y1, x0:x1] = tile
            boxes.append(box)
        yield frame, boxes


def with_faces(plan: GalleryPlan, boxes: Sequence[Sequence[Box | None]]) -> Truth:
    """The truth, once every frame's boxes (one list a frame, one box a seat) are known."""
    settings = plan.settings
    seats = tuple(replace(seat, faces=tuple(row[number] for row in boxes)) for number, seat in enumerate(plan.seats))
    return Truth(settings.width, settings.height, settings.fps, settings.frames, seats)


class _Performer:
    """One tile while it is drawn: its camera, its motion and the pictures it has in hand."""

    def __init__(
        self, plan: GalleryPlan, number: int, load: Callable[[Picture], Frame], locate: Callable[[Frame], Box]
    ) -> None:
        self.seat, self.settings = plan.seats[number], plan.settings
        # Whoever comes back on another tile brings their camera and their distance to it along.
        own = [seat for seat in plan.seats if seat.student == self.seat.student]
        self.random = np.random.default_rng([plan.settings.seed, plan.seats.index(own[0]), 1])
        self.camera, self.motion = Camera.draw(self.random), Motion.draw(self.random)
        paths = {segment.picture for seat in own for segment in seat.segments}
        self.pictures = {path: load(plan.pictures[path]) for path in sorted(paths)}
        self.faces = {path: locate(picture) for path, picture in self.pictures.items()}
        x0, y0, x1, y1 = self.seat.tile
        self.size = (x1 - x0, y1 - y0)
        # One scale for all pictures of a person: the distance to the camera does not change with the emotion.
        height = float(np.median([box[3] - box[1] for box in self.faces.values()] or [1.0]))
        self.scale = self.random.uniform(*self.settings.face) * self.size[1] / height
        # Between two pictures the person has moved a little.
        self.postures = {segment: self.random.normal(0, 0.012, 2) for segment in self.seat.segments}

    def segment(self, index: int) -> Segment | None:
        """What is shown in a frame; None while the person is away."""
        return next((part for part in self.seat.segments if part.start <= index < part.stop), None)

    def perform(self, index: int) -> tuple[Frame, Box | None]:
        """The tile of one frame and the face's box in pixels of the frame."""
        segment = self.segment(index)
        if segment is None:
            return away(self.size), None
        pose = self.motion.at(index / self.settings.fps)
        light = 1 + float(pose[4])
        before, share = self.fading(segment, index)
        pose[:2] += share * self.postures[segment] + (1 - share) * self.postures[before]
        tile, box = self.placed(segment, pose)
        if share < 1:
            tile = cv2.addWeighted(tile, share, self.placed(before, pose)[0], 1 - share, 0).astype(np.uint8, copy=False)
        x, y = self.seat.tile[:2]
        moved = (round(box[0] + x, 1), round(box[1] + y, 1), round(box[2] + x, 1), round(box[3] + y, 1))
        return self.camera.shoot(tile, light, self.random), moved

    def placed(self, segment: Segment, pose: NDArray[np.float64]) -> tuple[Frame, Box]:
        """The picture of a segment in the tile, and the face's box in it."""
        return place(self.pictures[segment.picture], self.faces[segment.picture], self.size, self.scale, pose)

    def fading(self, segment: Segment, index: int) -> tuple[Segment, float]:
        """The segment that this one comes out of, and how much of this one is there already, above 0 to 1."""
        frames = self.settings.fade * self.settings.fps
        share = min(1.0, (index - segment.start + 1) / frames) if frames >= 1 else 1.0
        before = next((part for part in self.seat.segments if part.stop == segment.start), None)
        return (before, share) if before is not None and share < 1 else (segment, 1.0)
