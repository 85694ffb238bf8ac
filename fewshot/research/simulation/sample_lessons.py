"""The sample lessons of the app as the virtual classroom shows them: who sits there, and what a lesson does to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np

from fewshot.app.recording import EARLIER, SAMPLE
from fewshot.research.datasets.subjects import Picture, by_student, read_subjects
from fewshot.research.simulation.dataset_writer import picture_loader
from fewshot.research.simulation.truth import Segment
from fewshot.research.simulation.virtual_classroom import GalleryPlan, Settings, plan_classroom

_INVENTED = (
    "Amara Anton Asha Ben Bilal Bruno Carla Chidi Clara Dana Deniz Diego Elif Emil Esra Farid Femke Finn Greta Hana "
    "Hugo Ines Ivo Jana Jonas Kaan Kira Lars Leila Lina Luca Maja Malik Mara Mei Milan Nadia Nils Noor Olga Oskar "
    "Priya Rafael Rosa Samir Sofia Tariq Vera Yuki"
)
NAMES = _INVENTED.split()

Weights = Mapping[str, float]
Story = tuple[tuple[float, str, Weights], ...]
"""From which share of the lesson on what is shown how often, and the marker the teacher set there."""

WELCOME: Weights = {"neutral": 5, "happy": 4, "surprise": 0.5}
CALM: Weights = {"neutral": 8, "happy": 1.0, "surprise": 0.3, "sad": 0.4}
EXERCISE: Weights = {"neutral": 3, "sad": 3, "angry": 0.8, "surprise": 0.5, "happy": 0.5}
HARD: Weights = {"neutral": 0.5, "sad": 7, "angry": 0.8, "fear": 0.5, "surprise": 0.5}
SOLVED: Weights = {"neutral": 3, "surprise": 3, "happy": 2.5, "sad": 0.4}
HOMEWORK: Weights = {**CALM, "sad": 0.7, "happy": 1.6}

UNLIKE: Mapping[str, Weights] = {"Lina": {"neutral": 1, "sad": 8}, "Farid": {"neutral": 1, "angry": 8, "sad": 0.5}}
"""Whose pictures in the lesson that is played are mostly of one expression, all along. Chosen among those whose
expression the network reads: of somebody else the lesson would show nothing."""


@dataclass(frozen=True)
class Told:
    """A lesson to be recorded; ``weeks`` before the one that is played, ``fps`` are frames a second the loop sees."""

    file: str
    title: str
    weeks: int
    minutes: float
    fps: float
    story: Story
    unlike: Mapping[str, Weights] = field(default_factory=dict)


LESSONS = (
    Told(
        SAMPLE, "Sample lesson: fractions", 0, 11, 1.0,
        ((0.0, "Welcome", WELCOME), (0.1, "Fractions: what they are", CALM), (0.5, "Exercise 2", HARD),
         (0.8, "Solution on the board", SOLVED), (0.92, "Homework", HOMEWORK)),
        UNLIKE,
    ),
    Told(
        EARLIER[0], "Sample lesson: decimals", 3, 5.5, 1.0,
        ((0.0, "Welcome", WELCOME), (0.12, "Decimals", CALM), (0.5, "Exercise 1", EXERCISE), (0.75, "Solution", SOLVED),
         (0.9, "Homework", HOMEWORK)),
    ),
    Told(
        EARLIER[1], "Sample lesson: area of a circle", 2, 5.5, 1.0,
        ((0.0, "Welcome", WELCOME), (0.1, "Pi", CALM), (0.6, "Exercise 1", EXERCISE), (0.8, "Solution", SOLVED)),
    ),
    Told(
        EARLIER[2], "Sample lesson: angles", 1, 5.5, 1.0,
        ((0.0, "Homework gone through", SOLVED), (0.15, "Angles in a triangle", CALM), (0.55, "Exercise 1", EXERCISE),
         (0.78, "Solution", SOLVED), (0.9, "Homework", HOMEWORK)),
    ),
)  # fmt: skip


def names_of(plan: GalleryPlan) -> dict[str, str]:
    """Person to invented name: the same in every lesson, because who sits where depends on the seed alone."""
    return dict(zip((seat.student for seat in plan.seats), NAMES, strict=True))


def plan_of(shared: Path, lesson: Told, share: float, seed: int) -> GalleryPlan:
    """Who sits where.

    Args:
        shared: the folder with data/.
        share: of the lesson's length.
    """
    pictures = read_subjects(shared / "data" / "subjects.csv", ["cfee"])
    settings = Settings(seconds=60 * lesson.minutes * share, fps=lesson.fps, seed=seed, modes=("neutral",))
    return plan_classroom(pictures, settings)


def told(plan: GalleryPlan, shared: Path, lesson: Told) -> GalleryPlan:
    """The same people with a lesson's timetable in place of the random one; some leave for a while.

    How strongly the lesson reaches somebody is theirs in every lesson; all else is drawn anew, cameras and light too.
    """
    grouped = by_student(read_subjects(shared / "data" / "subjects.csv", ["cfee"]))
    pictures = {p.path: p for seat in plan.seats for takes in grouped[seat.student].values() for p in takes}
    names, seed = names_of(plan), plan.settings.seed
    seats = []
    for number, seat in enumerate(plan.seats):
        reached = float(np.random.default_rng([seed, number, 9]).uniform(0.25, 1.3))
        own = lesson.unlike.get(names[seat.student])
        story = lesson.story if own is None else ((0.0, "", own),)
        random = np.random.default_rng([seed, number, 10 + lesson.weeks])
        segments = timetable(grouped[seat.student], plan.settings, story, reached if own is None else 1.0, random)
        seats.append(replace(seat, segments=segments))
    settings = replace(plan.settings, seed=seed + 100 * lesson.weeks)
    return replace(plan, settings=settings, seats=tuple(seats), pictures=pictures)


def timetable(
    shown: Mapping[str, Sequence[Picture]],
    settings: Settings,
    story: Story,
    reached: float,
    random: np.random.Generator,
) -> tuple[Segment, ...]:
    """What one person shows: each expression for some seconds, neutral longer, after the weights of the story.

    Args:
        reached: how strongly the story reaches them.
    """
    segments: list[Segment] = []
    leaves = random.uniform(0.2, 0.9) * settings.frames if random.random() < 0.14 else None  # nosec B311: draws a scene
    frame = 0
    while frame < settings.frames:
        if leaves is not None and frame >= leaves:
            frame, leaves = frame + int(random.uniform(15, 50) * settings.fps), None  # nosec B311: draws a scene
            continue
        weights = next(w for share, _, w in reversed(story) if frame >= share * settings.frames)
        words = [word for word in weights if word in shown]
        odds = np.array([weights[word] * (1.0 if word == "neutral" else reached) for word in words])
        emotion = words[int(random.choice(len(words), p=odds / odds.sum()))]  # nosec B311: draws a scene
        length = random.gamma(4, 6.0 if emotion == "neutral" else 2.2)
        stop = min(settings.frames, frame + max(3, round(length * settings.fps)))
        picture = shown[emotion][int(random.integers(len(shown[emotion])))]
        segments.append(Segment(frame, stop, emotion, picture.path))
        frame = stop
    return tuple(segments)


def write_photos(plan: GalleryPlan, root: Path, folder: Path, names: Mapping[str, str]) -> None:
    """One neutral photo each, mirrored, and in another light than the lesson's."""
    load = picture_loader(root)
    for student, photos in plan.photos["neutral"].items():
        target = folder / names[student] / "neutral"
        target.mkdir(parents=True)
        for picture in photos["neutral"]:
            levels = (255 * (np.arange(256) / 255) ** 0.85).astype(np.uint8)
            cv2.imwrite(str(target / f"{Path(picture.path).stem}.png"), cv2.flip(cv2.LUT(load(picture), levels), 1))
