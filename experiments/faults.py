"""Do to the live system what cameras, clocks, disks and classes do, and check that it goes on (2 minutes).

    python experiments/faults.py
    python experiments/faults.py --only cable clock

The real networks look at the virtual class of 49 (drawn first if it is not there, see benchmark.py); the camera, the
clock and the slow sinks are made up. Prints and writes faults.md: for every fault what was expected, what happened, and
whether that will do. Ends with 1 if something did not.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from unittest import mock

import cv2
import numpy as np

from fewshot.errors import FewshotError
from fewshot.live.loop import Loop, Step
from fewshot.live.pipeline import Pipeline
from fewshot.live.sinks.base import OutputError
from fewshot.live.sinks.jsonl import JsonLines
from fewshot.live.sources import Paced, open_lasting, open_source
from fewshot.research.bench import scoring
from fewshot.research.bench.live_bench import enroll_classes
from fewshot.research.bench.live_run import Stamped
from fewshot.research.bench.machine import as_list, describe, resident_mb
from fewshot.research.datasets.subjects import by_student, read_subjects
from fewshot.research.evaluation.tables import markdown
from fewshot.research.simulation.dataset_writer import SCRFD_FILE, picture_loader, scrfd_locator
from fewshot.research.simulation.faulty_sources import Cable, FrameLoop, Scripted, Slow, named
from fewshot.research.simulation.scenes import CLASS, DATASET, SCENES, gallery_at, scene_at
from fewshot.research.simulation.truth import Truth
from fewshot.room import Classroom
from fewshot.session.summary import Summary
from fewshot.types import Frame, FrameResult

HOUR = 3600.0
FPS = 25.0
ENOUGH = 47
"""Of 49 students that are to be named when everything is well."""
RETURN = 0.5
"""Seconds within which those who were lost from sight are to be named again."""


@dataclass(frozen=True, slots=True)
class Check:
    """One expectation: what it is, what was seen, and whether that is well."""

    fault: str
    expected: str
    seen: str
    good: bool

    def row(self) -> dict[str, str]:
        return {"fault": self.fault, "expected": self.expected, "seen": self.seen, "good": "yes" if self.good else "NO"}


@dataclass(frozen=True, slots=True)
class Stage:
    """What every fault is tried on."""

    video: Path
    truth: Truth
    room: Classroom
    shared: Path
    work: Path

    def frames(self, count: int, every: int = 1) -> list[Frame]:
        """Some of the class's first frames."""
        source = open_source(self.video)
        found = [
            captured.frame for index, captured in zip(range(count * every), source, strict=False) if index % every == 0
        ]
        source.close()
        return found


def results_of(loop: Loop, source: Scripted) -> list[FrameResult]:
    return [step.result for step in Pipeline(loop, source).run()]


def cable(stage: Stage) -> Iterator[Check]:
    """The camera is unplugged, and plugged in again some seconds later."""
    for throws in (False, True):
        fault = "camera unplugged, the driver " + ("raises" if throws else "gives no frame")
        wire = Cable(FrameLoop(str(stage.video)), pulled_after=75, tries=2, throws=throws)
        notes: list[str] = []
        states: set[str] = set()
        steps: list[Step] = []
        with mock.patch("fewshot.live.sources.cameras.open_camera", wire.open):
            source = open_lasting(0, on_note=notes.append)
            with Pipeline(stage.room.loop(), source) as pipeline:
                end = time.monotonic() + 12
                while time.monotonic() < end and pipeline.running:
                    states.add(pipeline.metrics.snapshot().state)
                    step = pipeline.latest()
                    if step is not None and (not steps or step.result.index > steps[-1].result.index):
                        steps.append(step)
                    time.sleep(0.01)
                ran = pipeline.running
        results = [step.result for step in steps]
        gaps = [(after.time - before.time, number + 1) for number, (before, after) in enumerate(pairwise(results))]
        longest, back = max(gaps, default=(0.0, 0))
        yield Check(fault, "the run goes on", "it does" if ran else f"ended: {source.lost}", ran)
        yield Check(fault, "it says so, twice", "; ".join(notes) or "nothing", len(notes) == 2)
        yield Check(fault, "its state is 'waiting' meanwhile", ", ".join(sorted(states)), "waiting" in states)
        orderly = all(after.index > before.index and after.time > before.time for before, after in pairwise(results))
        yield Check(fault, "frame numbers and times go on", f"a gap of {longest:.1f} s", orderly and longest > 1)
        yield known_again(fault, results[back:])
        yield Check(fault, "both devices are released", f"{wire.released} of 2", wire.released == 2)


