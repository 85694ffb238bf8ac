"""What is true in a virtual classroom: who sits where, which picture is shown when, and where the face is."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 in pixels of the video."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of frames (``stop`` is the first one after it) in which one picture is shown."""

    start: int
    stop: int
    emotion: str
    picture: str


@dataclass(frozen=True, slots=True)
class Seat:
    """One tile of the gallery.

    Attributes:
        tile: where the tile lies in the frame.
        student: key of the person in it.
        enrolled: False for a stranger.
        segments: in time; a gap between two means that the person is away.
        faces: box of the face in every frame, None while the person is away.
    """

    tile: tuple[int, int, int, int]
    student: str
    enrolled: bool
    segments: tuple[Segment, ...]
    faces: tuple[Box | None, ...] = ()


@dataclass(frozen=True, slots=True)
class TrueFace:
    """One face in one frame, as it is."""

    seat: int
    student: str
    enrolled: bool
    emotion: str
    box: Box


@dataclass(frozen=True, slots=True)
class Truth:
    """Everything that is known about one video."""

    width: int
    height: int
    fps: float
    frames: int
    seats: tuple[Seat, ...]

    def at(self, frame: int) -> list[TrueFace]:
        """The faces of one frame, in the order of the seats."""
        found = []
        for number, seat in enumerate(self.seats):
            box = seat.faces[frame]
            if box is None:
                continue
            segment = next(part for part in seat.segments if part.start <= frame < part.stop)
            found.append(TrueFace(number, seat.student, seat.enrolled, segment.emotion, box))
        return found

    def save(self, path: Path) -> None:
        """Write compact JSON; boxes are rounded to a tenth of a pixel by whoever made them."""
        path.write_text(json.dumps({"version": 1, **asdict(self)}, separators=(",", ":")), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Truth:
        """Read what ``save`` wrote."""
        raw = json.loads(path.read_text(encoding="utf-8"))
        seats = tuple(
            Seat(
                tile=tuple(seat["tile"]),
                student=seat["student"],
                enrolled=seat["enrolled"],
                segments=tuple(Segment(**part) for part in seat["segments"]),
                faces=tuple(None if box is None else tuple(box) for box in seat["faces"]),
            )
            for seat in raw["seats"]
        )
        return cls(raw["width"], raw["height"], raw["fps"], raw["frames"], seats)
