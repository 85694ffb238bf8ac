"""Faults of what is around the loop: cable, clock, slow viewers and recorders, a disk that is full."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from unittest import mock

from fewshot.errors import FewshotError
from fewshot.live.loop import Step
from fewshot.live.pipeline import Pipeline
from fewshot.live.sinks.base import OutputError
from fewshot.live.sinks.jsonl import JsonLines
from fewshot.live.sources import Paced, open_lasting, open_source
from fewshot.research.bench.faults.checks import ENOUGH, FPS, Check, Stage, known_again, results_of
from fewshot.research.bench.live_run import Stamped
from fewshot.research.simulation.faulty_sources import Cable, FrameLoop, Scripted, Slow, named
from fewshot.session.summary import Summary

HOUR = 3600.0


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