def known_again(fault: str, results: list[FrameResult]) -> Check:
    """How long the class takes to be named in results that begin at its return."""
    expected = f"{ENOUGH} of 49 are named within {RETURN:g} s"
    start = results[0].time if results else 0.0
    for result, names in zip(results, named(results), strict=True):
        if len(names) >= ENOUGH:
            return Check(
                fault, expected, f"{len(names)} after {result.time - start:.2f} s", result.time - start <= RETURN
            )
    most = max((len(names) for names in named(results)), default=0)
    return Check(fault, expected, f"{most} at most", False)


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


def shifted(truth: Truth, start: int, stop: int, shifts: list[tuple[int, int]]) -> Truth:
    """The truth up to frame ``stop``, after seat k's face was moved by ``shifts[k]`` from frame ``start`` on."""
    seats = []
    for seat, (dx, dy) in zip(truth.seats, shifts, strict=True):
        later = [box and (box[0] + dx, box[1] + dy, box[2] + dx, box[3] + dy) for box in seat.faces[start:stop]]
        seats.append(replace(seat, faces=(*seat.faces[:start], *later)))
    return replace(truth, frames=stop, seats=tuple(seats))


def rightly_named(fault: str, truth: Truth, results: list[FrameResult], start: int) -> Iterator[Check]:
    """After frame ``start``: when the right names stand on the class, and how many wrong ones did until then."""
    right, wrong = Counter[int](), Counter[int]()
    for seen in scoring.compare(truth, results).observations:
        right[seen.frame] += scoring.has_right_name(seen)
        wrong[seen.frame] += scoring.has_wrong_name(seen)
    after = next((frame - start for frame in range(start, truth.frames) if right[frame] >= ENOUGH), None)
    found = f"{max(right[frame] for frame in range(start, truth.frames))} at most"
    if after is not None:
        found = f"after {after / FPS:.2f} s"
    yield Check(
        fault,
        f"{ENOUGH} of 49 have their own name within {RETURN:g} s",
        found,
        after is not None and after / FPS <= RETURN,
    )
    share = sum(wrong[frame] for frame in range(start, truth.frames)) / sum(
        len(truth.at(frame)) for frame in range(start, truth.frames)
    )
    yield Check(fault, "wrong names in 0.5 % of face-frames at most", f"{share:.1%}", share <= 0.005)


def slow(stage: Stage) -> Iterator[Check]:
    """Drawing takes 300 ms: what is shown stays fresh; what is recorded is complete; the camera never waits."""
    fault = "a viewer that needs 300 ms a frame"
    camera = Stamped(Paced(open_source(stage.video)))
    pipeline = Pipeline(stage.room.loop(), camera)
    late = []
    for step in pipeline.run():
        late.append(time.perf_counter() - camera.handed[step.result.index])
        time.sleep(0.3)
        if step.result.time > 6:
            break
    snap = pipeline.metrics.snapshot()
    # In the first frame a whole class is recognised, which takes longer and is no delay of the viewer's.
    worst = max(late[2:], default=float("inf"))
    yield Check(fault, "what is shown is at most 0.5 s old", f"{1000 * worst:.0f} ms at most", worst <= 0.5)
    rate = snap.captured / snap.seconds
    yield Check(fault, "the camera is read at its own rate", f"{rate:.1f} frames a second", rate > 0.9 * FPS)
    skipped = snap.dropped.get("show", 0)
    yield Check(fault, "results it did not see are counted", str(skipped), skipped > 0)

    fault = "a recorder that needs 300 ms a frame"
    recorder = Slow(0.3)
    with Pipeline(stage.room.loop(), Paced(open_source(stage.video)), [recorder]) as pipeline:
        time.sleep(6)
        snap = pipeline.metrics.snapshot()
    rate = snap.captured / snap.seconds
    yield Check(fault, "the camera is read at its own rate", f"{rate:.1f} frames a second", rate > 0.9 * FPS)
    processed = pipeline.metrics.processed()
    whole = len(recorder.indices) == processed and recorder.indices == sorted(set(recorder.indices))
    yield Check(fault, "every processed frame, in order", f"{len(recorder.indices)} of {processed}", whole)
    dropped = snap.dropped.get("find", 0)
    yield Check(fault, "dropped frames are counted", f"{dropped} of {snap.captured}", dropped > 0)
    waiting = max(snap.queues.values(), default=0)
    yield Check(fault, "few frames wait in memory", f"{waiting} at most", waiting <= 8)


