"""Record the sample lesson of the app: the real loop on a virtual classroom of 49, readings only.

    python experiments/record_sample_lesson.py                   # about ten minutes on two idle cores
    python experiments/record_sample_lesson.py --minutes 1 --out outputs/try.npz

Each tile holds a person of CFEE whose picture changes as a lesson goes: a quiet start, an explanation, a hard exercise,
its solution. Everybody is enrolled with one neutral photo, seen through another camera than in the lesson. What is
kept are the readings, three every two seconds, under invented names: no picture and no vector leaves this script.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rich.progress import track

from fewshot.app.recording import SAMPLE, RecordingWriter
from fewshot.data.stage import draw_classroom
from fewshot.data.studio import SCRFD_FILE, picture_loader, scrfd_locator
from fewshot.data.subjects import Picture, by_student, read_subjects
from fewshot.data.truth import Segment
from fewshot.data.virtual_classroom import Plan, Settings, plan_classroom
from fewshot.live.sources.base import Shot
from fewshot.room import Classroom
from fewshot.types import EMOTIONS

FPS = 1.5
"""Frames a second that the loop sees, and results that are kept."""
SAVE = 90
"""Frames after which the recording is written, as far as it goes."""

_INVENTED = (
    "Amara Anton Asha Ben Bilal Bruno Carla Chidi Clara Dana Deniz Diego Elif Emil Esra Farid Femke Finn Greta Hana "
    "Hugo Ines Ivo Jana Jonas Kaan Kira Lars Leila Lina Luca Maja Malik Mara Mei Milan Nadia Nils Noor Olga Oskar "
    "Priya Rafael Rosa Samir Sofia Tariq Vera Yuki"
)
NAMES = _INVENTED.split()

Weights = Mapping[str, float]
CALM: Weights = {"neutral": 8, "happy": 1.0, "surprise": 0.3, "sad": 0.4}
STORY: tuple[tuple[float, str, Weights], ...] = (
    (0.00, "Welcome", {"neutral": 5, "happy": 4, "surprise": 0.5}),
    (0.10, "Fractions: what they are", CALM),
    (0.45, "Exercise 2", {"neutral": 3.0, "sad": 3.2, "angry": 1.4, "fear": 0.6}),
    (0.68, "Solution on the board", {"neutral": 3, "surprise": 3, "happy": 2.5, "sad": 0.4}),
    (0.83, "Homework", {**CALM, "sad": 0.7, "happy": 1.6}),
)
"""From which share of the lesson on what is shown how often, and the marker the teacher set there."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path("../shared"), help="folder with data/ and models/")
    parser.add_argument("--minutes", type=float, default=11.0)
    parser.add_argument("--out", type=Path, default=Path("fewshot/app") / SAMPLE)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    os.environ.setdefault("FEWSHOT_SHARED", str(arguments.shared))
    plan = told(plan_of(arguments.shared, arguments.minutes, arguments.seed), arguments.shared, arguments.seed)
    names = dict(zip((seat.student for seat in plan.seats), NAMES, strict=True))
    root = arguments.shared / "data"
    with tempfile.TemporaryDirectory() as home:
        os.environ["FEWSHOT_HOME"] = home
        room = Classroom.open("sample")
        write_photos(plan, root, Path(home) / "photos", names)
        room.enroll_folder(Path(home) / "photos", consent_by="the terms of the dataset")
        loop, writer = room.loop(), RecordingWriter(NAMES, EMOTIONS)
        about = about_of(plan, room.perception.network)
        drawn = draw_classroom(plan, picture_loader(root), scrfd_locator(arguments.shared / SCRFD_FILE))
        for index, (frame, _) in enumerate(track(drawn, "recording", plan.settings.frames)):
            writer.add(loop.step(Shot("virtual classroom", index, index / FPS, frame)).result)
            if index % SAVE == SAVE - 1:
                writer.finish(about).save(arguments.out)  # whatever happens, what was seen so far is there
    recording = writer.finish(about)
    recording.save(arguments.out)
    print(f"{arguments.out}: {len(recording)} steps, {arguments.out.stat().st_size / 1000:.0f} kB")


def about_of(plan: Plan, network: str) -> dict[str, Any]:
    """Where the recording comes from."""
    settings = plan.settings
    return {
        "title": "Sample lesson: fractions",
        "source": "virtual classroom of 49 people (CFEE photographs)",
        "network": network,
        "width": settings.width,
        "height": settings.height,
        "markers": [[round(share * settings.seconds, 1), text] for share, text, _ in STORY],
    }


def plan_of(shared: Path, minutes: float, seed: int) -> Plan:
    """Who sits where."""
    pictures = read_subjects(shared / "data" / "subjects.csv", ["cfee"])
    return plan_classroom(pictures, Settings(seconds=60 * minutes, fps=FPS, seed=seed, modes=("neutral",)))


def told(plan: Plan, shared: Path, seed: int) -> Plan:
    """The same people with a lesson's timetable in place of the random one; some leave for a while."""
    grouped = by_student(read_subjects(shared / "data" / "subjects.csv", ["cfee"]))
    pictures = {p.path: p for seat in plan.seats for takes in grouped[seat.student].values() for p in takes}
    seats = tuple(
        replace(
            seat, segments=timetable(grouped[seat.student], plan.settings, np.random.default_rng([seed, number, 9]))
        )
        for number, seat in enumerate(plan.seats)
    )
    return replace(plan, seats=seats, pictures=pictures)


def timetable(
    shown: Mapping[str, Sequence[Picture]], settings: Settings, random: np.random.Generator
) -> tuple[Segment, ...]:
    """What one person shows: each expression for some seconds, neutral longer, after the weights of the story.

    Everybody has a temperament: how strongly the story reaches them.
    """
    segments: list[Segment] = []
    reached = random.uniform(0.25, 1.3)
    leaves = random.uniform(0.2, 0.9) * settings.frames if random.random() < 0.14 else None
    frame = 0
    while frame < settings.frames:
        if leaves is not None and frame >= leaves:
            frame, leaves = frame + int(random.uniform(25, 80) * settings.fps), None
            continue
        weights = next(w for share, _, w in reversed(STORY) if frame >= share * settings.frames)
        words = [word for word in weights if word in shown]
        odds = np.array([weights[word] * (1.0 if word == "neutral" else reached) for word in words])
        emotion = words[int(random.choice(len(words), p=odds / odds.sum()))]
        length = random.gamma(4, 6.0 if emotion == "neutral" else 2.2)
        stop = min(settings.frames, frame + max(6, round(length * settings.fps)))
        picture = shown[emotion][int(random.integers(len(shown[emotion])))]
        segments.append(Segment(frame, stop, emotion, picture.path))
        frame = stop
    return tuple(segments)


def write_photos(plan: Plan, root: Path, folder: Path, names: Mapping[str, str]) -> None:
    """One neutral photo each, mirrored, and in another light than the lesson's."""
    load = picture_loader(root)
    for student, photos in plan.photos["neutral"].items():
        target = folder / names[student] / "neutral"
        target.mkdir(parents=True)
        for picture in photos["neutral"]:
            levels = (255 * (np.arange(256) / 255) ** 0.85).astype(np.uint8)
            cv2.imwrite(str(target / f"{Path(picture.path).stem}.png"), cv2.flip(cv2.LUT(load(picture), levels), 1))


if __name__ == "__main__":
    main()
