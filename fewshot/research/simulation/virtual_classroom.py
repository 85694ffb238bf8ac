"""A lesson on video whose truth is known: a gallery of tiles, in each one person whose picture changes over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from fewshot.errors import UsageError
from fewshot.research.datasets.subjects import Picture, by_student, students_with_most_emotions
from fewshot.research.simulation.truth import Seat, Segment

Photos = dict[str, dict[str, list[Picture]]]
"""student -> emotion -> enrollment photos."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How the gallery looks and what happens in it.

    Attributes:
        columns, rows: of the grid; every tile is taken.
        width, height: of the frame, pixels.
        seconds, fps: length and rate of the video.
        strangers: so many of the tiles hold people who are not enrolled.
        leaving: so many of the students switch their camera off for a while.
        elsewhere: they come back on the tile of another one of those who left.
        hold: shortest and longest time that one picture is shown, seconds.
        modes: sets of enrollment photos to make: "neutral" (one neutral photo) or a number of photos an emotion.
        face: height of the face as a share of the tile's height, smallest and largest.
        fade: seconds in which one picture turns into the next; 0 changes it from one frame to the next.
        seed: everything random follows from it.
    """

    columns: int = 7
    rows: int = 7
    width: int = 1920
    height: int = 1080
    seconds: float = 20.0
    fps: float = 12.0
    strangers: int = 0
    leaving: int = 0
    elsewhere: bool = False
    hold: tuple[float, float] = (3.0, 6.0)
    modes: tuple[str, ...] = ("neutral",)
    face: tuple[float, float] = (0.45, 0.58)
    fade: float = 0.0
    seed: int = 0

    @property
    def frames(self) -> int:
        """Frames of the video."""
        return round(self.seconds * self.fps)


@dataclass(frozen=True, slots=True)
class GalleryPlan:
    """Who sits where and is shown when, before a single pixel is drawn.

    Attributes:
        seats: without face boxes, which only the drawing knows.
        pictures: path -> picture, for everything the segments show.
        photos: mode -> enrollment photos; none of them is ever shown.
    """

    settings: Settings
    seats: tuple[Seat, ...]
    pictures: dict[str, Picture] = field(default_factory=dict)
    photos: dict[str, Photos] = field(default_factory=dict)


def plan_classroom(pictures: Sequence[Picture], settings: Settings) -> GalleryPlan:
    """Choose the people, set their enrollment photos aside, and write the timetable of every tile.

    Raises:
        UsageError: too few people in ``pictures``, or an unknown mode.
    """
    tiles = tile_boxes(settings)
    chosen = students_with_most_emotions(pictures, len(tiles))
    grouped = by_student(pictures)
    random = np.random.default_rng(settings.seed)
    chosen = [chosen[index] for index in random.permutation(len(chosen))]
    drawn = random.choice(len(chosen), settings.strangers, replace=False)  # nosec B311: draws a scene
    strangers = {chosen[index] for index in drawn}
    enrolled = [student for student in chosen if student not in strangers]
    leaving = set(enrolled[: settings.leaving])
    photos: dict[str, Photos] = {mode: {} for mode in settings.modes}
    seats: list[Seat] = []
    shown_pictures: dict[str, Picture] = {}
    for number, (tile, student) in enumerate(zip(tiles, chosen, strict=True)):
        draw = np.random.default_rng([settings.seed, number])
        takes = {emotion: [all_[i] for i in draw.permutation(len(all_))] for emotion, all_ in grouped[student].items()}
        kept, shown = set_aside(takes, settings.modes)
        if student not in strangers:
            for mode in settings.modes:
                photos[mode][student] = kept[mode]
        segments = timetable(shown, settings, draw, leaves=student in leaving)
        shown_pictures |= {picture.path: picture for takes_ in shown.values() for picture in takes_}
        seats.append(Seat(tile, student, student not in strangers, segments))
    if settings.elsewhere:
        seats = moved(seats)
    return GalleryPlan(settings, tuple(seats), shown_pictures, photos)


def moved(seats: Sequence[Seat]) -> list[Seat]:
    """Whoever leaves comes back on the tile that the next one who left had: one seat more for each of them."""
    parts = [(seat, _parts(seat.segments)) for seat in seats]
    leavers = [seat for seat, (_, after) in parts if after]
    tiles = {seat.student: other.tile for seat, other in zip(leavers, leavers[1:] + leavers[:1], strict=True)}
    before = [replace(seat, segments=first) for seat, (first, _) in parts]
    return before + [replace(seat, tile=tiles[seat.student], segments=after) for seat, (_, after) in parts if after]


def _parts(segments: Sequence[Segment]) -> tuple[tuple[Segment, ...], tuple[Segment, ...]]:
    """Segments before and after the gap; all of them, and none, where there is no gap."""
    for index in range(1, len(segments)):
        if segments[index].start > segments[index - 1].stop:
            return tuple(segments[:index]), tuple(segments[index:])
    return tuple(segments), ()


def tile_boxes(settings: Settings) -> list[tuple[int, int, int, int]]:
    """The grid, row by row, with a gap between the tiles; even sizes, because video codecs halve the colours."""
    gap = max(4, settings.width // 320)
    width = (settings.width - gap * (settings.columns + 1)) // settings.columns
    height = (settings.height - gap * (settings.rows + 1)) // settings.rows
    # Webcams send 16:9; a wider or higher cell stays dark at its edge.
    width, height = min(width, height * 16 // 9), min(height, width * 9 // 16)
    left = (settings.width - settings.columns * width - (settings.columns - 1) * gap) // 2
    top = (settings.height - settings.rows * height - (settings.rows - 1) * gap) // 2
    corners = [
        (left + column * (width + gap), top + row * (height + gap))
        for row in range(settings.rows)
        for column in range(settings.columns)
    ]
    return [(x, y, x + width, y + height) for x, y in corners]


def set_aside(
    takes: Mapping[str, Sequence[Picture]], modes: Sequence[str]
) -> tuple[dict[str, dict[str, list[Picture]]], dict[str, list[Picture]]]:
    """Split the pictures of one student into enrollment photos for every mode and pictures to be shown.

    Of every emotion at least one picture is left to be shown, except that the neutral photo of the mode "neutral" is
    taken even where it is the only one. All modes take from the same pile, so one video serves them all.

    Returns:
        mode -> emotion -> photos, and emotion -> pictures to show.
    """
    kept: dict[str, dict[str, list[Picture]]] = {}
    reserved = dict.fromkeys(takes, 0)
    for mode in modes:
        if mode != "neutral" and not mode.isdecimal():
            raise UsageError(f"Unknown enrollment photos {mode!r}. Use neutral, or a number of photos an emotion.")
        kept[mode] = {}
        for emotion, pile in takes.items():
            count = int(emotion == "neutral") if mode == "neutral" else min(int(mode), len(pile) - 1)
            if count > 0:
                kept[mode][emotion] = list(pile[:count])
                reserved[emotion] = max(reserved[emotion], count)
    shown = {emotion: list(pile[reserved[emotion] :]) for emotion, pile in takes.items()}
    return kept, {emotion: pile for emotion, pile in shown.items() if pile}


def timetable(
    shown: Mapping[str, Sequence[Picture]], settings: Settings, random: np.random.Generator, *, leaves: bool
) -> tuple[Segment, ...]:
    """Segments that fill the video; two in a row never show the same emotion if there is a choice.

    A student who leaves is away for one hold time around the middle of the video; if they come back elsewhere, all
    of them are away in the very middle, when they change places.
    """
    shortest, longest = (max(1, round(seconds * settings.fps)) for seconds in settings.hold)
    segments: list[Segment] = []
    # The first change comes at any time, so that the tiles do not change together.
    frame, stop = 0, int(random.integers(shortest // 2, longest + 1))
    queue: list[str] = []
    emotion = ""
    gone = range(0)
    if leaves:
        start = settings.frames // 2 + int(random.integers(-longest, longest + 1)) // 2
        away = int(random.integers(shortest, longest + 1))
        if settings.elsewhere:
            start = max(1, settings.frames // 2 - int(random.integers(away)))
        gone = range(start, start + away)
    while frame < settings.frames:
        if frame in gone:
            frame = gone.stop
        else:
            if not [word for word in queue if word != emotion]:
                words = sorted(shown)
                queue += [words[index] for index in random.permutation(len(words))]
            emotion = next((word for word in queue if word != emotion), queue[0])
            queue.remove(emotion)
            end = min(stop, settings.frames, gone.start if frame < gone.start else settings.frames)
            picture = shown[emotion][int(random.integers(len(shown[emotion])))]
            segments.append(Segment(frame, end, emotion, picture.path))
            frame = end
        stop = frame + int(random.integers(shortest, longest + 1))
    return tuple(segments)
