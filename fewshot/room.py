"""``fewshot.Classroom``: one class in one object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fewshot.call_labels.reader import open_reader
from fewshot.call_labels.students import LabelledStudents, Names
from fewshot.call_labels.tile_labels import TileLabels
from fewshot.class_changes import ClassChanges
from fewshot.classroom.current import CurrentClass
from fewshot.classroom.store import no_such_class
from fewshot.classroom.thresholds import identity_thresholds
from fewshot.live.loop import Loop
from fewshot.live.pipeline import Pipeline, Schedule
from fewshot.live.sinks.table import Results
from fewshot.live.sources import Watchable, open_source
from fewshot.loops import make_loop
from fewshot.prototypes.evidence import Evidence
from fewshot.session.recorder import LessonRecorder
from fewshot.session.settings import Settings

if TYPE_CHECKING:
    from fewshot.faces.tracker import Tracker
    from fewshot.live.smoothing import Smoother


class Classroom(ClassChanges):
    """The students of one class: enroll them, watch them, remove them. Models are loaded when they are first needed.

    Do not use it where the law forbids emotion recognition: in the European Union this applies to education and work
    (AI Act, Article 5(1)(f)), except for medical or safety reasons. Readings are uncertain: never use them to grade or
    judge people.

    Examples:
        >>> room = Classroom.open("physics")  # doctest: +SKIP
        >>> room.enroll("asha", ["asha1.jpg", "asha2.jpg"], consent_by="her mother, 2026-11-20")  # doctest: +SKIP
        >>> for result in room.watch("lesson.mp4"):  # doctest: +SKIP
        ...     print([(reading.student, reading.emotion) for reading in result.readings])
    """

    def watch(self, source: Watchable, schedule: Schedule | None = None) -> Results:
        """Watch a source: every frame of a file, or always the newest frame of a live source.

        Args:
            source: a camera number, file, folder, address, "screen", a picture (BGR array, uint8, shape
                (height, width, 3)), a list of paths of pictures, frames of a video (such arrays), or an open source.
            schedule: how the work is divided among threads.

        Returns:
            An iterator with one result per frame, in order; its ``to_pandas()`` gives a table.

        Raises:
            UsageError: there is no such class, or no such source.
            StoreError: the class is damaged, or was enrolled with another network.
            SourceError: the source gives no picture.
        """
        pipeline = Pipeline(self.loop(), open_source(source), schedule=schedule)
        return Results(step.result for step in pipeline.run())

    def loop(
        self,
        *,
        smoother: Smoother | None = None,
        tracker: Tracker | None = None,
        budget: float | None = None,
        only_changed: bool = False,
        names: Names | str = Names.faces,
    ) -> Loop:
        """A loop over one or more sources, with the students whose consent is valid.

        Within a second it no longer names students who were removed or whose consent was withdrawn, by any program. If
        the class is deleted, the run ends with a ``StoreError``.

        Args:
            smoother: smooths the verdicts of each track; None uses the default; ``Smoother(0)`` does not smooth.
            tracker: None uses a new one.
            budget: seconds per frame for expression vectors; if they are not enough, faces take turns. None: no limit.
            only_changed: a face that looks as it did when it was embedded last keeps its vector, for at most 0.3 s.
                False: every face is embedded in every frame.
            names: where names come from: "faces", "labels" (only what a video call writes on its tiles; no identity
                vector is computed), or "both": a face whose label names another student gets no name.

        Raises:
            UsageError, StoreError: as ``watch``; also if the extra ``labels``, which reads labels, is not installed.
        """
        names = Names(names)
        labels = TileLabels(open_reader()) if names is not Names.faces else None
        look = self.watcher().look  # first, because the class may change before its vectors are read
        thresholds = identity_thresholds(self.perception.identity_network)
        current = CurrentClass(self.population, thresholds, self.vectors(), look)
        self._current.add(current)
        named = None
        if labels is not None:
            named = LabelledStudents(labels, look, current if names is Names.both else None)
        return make_loop(
            self.perception,
            current,
            named or current,
            smoother=smoother,
            tracker=tracker,
            budget=budget,
            only_changed=only_changed,
            labels=named,
        )

    def evidence(self, student: str) -> Mapping[str, Evidence]:
        """What the states of a student rest on today: own photos, those of the class, or other people in general.

        Args:
            student: name of the student; an unknown one is compared with the prototypes of the class.

        Returns:
            State -> evidence, for every state that this student's faces are compared with.

        Raises:
            StoreError: the class is damaged, or was enrolled with another network.
        """
        current = next(iter(self._current), None)
        if current is None:
            thresholds = identity_thresholds(self.perception.identity_network)
            current = CurrentClass(self.population, thresholds, self.vectors())
        return current.evidence(student)

    def recorder(
        self, source: str = "", title: str = "", aggregate: bool | None = None, sample: bool = False
    ) -> LessonRecorder:
        """A sink that records a lesson of the students whose consent is valid today.

        Args:
            source: name of the source that is watched.
            title: title of the lesson.
            aggregate: record counts only, without students; None uses the program's settings.
            sample: the lesson shows no real people.

        Raises:
            UsageError: there is no such class.
        """
        if not self.exists:
            raise no_such_class(self.name, self.store.names())
        return LessonRecorder.start(
            self._name,
            self.roster().consenting(),
            source=source,
            network=self.perception.network,
            title=title,
            sample=sample or self.store.is_sample(self._name),
            aggregate=self._counts_only() if aggregate is None else aggregate,
            database=self.store.database,
            owner=self.store.owner,
        )

    def _counts_only(self) -> bool:
        return Settings(self.store.database, self.store.owner).aggregate_only
