"""Faults of what the camera shows: frames of another size, tiles that change places, nobody, a crowd."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np

from fewshot.live.pipeline import Pipeline
from fewshot.live.sources import open_source
from fewshot.research.bench.faults.checks import FPS, Check, Stage, known_again, results_of, rightly_named, shifted
from fewshot.research.bench.machine import resident_mb
from fewshot.research.datasets.subjects import by_student, read_subjects
from fewshot.research.simulation.dataset_writer import SCRFD_FILE, picture_loader, scrfd_locator
from fewshot.research.simulation.faulty_sources import Scripted
from fewshot.research.simulation.scenes import CLASS, DATASET, SCENES, gallery_at
from fewshot.session.analysis.words import percent
from fewshot.types import Frame


def size(stage: Stage) -> Iterator[Check]:
    """In the middle the frames become smaller, and then upright."""
    fault = "frames change their size"
    frames = stage.frames(75)
    small = [cv2.resize(frame, (1280, 720), interpolation=cv2.INTER_AREA) for frame in frames[25:50]]
    tall = [cv2.copyMakeBorder(frame, 600, 600, 0, 0, cv2.BORDER_CONSTANT) for frame in frames[50:]]
    shown = [*frames[:25], *small, *tall]
    source = Scripted([(index / FPS, np.asarray(frame, np.uint8)) for index, frame in enumerate(shown)])
    pipeline = Pipeline(stage.room.loop(), source)
    results = [step.result for step in pipeline.run()]
    yield Check(fault, "every frame has a result", f"{len(results)} of {len(shown)}", len(results) == len(shown))
    sizes = [(result.width, result.height) for result in results]
    told = [(frame.shape[1], frame.shape[0]) for frame in shown]
    yield Check(fault, "with its own size", ", ".join(f"{w}x{h}" for w, h in dict.fromkeys(sizes)), sizes == told)
    inside = all(
        0 <= one.box[0] < one.box[2] <= result.width and 0 <= one.box[1] < one.box[3] <= result.height
        for result in results
        for one in result.readings
    )
    yield Check(fault, "boxes lie in the frame", "they do" if inside else "some do not", inside)
    yield known_again(f"{fault}: smaller", results[25:50])
    raised = shifted(stage.truth, 50, 75, [(0, 600)] * len(stage.truth.seats))
    yield from rightly_named(f"{fault}: upright", raised, results, 50)
    yield Check(fault, "the user is told", "; ".join(pipeline.notes) or "nothing", bool(pipeline.notes))


def rearranged(stage: Stage) -> Iterator[Check]:
    """From one frame to the next all tiles change places, as a gallery does when somebody leaves."""
    fault = "the gallery is rearranged"
    tiles = [seat.tile for seat in stage.truth.seats]
    order = [(number + 1) % len(tiles) for number in range(len(tiles))]
    frames = stage.frames(125)
    for index, frame in enumerate(frames[25:], 25):
        canvas = frame.copy()
        for (x0, y0, x1, y1), place in zip(tiles, order, strict=True):
            left, top, right, bottom = tiles[place]
            canvas[top:bottom, left:right] = frame[y0:y1, x0:x1]
        frames[index] = canvas
    shifts = [(tiles[place][0] - tile[0], tiles[place][1] - tile[1]) for tile, place in zip(tiles, order, strict=True)]
    results = results_of(stage.room.loop(), Scripted((index / FPS, frame) for index, frame in enumerate(frames)))
    yield from rightly_named(fault, shifted(stage.truth, 25, len(frames), shifts), results, 25)


def empty(stage: Stage) -> Iterator[Check]:
    """Nobody is in view for ten minutes (of the source's time), and then the class is back."""
    fault = "no face for 10 minutes"
    frames = stage.frames(75)
    nobody: Frame = np.full_like(frames[0], 40)

    def captured() -> Iterator[tuple[float, Frame]]:
        for index, frame in enumerate(frames[:25]):
            yield index / FPS, frame
        for second in range(600):
            yield 1 + second, nobody
        for index, frame in enumerate(frames[25:]):
            yield 601 + index / FPS, frame

    loop = stage.room.loop()
    results, memory = [], []
    for step in Pipeline(loop, Scripted(captured())).run():
        results.append(step.result)
        memory.append(resident_mb())
    void = results[25:625]
    found = sum(len(result.readings) for result in void)
    yield Check(
        fault, "no face is found, every frame has a result", f"{found} in {len(void)}", found == 0 and len(void) == 600
    )
    grown = memory[624] - memory[30]
    yield Check(fault, "memory stands still", f"{grown:+.1f} MB", grown < 10)
    yield known_again(fault, results[625:])
    before = {one.track for result in results[:25] for one in result.readings}
    after = {one.track for result in results[625:] for one in result.readings}
    yield Check(fault, "track numbers are not used again", f"{len(before & after)} are", not before & after)


def crowd(stage: Stage) -> Iterator[Check]:
    """120 people in one frame: more than the class, more than any gallery shows."""
    fault = "120 faces in a frame"
    settings = replace(SCENES[CLASS], columns=12, rows=10, seconds=2.0)
    root, locate = stage.shared / "data", scrfd_locator(stage.shared / SCRFD_FILE)
    people = by_student(read_subjects(root / "subjects.csv", [DATASET], emotions=()))
    takes = [next(iter(emotions.values()))[0] for emotions in people.values()][:120]
    portraits = [(picture, locate(picture)) for picture in map(picture_loader(root), takes)]
    video = gallery_at(stage.work / "crowd_120", settings, portraits)
    start = time.perf_counter()
    results = [step.result for step in Pipeline(stage.room.loop(), open_source(video)).run()]
    elapsed = time.perf_counter() - start
    found = float(np.median([len(result.readings) for result in results]))
    yield Check(
        fault, "95 % of them are found", f"{found:.0f}, at {len(results) / elapsed:.1f} frames a second", found >= 114
    )
    class_size = len(stage.room.students)
    doubles = sum(
        len(names) - len(set(names))
        for names in ([one.student for one in result.readings if one.student] for result in results)
    )
    yield Check(fault, f"a name of the {class_size} stands on one face at a time", f"{doubles} twice", doubles == 0)
    readable = [one for result in results[1:] for one in result.readings if one.probabilities]
    old = max((one.age for one in readable), default=0.0)
    share = len(readable) / max(1, sum(len(result.readings) for result in results[1:]))
    yield Check(
        fault, "all readable ones are read in the very frame", f"oldest {old:.2f} s, {percent(share)} read", old == 0
    )
    whole = len(results) == settings.frames
    yield Check(fault, "every frame has a result", f"{len(results)} of {settings.frames}", whole)
