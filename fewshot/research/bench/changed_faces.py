"""Embedding only the faces that changed, beside embedding every face: the share that is saved, labels and their lag."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fewshot.live.changed_faces import CHANGED, ChangedFaces
from fewshot.live.loop import Loop
from fewshot.live.sources import CapturedFrame, FrameSource, open_source
from fewshot.loops import open_population
from fewshot.perception import Perception
from fewshot.prototypes.classifier import Classifier
from fewshot.research.bench import scoring
from fewshot.research.bench.lag import frames_until
from fewshot.research.bench.replay import Recorder
from fewshot.research.datasets.subjects import read_subjects
from fewshot.research.simulation.dataset_writer import SCRFD_FILE, picture_loader, scrfd_locator, write_video
from fewshot.research.simulation.truth import Box, Truth
from fewshot.research.simulation.virtual_classroom import Settings, plan_classroom
from fewshot.types import Frame, FrameResult

GALLERY = Settings(columns=4, rows=3, width=1280, height=720, seconds=8.0, fps=25.0)
TIGHT: Box = (8.0, 0.0, 120.0, 128.0)
"""The face in a picture of CK+, which is cut so close to it (128x128) that no detector finds it there."""
STAY = 0.5
"""Seconds for which a label must stay to count as a change of the label."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One setting beside every face embedded, on the same frames.

    Attributes:
        embedded: share of the readable face-frames that were embedded.
        same: share of them with the same label as if every face had been embedded.
        changes: changes of a label that stay, if every face is embedded.
        late: frames by which each of these came later, 0 or more.
        lost: changes that did not come within a second.
        right: share of true face-frames with the right emotion; NaN without a truth.
    """

    embedded: float
    same: float
    changes: int
    late: tuple[int, ...]
    lost: int
    right: float

    def row(self) -> dict[str, str]:
        """The columns of the table."""
        p95, worst = (f"{np.percentile(self.late, q):.0f}" if self.late else "-" for q in (95, 100))
        return {
            "embedded %": f"{100 * self.embedded:.1f}",
            "right %": "-" if np.isnan(self.right) else f"{100 * self.right:.2f}",
            "same label %": f"{100 * self.same:.2f}",
            "changes of label": str(self.changes),
            "later by, frames: p95": p95,
            "at most": worst,
            "lost": str(self.lost),
        }


class _Limited(Loop):
    """A loop whose limit for a changed face can be chosen; None embeds every face."""

    limit: float | None = CHANGED

    def begin(self) -> None:
        super().begin()
        self.only_changed = self.limit is not None
        self._changed = ChangedFaces(CHANGED if self.limit is None else self.limit)


class Scene:
    """One video whose faces are found and embedded once, and then read with any number of limits.

    Args:
        video: file.
        perception: finds and embeds.
        truth: of the video, if it is known.
        every: use every N-th frame: 3 makes about 8 frames per second of 25.
        most: frames.
    """

    def __init__(
        self, video: Path, perception: Perception, truth: Truth | None = None, every: int = 1, most: int = 10_000
    ) -> None:
        self.truth, self._video, self._every, self._most = truth, video, every, most
        self.fps = (open_source(str(video)).fps or 25.0) / every
        self._recorder = Recorder(perception.following())
        self._reader = Classifier(open_population())
        self.all = self.run(None)

    def run(self, limit: float | None) -> list[FrameResult]:
        """All frames with one limit."""
        self._recorder.rewind()
        loop = _Limited(self._recorder, self._reader)
        loop.limit = limit
        return [step.result for step in loop.run(_Frames(self._captured(), self._video.name))]

    def compared(self, limit: float) -> Compared:
        """One limit beside every face embedded."""
        results = self.run(limit)
        ages = [one.age for result in results for one in result.readings if one.probabilities]
        pairs = [
            (one.emotion, other.emotion)
            for result, usual in zip(results, self.all, strict=True)
            for one, other in zip(result.readings, usual.readings, strict=True)
            if other.probabilities
        ]
        late, lost = _late(_labels(self.all), _labels(results), self.fps)
        return Compared(
            embedded=float(np.mean([age == 0 for age in ages])) if ages else 1.0,
            same=float(np.mean([one == other for one, other in pairs])) if pairs else 1.0,
            changes=len(late) + lost,
            late=tuple(late),
            lost=lost,
            right=self.right(results),
        )

    def right(self, results: Sequence[FrameResult]) -> float:
        """Share of true face-frames with the right emotion; NaN without a truth."""
        if self.truth is None:
            return float("nan")
        run = {result.index for result in results}
        seen = [one for one in scoring.compare(self.truth, results).observations if one.frame in run]
        return float(np.mean([scoring.has_right_emotion(one) for one in seen]))

    def _captured(self) -> Iterator[CapturedFrame]:
        for captured in open_source(str(self._video)):
            if captured.index >= self._most:
                return
            if captured.index % self._every == 0:
                yield captured


class _Frames(FrameSource):
    """Captured frames as a source, with their own numbers and times."""

    def __init__(self, captured: Iterator[CapturedFrame], name: str) -> None:
        super().__init__((), name=name)
        self._captured = captured

    def __iter__(self) -> Iterator[CapturedFrame]:
        return self._captured


def _labels(results: Sequence[FrameResult]) -> dict[int, list[str | None]]:
    """Track -> the label of every frame in which it is there."""
    said: dict[int, list[str | None]] = defaultdict(list)
    for result in results:
        for one in result.readings:
            said[one.track].append(one.emotion)
    return said


def _late(usual: dict[int, list[str | None]], other: dict[int, list[str | None]], fps: float) -> tuple[list[int], int]:
    """Frames by which each change of a label came later than usual, and how many did not come within a second.

    A change leads from one label that stayed to another one that stays; flicker and "unsure" in between do not count.
    """
    stay, patience, late, lost = max(1, round(STAY * fps)), max(1, round(fps)), list[int](), 0
    for track, labels in usual.items():
        theirs, settled = other.get(track, []), None
        for frame, label in enumerate(labels):
            if label is None or label == settled or labels[frame : frame + stay] != [label] * stay:
                continue
            if settled is not None:
                waited = frames_until(theirs[frame : frame + patience + stay], label, stay)
                if waited is None or waited > patience:
                    lost += 1
                else:
                    late.append(waited)
            settled = label
    return late, lost


def gallery(folder: Path, shared: Path, dataset: str, fade: float, seed: int) -> tuple[Path, Truth]:
    """A gallery of 12 people whose pictures turn into each other within ``fade`` seconds; drawn if it is not there."""
    folder = folder / f"{dataset}_fade_{fade:g}s"
    if not (folder / "truth.json").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        settings = Settings(**{**_as_words(GALLERY), "fade": fade, "seed": seed})
        plan = plan_classroom(read_subjects(shared / "data" / "subjects.csv", [dataset]), settings)
        locate: Callable[[Frame], Box] = (
            (lambda _: TIGHT) if dataset == "ckplus" else scrfd_locator(shared / SCRFD_FILE)
        )
        truth = write_video(plan, picture_loader(shared / "data"), locate, folder / "video.mp4", "h264")
        truth.save(folder / "truth.json")
    return folder / "video.mp4", Truth.load(folder / "truth.json")


def _as_words(settings: Settings) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in settings.__slots__}
