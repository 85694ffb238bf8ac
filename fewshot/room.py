"""``fewshot.Classroom``: one class in one object."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakSet

import numpy as np
from numpy.typing import NDArray

from fewshot.classroom.class_enrollment import (
    ClassEnrollment,
    PathLike,
    check_doubles,
    given_consent,
    photo_files,
)
from fewshot.classroom.class_watch import ClassWatch, Standing
from fewshot.classroom.corrections import Learned, learn, learned, unlearn
from fewshot.classroom.current import CurrentClass
from fewshot.classroom.enrollment_report import EnrollmentReport, StudentResult
from fewshot.classroom.folder import read_folder, valid_consent
from fewshot.classroom.names import emotion_of
from fewshot.classroom.owners import owner_named
from fewshot.classroom.recognition import network_of, previous_note, recogniser_of
from fewshot.classroom.roster import Roster, no_such_student
from fewshot.classroom.store import ClassStore, no_such_class
from fewshot.classroom.thresholds import identity_thresholds
from fewshot.database import Database, in_folder, open_database
from fewshot.database.owner import Owner
from fewshot.live.loop import Loop
from fewshot.live.pipeline import Pipeline, Schedule
from fewshot.live.sinks.table import Results
from fewshot.live.sources import Watchable, open_source
from fewshot.loops import make_loop, open_population
from fewshot.models.files import network_file
from fewshot.perception import Perception, open_perception
from fewshot.prototypes.population import Population
from fewshot.prototypes.store import PrototypeStore
from fewshot.prototypes.table import PrototypeTable
from fewshot.session.recorder import LessonRecorder
from fewshot.session.settings import Settings

if TYPE_CHECKING:
    from fewshot.faces.detections import Detector
    from fewshot.faces.tracker import Tracker
    from fewshot.live.smoothing import Smoother


class Classroom:
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

    def __init__(
        self,
        name: str | Path,
        detector: str | Detector = "auto",
        download: bool = True,
        database: Database | None = None,
        network: PathLike | None = None,
        owner: Owner | str | None = None,
    ) -> None:
        """Open a class. A class that does not exist yet is created when the first student is enrolled.

        Args:
            name: name of the class, in any script. A ``Path`` still works like ``in_folder``, with a warning.
            detector: "auto", "scrfd", "yunet", "cascade", or an open detector.
            download: whether missing models may be downloaded.
            database: where the class is stored; None uses the default database.
            network: your own expression network: an ONNX file, with its population prototypes (.json) beside it.
            owner: the teacher to whom the class belongs, or this teacher's name; None is the local teacher.

        Raises:
            UsageError: the name cannot be the name of a class, there is no such network, or no such teacher.
            StoreError: the database is damaged.
        """
        if isinstance(name, Path):
            warnings.warn(
                "Classroom(Path(...)) is deprecated. Use Classroom.in_folder(path).", DeprecationWarning, stacklevel=2
            )
            database = database or in_folder(name)
            name = name.name
        database = database or open_database()
        self.store = ClassStore(database, owner_named(database, owner))
        self._name = self.store.spelled(name)
        self._detector, self._download = detector, download
        self._network = network_file(network)
        self._perception: Perception | None = None
        self._population: Population | None = None
        self._current: WeakSet[CurrentClass] = WeakSet()

    @classmethod
    def open(
        cls,
        name: str,
        *,
        detector: str | Detector = "auto",
        download: bool = True,
        database: Database | None = None,
        network: PathLike | None = None,
        owner: Owner | str | None = None,
    ) -> Classroom:
        """Open a class by its name. The arguments are those of ``Classroom``."""
        return cls(name, detector, download, database, network, owner)

    @classmethod
    def in_folder(
        cls,
        folder: PathLike,
        *,
        detector: str | Detector = "auto",
        download: bool = True,
        network: PathLike | None = None,
    ) -> Classroom:
        """Open a class with its own database in a folder. The class has the name of the folder.

        Args:
            folder: created if it does not exist.
            detector: see ``Classroom``.
            download: see ``Classroom``.
            network: see ``Classroom``.

        Raises:
            UsageError: the folder's name cannot be the name of a class.
            StoreError: the database is damaged, or cannot be created there.
        """
        place = Path(folder)
        return cls(place.name or place.resolve().name, detector, download, in_folder(place), network)

    @classmethod
    def temporary(
        cls, name: str, *, detector: str | Detector = "auto", download: bool = True, network: PathLike | None = None
    ) -> Classroom:
        """A class in memory only; it is lost with this object."""
        return cls(name, detector, download, Database("sqlite://"), network)

    @property
    def name(self) -> str:
        """Name of the class, as it is written in the database."""
        return self._name

    @property
    def exists(self) -> bool:
        """Whether the class is in the database."""
        return self.store.exists(self._name)

    @property
    def students(self) -> list[str]:
        """Names of all students in the class, including those whose consent has ended. Loads no model."""
        return sorted(self.roster().students)

    def roster(self) -> Roster:
        """The students of the class as they are stored now.

        Raises:
            StoreError: the database is damaged.
        """
        return self.store.roster(self._name)

    @property
    def perception(self) -> Perception:
        """Finds faces and computes their vectors. The models are loaded in the first call.

        Raises:
            ModelUnavailable: a model is not on this machine and cannot be downloaded.
        """
        if self._perception is None:
            self._perception = open_perception(
                self._detector,
                download=self._download,
                network=self._enrolled_with(),
                recogniser=recogniser_of(self.store.networks(self._name)),
                threads=Schedule().threads(),
            )
            if self._enrolled_with() != self._network:
                self._perception.notes += (previous_note(self._name),)
        return self._perception

    @property
    def population(self) -> Population:
        """The population prototypes beside the network; loaded in the first call.

        Raises:
            UsageError: there is no file with population prototypes beside the network.
            StoreError: the file is damaged.
        """
        if self._population is None:
            self._population = open_population(self._enrolled_with())
        return self._population

    def enroll(
        self,
        student: str,
        photos: PathLike | Sequence[PathLike],
        *,
        consent_by: str | None = None,
        consent_until: str | date | None = None,
        emotion: str | None = None,
        from_camera: bool = False,
        looks_like: Sequence[str] = (),
        on_photo: Callable[[], None] | None = None,
    ) -> StudentResult:
        """Enroll a student, or add photos to one.

        Args:
            student: name of the student; readings contain it.
            photos: one or more files, or the folder of one student as for ``fewshot enroll``.
            consent_by: who gave consent; not needed while a recorded consent is valid.
            consent_until: last day of the consent.
            emotion: what the photos show; None leaves single files unlabelled.
            from_camera: a camera took the photos just now, so two similar photos do not count as copies.
            looks_like: enrolled students who look like this one, such as a twin. Without it, a student who seems to be
                enrolled already is refused.
            on_photo: called before each photo is looked at.

        Returns:
            The result of every photo, with a reason if it was not accepted, and whether the student is enrolled now.

        Raises:
            UsageError: there is no consent, or a name cannot be used.
            StoreError: the database is damaged, or another network made its vectors.
        """
        label = emotion_of(emotion) if emotion is not None else None
        roster = self.roster()
        key = roster.key_for(student)
        consent = valid_consent(roster, key, given_consent(consent_by, consent_until))
        report = self._enrollment().enroll(
            {key: photo_files(photos, label, from_camera)}, {key: consent}, doubles=looks_like, on_photo=on_photo
        )
        self._refresh()
        return report.students[0]

    def enroll_folder(
        self,
        folder: PathLike,
        *,
        consent_by: str | None = None,
        consent_until: str | date | None = None,
        on_student: Callable[[str], None] | None = None,
        looks_like: Sequence[str] = (),
        on_photo: Callable[[], None] | None = None,
    ) -> EnrollmentReport:
        """Enroll all students in ``PHOTOS/<student>/<emotion>/*`` or ``PHOTOS/<student>/*``.

        Consent is required: either ``consent_by`` or the file ``PHOTOS/consent.csv``. A student who cannot be enrolled
        has the reason as ``problem`` in the report; the others are enrolled.

        Args:
            folder: PHOTOS.
            consent_by: who gave consent for all students in the folder.
            consent_until: last day of that consent.
            on_student: called with each student's name before their photos are processed.
            looks_like: students with a double in the class, such as a twin, who is another person all the same.
            on_photo: called before each photo is looked at.

        Raises:
            UsageError: ``looks_like`` names a student who is not there, there is no such folder,
                consent.csv cannot be read, or no student has consent.
            StoreError: the database is damaged, or another network made its vectors.
        """
        roster = self.roster()
        found = read_folder(Path(folder), given_consent(consent_by, consent_until), roster)
        check_doubles(looks_like, {*found.photos, *roster.students})
        report = EnrollmentReport()
        if found.photos:
            report = self._enrollment().enroll(
                found.photos, found.consents, on_student, found.reasons, looks_like, on_photo
            )
            self._refresh()
        report.students += found.refused()
        report.notes = [*found.notes, *report.notes]
        return report

    def _enrollment(self) -> ClassEnrollment:
        return ClassEnrollment(self.store, self._name, self.perception, self.population, self._vectors())

    def create(self, sample: bool = False) -> None:
        """Create the class without students; see ``ClassStore.create``."""
        self._name = self.store.create(self._name, sample)

    def rename(self, name: str) -> None:
        """Rename the class; see ``ClassStore.rename``."""
        self._name = self.store.rename(self._name, name)

    def delete(self) -> None:
        """Delete the class with its students and all its lessons; see ``ClassStore.delete``."""
        self.store.delete(self._name)
        self._forget_networks()
        self._refresh()

    def remove(self, student: str) -> str:
        """Remove a student and all their data, also in the lessons. The class is deleted if it is empty then.

        Returns:
            Where else the name was replaced, as a sentence; "" if nowhere.

        Raises:
            UsageError: there is no such class or student.
            StoreError: the database is damaged, or cannot be written now; see also ``ClassStore.remove_student``.
        """
        said = self.store.remove_student(self._name, student)
        self._forget_networks()
        self._refresh()
        return said

    def correct(
        self,
        lesson: int,
        student: str,
        second: float,
        actually: str,
        vector: NDArray[np.floating],
        said: str | None = None,
    ) -> int:
        """Correct a reading. The student's prototypes change at once, in every loop made by this object.

        Args:
            lesson: number of the lesson.
            student: name of the student.
            second: seconds since the start of the lesson.
            actually: what the student really showed: an emotion, or one of the student's own states ("concentrating").
            vector: ``Face.expression`` of the student's face at that moment, shape (d,).
            said: emotion of the corrected reading; None for "unsure".

        Returns:
            Number of the correction, for ``undo``.

        Raises:
            UsageError: there is no such lesson or student, or the label cannot be used.
            DimensionMismatch: another network made the vector.
        """
        store = self.store
        correction = learn(
            store.database, self._name, lesson, student, second, actually, vector, said, owner=store.owner
        )
        self._refresh()
        return correction

    def corrections(self) -> list[Learned]:
        """Corrections in use, of every lesson, newest first. Each can be undone."""
        return learned(self.store.database, self._name, owner=self.store.owner)

    def undo(self, correction: int) -> None:
        """Undo a correction: the prototypes are computed again without it.

        Raises:
            UsageError: there is no such correction of this class.
        """
        unlearn(self.store.database, self._name, correction, owner=self.store.owner)
        self._refresh()

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
        self, *, smoother: Smoother | None = None, tracker: Tracker | None = None, budget: float | None = None
    ) -> Loop:
        """A loop over one or more sources, with the students whose consent is valid.

        Within a second it no longer names students who were removed or whose consent was withdrawn, by any program. If
        the class is deleted, the run ends with a ``StoreError``.

        Args:
            smoother: smooths the verdicts of each track; None uses the default; ``Smoother(0)`` does not smooth.
            tracker: None uses a new one.
            budget: seconds per frame for expression vectors; if they are not enough, faces take turns. None: no limit.

        Raises:
            UsageError, StoreError: as ``watch``.
        """
        look = self.watcher().look  # first, because the class may change before its vectors are read
        thresholds = identity_thresholds(self.perception.identity_network)
        current = CurrentClass(self.population, thresholds, self.vectors(), look)
        self._current.add(current)
        return make_loop(self.perception, current, current, smoother=smoother, tracker=tracker, budget=budget)

    def prototypes(self, student: str | None = None) -> PrototypeTable:
        """The prototypes with which the class is classified today, as arrays.

        Args:
            student: only the prototypes of this student; None: those of the class (student None) and of every student.

        Raises:
            UsageError: there is no such class or student.
            StoreError: the class is damaged, or was enrolled with another network.
        """
        if not self.exists:
            raise no_such_class(self.name, self.store.names())
        if student is not None and student not in self.students:
            raise no_such_student(student, self.name, self.students)
        return PrototypeTable.of(self.vectors(), self.population, student)

    def vectors(self) -> PrototypeStore | None:
        """Supports, identity references and prototypes of the students with valid consent; None without any.

        Raises:
            StoreError: the class is damaged, or was enrolled with another network.
        """
        store = self._vectors()
        if store is not None:
            for key in set(self.ended_consents()) & set(store.students()):
                store.remove(key)  # only from this copy; the database keeps the data until the student is removed
            store.rebuild(self.population)
        return store

    def ended_consents(self) -> list[str]:
        """Students who are no longer recognised because their consent has ended or has not begun."""
        roster = self.roster()
        return sorted(set(roster.students) - set(roster.consenting()))

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

    def watcher(self) -> ClassWatch:
        """Notices changes of the class in the database; every loop has one. UsageError: there is no such class."""
        return ClassWatch(self.store.database, self._name, self._refresh, self.store.owner)

    def _counts_only(self) -> bool:
        return Settings(self.store.database, self.store.owner).aggregate_only

    def _refresh(self, standing: Standing | None = None) -> None:
        """Give all running loops the current students and prototypes."""
        self._name = standing.name if standing else self._name
        if self._current:
            store = self.vectors()
            for current in list(self._current):
                current.update(store)

    def _enrolled_with(self) -> Path | None:
        return self._network or network_of(self.store.networks(self._name))

    def _forget_networks(self) -> None:
        """A class without vectors can be enrolled again with the networks in use now."""
        if self._perception is not None and self.store.networks(self._name) is None:
            self._perception = self._population = None

    def _vectors(self) -> PrototypeStore | None:
        """Stored supports and identity references. Raises StoreError if another network made them."""
        store = self.store.vectors(self._name)
        if store is not None:
            store.require(self.perception.network, self.perception.identity_network)
        return store
