"""One run of the live system over one video under a stop-watch, and what can be said about it afterwards."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from fewshot.errors import FewshotError
from fewshot.live.loop import Loop, Step
from fewshot.live.pipeline import Pipeline
from fewshot.live.sources import CapturedFrame, FrameSource, Paced, Source, open_source
from fewshot.loops import make_loop
from fewshot.perception import open_perception
from fewshot.research.bench import scoring
from fewshot.research.bench.machine import resident_mb
from fewshot.research.bench.scoring import renamed_tracks, returns
from fewshot.research.simulation.truth import Truth
from fewshot.room import Classroom
from fewshot.types import FrameResult, Reading

STEADY = 1.0
"""Seconds of video before which a class is still being recognised for the first time."""


@dataclass(slots=True)
class Measured:
    """What the stop-watch saw.

    Attributes:
        handed: seconds since the start at which each frame with a result was decoded.
        labelled: the same, when its readings were there.
        faces: found in each of these frames.
        fresh: of these, read from this very frame.
        latency: seconds from when work on each frame began to its labels, as the pipeline counts them; what a frame
            of a file that was decoded ahead waited before is left out, what one of a camera waited is not.
        stages: milliseconds of every stage, as the pipeline counts them: name -> p50_ms, p95_ms.
        decode_ms: milliseconds to get each frame from the source.
        memory_mb: largest resident memory.
        dropped: frames of a live source that there was no time for.
        video_fps: frames a second of the video.
    """

    handed: list[float] = field(default_factory=list)
    labelled: list[float] = field(default_factory=list)
    faces: list[int] = field(default_factory=list)
    fresh: list[int] = field(default_factory=list)
    latency: list[float] = field(default_factory=list)
    stages: dict[str, dict[str, float]] = field(default_factory=dict)
    decode_ms: list[float] = field(default_factory=list)
    memory_mb: float = 0.0
    dropped: int = 0
    video_fps: float = 25.0

    def summary(self) -> dict[str, float]:
        """Rates and percentiles: the numbers of one run."""
        latency = 1000 * np.array(self.latency)
        queued = 1000 * (np.array(self.labelled) - np.array(self.handed))
        first = min(round(STEADY * self.video_fps), len(self.labelled) - 2)
        faces = max(1, sum(self.faces))
        return {
            "frames": len(self.labelled),
            "fps": len(self.labelled) / self.labelled[-1],
            "fps_steady": (len(self.labelled) - 1 - first) / (self.labelled[-1] - self.labelled[first]),
            "p50_ms": float(np.percentile(latency, 50)),
            "p95_ms": float(np.percentile(latency, 95)),
            "max_ms": float(latency.max()),
            "queued_p95_ms": float(np.percentile(queued, 95)),
            "between_p95_ms": float(1000 * np.percentile(np.diff(self.labelled), 95)),
            "decode_p50_ms": float(np.percentile(self.decode_ms, 50)),
            "faces": float(np.median(self.faces)),
            "fresh": sum(self.fresh) / faces,
            "rss_mb": self.memory_mb,
            "dropped": self.dropped / (self.dropped + len(self.labelled)),
        }


def run(loop: Loop, source: Source, most: int | None = None, keep: list[FrameResult] | None = None) -> Measured:
    """Run the pipeline over a source.

    Args:
        loop: fresh.
        source: a file or frames, as fast as they can be read; or a live one.
        most: frames after which to stop.
        keep: gets every frame's result, without probabilities, for ``identity``.
    """
    stamped = Stamped(source, most)
    measured = Measured(video_fps=source.fps or 25.0)
    pipeline = Pipeline(loop, stamped)
    start = perf_counter()
    for step in pipeline.run():
        measured.labelled.append(perf_counter() - start)
        measured.handed.append(stamped.handed[step.result.index] - start)
        measured.memory_mb = max(measured.memory_mb, resident_mb())
        _count(step, measured)
        if keep is not None:
            keep.append(_slim(step.result))
    measured.dropped = len(stamped.handed) - len(measured.labelled) + stamped.dropped
    measured.decode_ms = [1000 * seconds for seconds in stamped.waited]
    measured.latency = list(loop.times.seconds("latency"))
    measured.stages = loop.times.table()
    return measured


def _count(step: Step, measured: Measured) -> None:
    readings = step.result.readings
    measured.faces.append(len(readings))
    measured.fresh.append(sum(reading.confidence is not None and reading.age == 0 for reading in readings))


def _slim(result: FrameResult) -> FrameResult:
    """Who and where is all that counts here, and a minute of everything would fill the memory that is measured."""
    readings = (Reading(one.track, one.box, one.score, one.student, one.identity_score) for one in result.readings)
    return replace(result, readings=tuple(readings))


def identity(truth: Truth, results: Sequence[FrameResult]) -> dict[str, Any]:
    """Who was called what: shares of true face-frames, name changes, and every return."""
    seen = scoring.compare(truth, results).observations
    shares = {
        "identity": scoring.share(seen, scoring.has_right_name, scoring.is_enrolled),
        "wrong_name": scoring.share(seen, scoring.has_wrong_name, scoring.is_enrolled),
        "stranger_named": scoring.share(seen, scoring.is_named, scoring.is_stranger),
        "found": scoring.share(seen, scoring.is_found),
    }
    return {
        **{name: asdict(share) for name, share in shares.items() if share.count},
        "renamed_tracks": renamed_tracks(results),
        "name_switches": scoring.switches(seen, lambda reading: reading.student),
        "track_switches": scoring.switches(seen, lambda reading: reading.track),
        "returns": [asdict(one) for one in returns(truth, seen)],
    }


def in_memory(source: Source, count: int) -> Iterator[Any]:
    """The first ``count`` frames of a source, decoded beforehand."""
    frames = []
    for captured in source:
        frames.append(captured.frame)
        if len(frames) == count:
            break
    source.close()
    return iter(frames)


def median_and_range(values: Iterable[float]) -> dict[str, float]:
    """Of several runs."""
    given = list(values)
    return {"median": float(np.median(given)), "low": min(given), "high": max(given)}


class Stamped:
    """Another source's frames, the first ``most`` of them, each with the time at which it was there.

    Args:
        source: any.
        most: frames after which it ends; None for all.

    Attributes:
        handed: index of a frame -> ``perf_counter`` seconds when it was handed over.
        waited: seconds that getting each frame from the source took: for a file, decoding it.
    """

    def __init__(self, source: Source, most: int | None = None) -> None:
        self._source, self._most = source, most
        self.handed: dict[int, float] = {}
        self.waited: list[float] = []
        self.name, self.live, self.fps = source.name, source.live, source.fps
        self.frames = source.frames if most is None else min(most, source.frames or most)

    @property
    def dropped(self) -> int:
        """Frames that the source dropped."""
        return self._source.dropped

    @property
    def lost(self) -> str | None:
        """Why the source ended too early; None if it did not."""
        return self._source.lost

    @property
    def notes(self) -> list[str]:
        """Sentences of the source for the user."""
        return self._source.notes

    def __iter__(self) -> Iterator[CapturedFrame]:
        before = perf_counter()
        for captured in islice(self._source, self._most):
            now = perf_counter()
            self.waited.append(now - before)
            self.handed[captured.index] = now
            yield captured
            before = perf_counter()

    def close(self) -> None:
        """Close the source."""
        self._source.close()


def open_loop(class_folder: Path | None) -> Loop:
    """With the students of a class, or for expressions only."""
    return Classroom.in_folder(class_folder).loop() if class_folder else make_loop(open_perception())


def parse_arguments() -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=main.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video")
    parser.add_argument("--class-folder", type=Path, help="of the students; nobody is enrolled without it")
    parser.add_argument("--frames", type=int, help="stop after so many")
    parser.add_argument("--decoded", action="store_true", help="decode them all before the stop-watch is started")
    parser.add_argument("--only-changed", action="store_true", help="embed only the faces that changed")
    parser.add_argument("--paced", action="store_true", help="in real time, as a camera sends it")
    parser.add_argument("--truth", type=Path, help="truth.json of a virtual classroom, to count right names")
    parser.add_argument("--out", type=Path, help="JSON file to write")
    return parser.parse_args()


def main() -> None:
    """One run over a video as a command: prints a summary, and writes every frame's times with ``--out``."""
    arguments = parse_arguments()
    results: list[FrameResult] | None = [] if arguments.truth else None
    try:
        loop, source = open_loop(arguments.class_folder), open_source(arguments.video)
        loop.only_changed = arguments.only_changed
        if arguments.decoded:
            frames = list(in_memory(source, arguments.frames or 1 << 30))
            source = FrameSource(frames, source.fps or 25.0)
        if arguments.paced:
            source = Paced(source)
        measured = run(loop, source, arguments.frames, results)
    except FewshotError as error:
        sys.exit(str(error))
    told = {"summary": measured.summary(), **asdict(measured)}
    if results is not None:
        told["identity"] = identity(Truth.load(arguments.truth), results)
    if arguments.out:
        arguments.out.write_text(json.dumps(told), encoding="utf-8")
    print(json.dumps({**told["summary"], "stages": told["stages"], **told.get("identity", {})}, indent=1))


if __name__ == "__main__":
    main()
