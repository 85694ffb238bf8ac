"""The loop: one frame in, one result out. Identification and classification are given to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from fewshot.errors import UsageError
from fewshot.faces.cuts import Cuts
from fewshot.faces.tracker import Tracker
from fewshot.live.budget import Cost, Rota
from fewshot.live.changed_faces import ChangedFaces, LatestVectors
from fewshot.live.interfaces import Reader, SeesFrames, Sighting, Step, Strangers, Students
from fewshot.live.readings import Match, reading_of, size_of
from fewshot.live.smoothing import Smoother
from fewshot.live.sources.base import CapturedFrame, Source
from fewshot.live.spare_core import SpareCore
from fewshot.live.steady_clock import SteadyClock
from fewshot.live.times import StageTimes
from fewshot.types import Face, FrameResult, Reading

if TYPE_CHECKING:
    from fewshot.perception import Perceives
    from fewshot.prototypes.classifier import Verdict

__all__ = ["Loop", "Reader", "SeesFrames", "Sighting", "SteadyClock", "Step", "Strangers", "Students"]


class Loop:
    """Processes sources frame by frame. One loop is one run: track numbers continue from source to source.

    A frame passes four stages. ``find`` and ``embed`` take nearly all the time, do not depend on other frames and may
    run in several threads at once. ``follow`` and ``conclude`` need the frames in order, one at a time. ``step`` runs
    all four; ``fewshot.live.pipeline.Pipeline`` runs them in parallel, with the same results.

    Args:
        perception: finds the faces of a frame and computes expression vectors and, if needed, identity vectors.
        reader: classifies vectors.
        students: assigns students to tracks; None if no student is enrolled.
        smoother: None uses the default; ``Smoother(0)`` does not smooth.
        tracker: None uses a new one.
        budget: seconds per frame for expression vectors, and the same for identity vectors. If it is not enough, faces
            take turns, and ``age`` tells how old a reading is. None: every face in every frame.
        only_changed: embed only the faces that differ from the crop that was embedded last (``ChangedFaces``). The
            others keep its vector, which is classified and smoothed again in every frame; ``age`` tells how old it is.
        moving: finds the faces of consecutive video frames (``Perception.following``). None: ``perception`` finds
            them in every frame, as it always does in single pictures.
        labels: gets every frame with its faces before they are named; see ``fewshot.call_labels``.

    Attributes:
        times: seconds of every stage.
        only_changed: as given; it may be set anew before a run.
        labels: as given.
        in_order: whether ``find`` needs the frames in order, one at a time.
        spare: embeds the faces of a frame on two cores; set by a pipeline while it runs.

    Raises:
        UsageError: the budget is not above 0.

    Examples:
        >>> for result, frame, faces in loop.run(open_source("lesson.mp4")):  # doctest: +SKIP
        ...     print(result.index, [reading.emotion for reading in result.readings])
    """

    spare: SpareCore | None = None

    def __init__(
        self,
        perception: Perceives,
        reader: Reader,
        students: Students | None = None,
        smoother: Smoother | None = None,
        tracker: Tracker | None = None,
        budget: float | None = None,
        moving: Perceives | None = None,
        only_changed: bool = False,
        labels: SeesFrames | None = None,
    ) -> None:
        if budget is not None and not budget > 0:
            raise UsageError(f"A budget of {1000 * budget:g} ms per frame is impossible. Give a number above 0.")
        self.times = StageTimes()
        self._perception, self._reader, self._budget = perception, reader, budget
        self._moving, self.in_order = moving or perception, moving is not None
        self._students: Students = students or Strangers()
        self._smoother, self._tracker = smoother or Smoother(), tracker or Tracker()
        self._embedding, self._identifying = Cost(), Cost()
        self.only_changed, self.labels = only_changed, labels
        self.begin()

    def begin(self) -> None:
        """Start another source: forget everything about the one before, except the last track number."""
        self._clock, self._size, self._cuts = SteadyClock(), (0, 0), Cuts()
        self._rota, self._identity_rota = Rota(), Rota()
        self._changed, self._vectors = ChangedFaces(), LatestVectors()
        self._tracker.reset()
        self._forget_all()

    def run(self, source: Source) -> Iterator[Step]:
        """Process every frame of a source in this thread. The source is closed at the end, also after an error."""
        try:
            self.begin()
            for captured in source:
                yield self.step(captured)
        finally:
            source.close()

    def step(self, captured: CapturedFrame) -> Step:
        """Process one frame."""
        sighting = self.find(captured)
        self.follow(sighting)
        self.embed(sighting)
        return self.conclude(sighting)

    def deny(self, track: int, student: str, denied: bool = True) -> None:
        """Do not give a track this name again, because a teacher said that it shows somebody else. From any thread.

        Args:
            track: ``Reading.track``; a face of a single picture (-1) has none, and nothing changes.
            student: key of the student.
            denied: False takes it back.
        """
        if track >= 0:
            self._students.deny(track, student, denied)

    def find(self, captured: CapturedFrame) -> Sighting:
        """Find the faces of a frame. May run in any thread, in parallel with all other stages; see ``in_order``."""
        start = perf_counter()
        perception = self._perception if captured.independent else self._moving
        faces = perception.find(captured.frame)
        return Sighting(captured, faces, start, dict(perception.times))

    def follow(self, seen: Sighting) -> None:
        """Assign track numbers and choose the faces to embed. Needs the frames in order, one at a time."""
        start, captured = perf_counter(), seen.captured
        # After a cut in a film, whoever is at the same place is most likely somebody else.
        if captured.independent or self._cuts.begins(captured.frame):
            self._tracker.reset()
        seen.time = captured.time if captured.independent else self._clock.tell(captured.time)
        scores = np.array([face.score for face in seen.faces], np.float32)
        seen.tracks = [int(track) for track in self._tracker.update(self._boxes(seen), scores, seen.time)]
        seen.alive = self._tracker.alive()
        if (
            not captured.independent
        ):  # faces of a single picture keep track -1 until they are matched, because they have no track
            for face, track in zip(seen.faces, seen.tracks, strict=True):
                face.track = track
        seen.chosen = self._choose(seen)
        self._rota.forget(seen.alive)
        self._changed.forget(seen.alive)
        seen.seconds["track"] = perf_counter() - start

    def embed(self, seen: Sighting) -> None:
        """Compute the expression vectors of the chosen faces. May run in any thread, in parallel with other stages."""
        start = perf_counter()
        spare = self.spare  # another thread may take it away
        if seen.chosen and spare is not None:
            spare.share(self._perception.embed, seen.chosen)
        elif seen.chosen:
            self._perception.embed(seen.chosen)
        seen.seconds["embed"] = perf_counter() - start

    def conclude(self, seen: Sighting) -> Step:
        """Identify and classify the faces. Needs the frames in order, one at a time."""
        captured = seen.captured
        if captured.independent:
            self._forget_all()
        self._embedding.learn(len(seen.chosen), seen.seconds["embed"])
        if self.only_changed and not captured.independent:
            seen.ages = self._vectors.complete(seen.chosen, seen.unchanged, seen.time)
            self._vectors.forget(seen.alive)
        matches = self._match(seen)
        for face, track in zip(seen.faces, seen.tracks, strict=True):
            face.track = track
        start = perf_counter()
        readings = self._read(seen, matches)
        if not captured.independent:
            for memory in (self._students, self._smoother, self._identity_rota):
                memory.forget(seen.alive)
        end = perf_counter()
        self.times.merge({**seen.seconds, "classify": end - start, "total": end - seen.start})
        result = FrameResult(captured.source, captured.index, captured.time, *size_of(captured), tuple(readings))
        return Step(result, captured.frame, seen.faces)

    def _forget_all(self) -> None:
        self._students.forget(())
        self._smoother.forget(())

    def _boxes(self, seen: Sighting) -> np.ndarray:
        """The boxes for the tracker, shape (n, 4), in pixels of the first frame even if the frame size changes."""
        boxes = np.array([face.box for face in seen.faces], np.float32).reshape(-1, 4)
        height, width = seen.captured.frame.shape[:2]
        if seen.captured.independent or self._size == (0, 0):
            self._size = (width, height)
        if self._size == (width, height):
            return boxes
        return boxes * np.tile(np.array([self._size[0] / width, self._size[1] / height], np.float32), 2)

    def _choose(self, seen: Sighting) -> list[Face]:
        """The faces that are embedded now: all readable ones, or those that changed, as many as the budget allows."""
        readable = [face for face in seen.faces if face.quality.ok]
        if seen.captured.independent:
            return readable
        chosen = readable
        if self.only_changed:
            chosen = self._changed.among(readable, seen.time)
            due = {face.track for face in chosen}
            seen.unchanged = [face for face in readable if face.track not in due]
        if self._budget is not None:
            places = self._embedding.affordable(self._budget, len(chosen))
            chosen = [chosen[index] for index in self._rota.choose([face.track for face in chosen], places)]
        if self.only_changed:
            self._changed.embedded(chosen, seen.time)
        return chosen

    def _match(self, seen: Sighting) -> Sequence[Match]:
        start, faces = perf_counter(), seen.faces
        if self.labels is not None and seen.captured.independent:
            self.labels.see_picture(seen.captured.frame, faces)
        elif self.labels is not None:
            self.labels.see(seen.captured.frame, faces, seen.time)
        wanted = self._students.wanted([face.track for face in faces], faces, seen.time)
        if wanted and self._budget is not None and not seen.captured.independent:
            places = self._identifying.affordable(self._budget, len(wanted))
            wanted = [wanted[index] for index in self._identity_rota.choose([faces[i].track for i in wanted], places)]
        if wanted:
            self._perception.identify(seen.captured.frame, [faces[index] for index in wanted])
            self._identifying.learn(len(wanted), perf_counter() - start)
        matches = self._students.assign(faces, seen.time)
        seen.seconds["identify"] = perf_counter() - start
        return matches

    def _read(self, seen: Sighting, matches: Sequence[Match]) -> list[Reading]:
        verdicts = self._classify(seen.faces, [student for student, _ in matches])
        if not seen.captured.independent and verdicts:
            tracks = [seen.tracks[index] for index in verdicts]
            students = [matches[index][0] for index in verdicts]
            smoothed = self._smoother.smooth_all(tracks, students, list(verdicts.values()), seen.time)
            verdicts = dict(zip(verdicts, smoothed, strict=True))
        readings = []
        for index, (face, match) in enumerate(zip(seen.faces, matches, strict=True)):
            verdict, age = verdicts.get(index), seen.ages.get(face.track, 0.0)
            if verdict is None and face.quality.ok and not seen.captured.independent:
                verdict, age = self._held(face, match[0], seen.time)
            readings.append(reading_of(face, match, verdict, age, seen.captured))
        return readings

    def _classify(self, faces: list[Face], students: Sequence[str | None]) -> dict[int, Verdict]:
        """Index of the face -> verdict, for all faces with an expression vector, in one batch."""
        readable = [(i, face.expression) for i, face in enumerate(faces) if face.quality.ok]
        vectors = {i: vector for i, vector in readable if vector is not None}
        if not vectors:
            return {}
        verdicts = self._reader.read(np.stack(list(vectors.values())), [students[i] for i in vectors])
        return dict(zip(vectors, verdicts, strict=True))

    def _held(self, face: Face, student: str | None, time: float) -> tuple[Verdict | None, float]:
        """The latest verdict on a readable face that was not embedded in this frame, and its age in seconds."""
        held = self._smoother.held(face.track, student)
        if held is None:
            self._rota.hurry(face.track)
            return None, 0.0
        return held[0], time - held[1]