def clock(stage: Stage) -> Iterator[Check]:
    """The clock of the source is set back and forward by an hour, and then goes mad."""
    frames = stage.frames(50)
    for fault, jump in (("the clock is set back by an hour", -HOUR), ("the clock is set forward by an hour", HOUR)):
        times = [index / FPS + HOUR + (jump if index >= 25 else 0.0) for index in range(50)]
        summary = Summary(stage.room.students)
        lines = stage.work / "clock.jsonl"
        writer = JsonLines(lines)
        loop = stage.room.loop()
        pipeline = Pipeline(loop, Scripted(zip(times, frames, strict=True)), [summary, writer])
        results = [step.result for step in pipeline.run()]
        writer.close()
        written = len(lines.read_text(encoding="utf-8").splitlines())
        lines.unlink()
        yield Check(fault, "every frame has a result and a line", f"{len(results)}, {written} of 50", written == 50)
        steady = [replace(result, time=index / FPS) for index, result in enumerate(results)]
        yield known_again(fault, steady[25:])
        yield Check(fault, "the summary stays sane", f"{summary.duration:.0f} s", 0 < summary.duration <= 2.1 * HOUR)
    fault = "the clock gives 0, no number and infinity in turn"
    times = [[0.0, float("nan"), 0.0, float("inf")][index % 4] if index > 25 else index / FPS for index in range(50)]
    results = results_of(stage.room.loop(), Scripted(zip(times, frames, strict=True)))
    yield Check(fault, "every frame has a result", f"{len(results)} of 50", len(results) == 50)
    held = len(named(results)[-1])
    yield Check(fault, "names are kept", f"{held} of 49", held >= ENOUGH)


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
        fault, "all readable ones are read in the very frame", f"oldest {old:.2f} s, {share:.0%} read", old == 0
    )
    whole = len(results) == settings.frames
    yield Check(fault, "every frame has a result", f"{len(results)} of {settings.frames}", whole)


def failing(stage: Stage) -> Iterator[Check]:
    """A source or a sink fails in the middle: one error of ours, everything closed, nothing left running."""
    frames = stage.frames(20)
    captured = [(index / FPS, frame) for index, frame in enumerate(frames)]
    full = OutputError("The disk is full.")
    for fault, source, recorder in (
        ("the disk is full after 5 frames", Scripted(captured), Slow(fails_after=5, error=full)),
        ("the source fails after 20 frames", Scripted(captured, fails=full), Slow()),
    ):
        seen, raised = 0, ""
        try:
            for _ in Pipeline(stage.room.loop(), source, [recorder]).run():
                seen += 1
        except FewshotError as error:
            raised = str(error)
        yield Check(fault, "the run ends with that error", raised or "none was raised", raised == str(full))
        complete = recorder.indices == list(range(len(recorder.indices))) and len(recorder.indices) >= 5
        yield Check(
            fault, "what came before is recorded", f"{len(recorder.indices)} frames, {seen} given out", complete
        )
        yield Check(fault, "the source is closed", f"{source.closed} times", source.closed >= 1)


FAULTS: dict[str, Callable[[Stage], Iterator[Check]]] = {
    "cable": cable,
    "size": size,
    "rearranged": rearranged,
    "slow": slow,
    "clock": clock,
    "empty": empty,
    "crowd": crowd,
    "failing": failing,
}


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", choices=list(FAULTS), default=list(FAULTS))
    parser.add_argument("--shared", type=Path, default=Path("../shared"), help="folder with data/ and models/")
    parser.add_argument("--work", type=Path, default=Path("outputs/live"), help="for videos and classes")
    parser.add_argument("--results", type=Path, default=Path("experiments/results"))
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    os.environ.setdefault("FEWSHOT_SHARED", str(arguments.shared.resolve()))
    try:
        scene = scene_at(arguments.work, arguments.shared, CLASS, longest=12.0)
        truth = Truth.load(scene.video.with_name("truth.json"))
        room = Classroom.in_folder(enroll_classes({CLASS: scene})[CLASS])
        stage = Stage(scene.video, truth, room, arguments.shared, arguments.work)
        checks = []
        for name in arguments.only:
            print(f"{name}: {(FAULTS[name].__doc__ or '').strip()}", flush=True)
            checks += list(FAULTS[name](stage))
    except FewshotError as error:
        sys.exit(str(error))
    rows = [check.row() for check in checks]
    print(markdown(rows))
    machine = as_list(describe())
    page = f"# Faults\n\n{markdown(rows)}\nMachine:\n\n{machine}\nRepeat with:\n\n    python experiments/faults.py\n"
    arguments.results.mkdir(parents=True, exist_ok=True)
    (arguments.results / "faults.md").write_text(page, encoding="utf-8")
    bad = [check for check in checks if not check.good]
    print(f"{len(checks) - len(bad)} of {len(checks)} as expected.")
    if bad:
        sys.exit(1)


if __name__ == "__main__":
    main()
