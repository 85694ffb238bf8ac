"""``fewshot.Classroom``: one class in one object."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakSet

import numpy as np
from numpy.typing import NDArray

from fewshot.classroom.class_enrollment import ClassEnrollment, PathLike, given_consent, photo_files
from fewshot.classroom.consent import SAMPLE_CONSENT
from fewshot.classroom.corrections import Learned, learn, learned, unlearn
from fewshot.classroom.current import CurrentClass
from fewshot.classroom.enrollment_report import EnrollmentReport, StudentResult
from fewshot.classroom.folder import no_consent, read_folder, stray_notes
from fewshot.classroom.names import check_name, emotion_of
from fewshot.classroom.roster import Roster, no_such_student
from fewshot.classroom.store import ClassStore, no_such_class
from fewshot.classroom.thresholds import identity_thresholds
from fewshot.database import Database, in_folder
from fewshot.errors import StoreError, UsageError
from fewshot.live.loop import Loop
from fewshot.live.pipeline import Pipeline, Schedule
from fewshot.live.sources import Watchable, open_source
from fewshot.models.files import network_file, resolve
from fewshot.perception import Perception, open_perception
from fewshot.prototypes.classifier import Classifier
from fewshot.prototypes.population import Population
from fewshot.prototypes.store import PrototypeStore
from fewshot.prototypes.table import PrototypeTable
from fewshot.session.recorder import LessonRecorder
from fewshot.session.settings import Settings
from fewshot.types import FrameResult

if TYPE_CHECKING:
    from fewshot.faces.detections import Detector
    from fewshot.faces.tracker import Tracker
    from fewshot.live.loop import Reader, Students
    from fewshot.live.smoothing import Smoother


class Classroom:
    """The students of one class: enroll them, watch them, remove them. Models are loaded when first needed.

    Not for use where law forbids emotion recognition: in the European Union that is education and work (AI Act,
    Article 5(1)(f)), except for medical or safety reasons. Readings are uncertain; never grade or judge by them.

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
    ) -> None:
        """Open a class; one that does not exist yet is made when the first student is enrolled.

        Args:
            name: of the class, in any script. A ``Path`` is still taken for ``in_folder``, with a warning.
            detector: "auto", "scrfd", "yunet", "cascade", or an open detector.
            download: whether missing models may be fetched.
            database: where the class is kept; None is the usual one.
            network: an expression network of your own: an ONNX file, its population (.json) beside it.

        Raises:
            UsageError: the name cannot be a class's, or there is no such network.
            StoreError: the database is damaged.
        """
        if isinstance(name, Path):
            warnings.warn(
                "Classroom(Path(...)) will go: write Classroom.in_folder(path).", DeprecationWarning, stacklevel=2
            )
            database = database or in_folder(name)
            name = name.name
        self.store = ClassStore(database)
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
    ) -> Classroom:
        """Open a class of the usual database by name; see the class itself."""
        return cls(name, detector, download, database, network)

    @classmethod
    def in_folder(
        cls,
        folder: PathLike,
        *,
        detector: str | Detector = "auto",
        download: bool = True,
        network: PathLike | None = None,
    ) -> Classroom:
        """A class with a database of its own in a folder, which is made if need be; the folder's name is the class's.

        Raises:
            UsageError: the folder's name cannot be a class's.
            StoreError: the database is damaged, or cannot be made there.
        """
        place = Path(folder)
        return cls(place.name or place.resolve().name, detector, download, in_folder(place), network)

    @classmethod
    def temporary(
        cls, name: str, *, detector: str | Detector = "auto", download: bool = True, network: PathLike | None = None
    ) -> Classroom:
        """A class in memory, which is gone with this object."""
        return cls(name, detector, download, Database("sqlite://"), network)

    @property
    def name(self) -> str:
        return self._name

    @property
    def exists(self) -> bool:
        return self.store.exists(self._name)

    @property
    def students(self) -> list[str]:
        """Keys of everybody in the class, also of those whose consent has ended. Loads no model."""
        return sorted(self.roster().students)

    def roster(self) -> Roster:
        """The roster as it stands in the database.

        Raises:
            StoreError: it is damaged.
        """
        return self.store.roster(self._name)

    @property
    def perception(self) -> Perception:
        if self._perception is None:
            self._perception = open_perception(
                self._detector,
                download=self._download,
                network=self._network,
                recogniser=self._recogniser(),
                threads=Schedule().threads(),
            )
        return self._perception

    @property
    def population(self) -> Population:
        if self._population is None:
            self._population = open_population(self._network)
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
    ) -> StudentResult:
        """Enroll a student, or add photos to one.

        Args:
            student: the key that readings will carry.
            photos: files; or one folder as ``fewshot enroll`` takes a student's.
            consent_by: who allowed it; may be left out while a recorded consent holds.
            consent_until: last day of the consent.
            emotion: what the photos show; None leaves files unlabelled.
            from_camera: a camera took them now: two that look alike are not taken for one photo saved twice.

        Returns:
            Every photo's result with its reason, and whether the student is in the class now.

        Raises:
            UsageError: no consent, or a name that cannot be.
            StoreError: what is on disk is damaged, or was made by another network.
        """
        key = check_name(student, "student")
        label = emotion_of(emotion) if emotion is not None else None
        roster = self.roster()
        recorded = roster.students[key].consent if key in roster.students else None
        consent = given_consent(consent_by, consent_until) or recorded or (SAMPLE_CONSENT if roster.sample else None)
        if consent is None or not consent.holds(date.today()):
            raise no_consent(self.name, "PHOTOS")
        report = self._enrollment().enroll({key: photo_files(photos, label, from_camera)}, {key: consent})
        self._refresh()
        return report.students[0]

    def enroll_folder(
        self,
        folder: PathLike,
        *,
        consent_by: str | None = None,
        consent_until: str | date | None = None,
        on_student: Callable[[str], None] | None = None,
    ) -> EnrollmentReport:
        """Enroll everybody in ``PHOTOS/<student>/<emotion>/*`` or ``PHOTOS/<student>/*``.

        Consent is ``consent_by`` or stands in ``PHOTOS/consent.csv``.

        Raises:
            UsageError: no such folder, a faulty consent.csv, or nobody has consent.
            StoreError: what is on disk is damaged, or was made by another network.
        """
        roster = self.roster()
        photos, consents = read_folder(Path(folder), given_consent(consent_by, consent_until), roster)
        report = EnrollmentReport()
        if photos:
            report = self._enrollment().enroll(photos, consents, on_student)
            self._refresh()
        report.notes = stray_notes(Path(folder), photos)
        return report

    def _enrollment(self) -> ClassEnrollment:
        return ClassEnrollment(self.store, self._name, self.perception, self.population, self._vectors())

    def create(self, sample: bool = False) -> None:
        """Make the class, with nobody in it yet; see ``ClassStore.create``."""
        self._name = self.store.create(self._name, sample)

    def rename(self, name: str) -> None:
        """Give the class another name; see ``ClassStore.rename``."""
        self._name = self.store.rename(self._name, name)

    def delete(self) -> None:
        """Delete the class with its students and all its lessons; see ``ClassStore.delete``."""
        self.store.delete(self._name)
        self._refresh()

    def remove(self, student: str) -> None:
        """Remove a student and everything that was theirs, in the lessons too; an empty class goes with its last one.

        Raises:
            UsageError: there is no such class or student.
            StoreError: the database is damaged.
        """
        self.store.remove_student(self._name, student)
        self._refresh()

    def correct(
        self,
        lesson: int,
        student: str,
        second: float,
        actually: str,
        vector: NDArray[np.floating],
        said: str | None = None,
    ) -> int:
        """Tell what a student really showed. Their prototypes learn it at once, in every loop made by this object.

        Args:
            lesson: number of the lesson it is about.
            second: since its start.
            actually: an emotion, or a state of the student's own ("concentrating").
            vector: ``Face.expression`` of the student's face at that moment, shape (d,).
            said: what the reading had named; None for "unsure".

        Returns:
            Number of the correction, for ``undo``.

        Raises:
            UsageError: no such lesson or student, or a label that cannot be one.
            DimensionMismatch: the vector is another network's.
        """
        correction = learn(self.store.database, self._name, lesson, student, second, actually, vector, said)
        self._refresh()
        return correction

    def corrections(self) -> list[Learned]:
        """Corrections of any lesson that the class still reads by, newest first; each can be undone."""
        return learned(self.store.database, self._name)

    def undo(self, correction: int) -> None:
        """Take a correction back: the prototypes are again what they were without it.

        Raises:
            UsageError: there is no such correction of this class.
        """
        unlearn(self.store.database, self._name, correction)
        self._refresh()

    def watch(self, source: Watchable, schedule: Schedule | None = None) -> Iterator[FrameResult]:
        """Read a source frame by frame: every frame of a file, the newest of a live source.

        Args:
            source: a camera number, file, folder, address, "screen", frames (BGR arrays, uint8, shape
                (height, width, 3)), or an open source.
            schedule: how the work is shared out among threads.

        Yields:
            One result per frame, in order.

        Raises:
            UsageError: there is no such class, or no such source.
            StoreError: the class is damaged, or was enrolled with another network.
            SourceError: the source gives no picture.
        """
        pipeline = Pipeline(self.loop(), open_source(source), schedule=schedule)
        return (step.result for step in pipeline.run())

    def loop(
        self, *, smoother: Smoother | None = None, tracker: Tracker | None = None, budget: float | None = None
    ) -> Loop:
        """A run over one or more sources with the students whose consent holds today.

        Args:
            smoother: of the verdicts of a track; None is the usual one, ``Smoother(0)`` smooths nothing.
            tracker: None is a fresh one.
            budget: seconds per frame for expression vectors; beyond it faces take turns. None: no limit.

        Raises:
            UsageError, StoreError: as ``watch``.
        """
        if not self.exists:
            raise no_such_class(self.name, self.store.names())
        thresholds = identity_thresholds(self.perception.identity_network)
        current = CurrentClass(self.population, thresholds, self.vectors())
        self._current.add(current)
        return make_loop(self.perception, current, current, smoother=smoother, tracker=tracker, budget=budget)

    def prototypes(self, student: str | None = None) -> PrototypeTable:
        """The prototypes by which the class is read today, as arrays.

        Args:
            student: only this student's; None: the class's own (student None) and those of every student.

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
        """Supports, identity references and prototypes of the students whose consent holds today; None without any.

        Raises:
            StoreError: the class is damaged, or was enrolled with another network.
        """
        store = self._vectors()
        if store is not None:
            for key in set(self.ended_consents()) & set(store.students()):
                store.remove(key)  # from this run's copy; what is in the database stays until somebody removes them
            store.rebuild(self.population)
        return store

    def ended_consents(self) -> list[str]:
        """Students who are not recognised any more because their consent has ended."""
        roster = self.roster()
        return sorted(set(roster.students) - set(roster.consenting()))

    def recorder(
        self, source: str = "", title: str = "", aggregate: bool | None = None, sample: bool = False
    ) -> LessonRecorder:
        """A sink that keeps a lesson of the students whose consent holds today.

        Args:
            source: what is watched.
            title: of the lesson.
            aggregate: keep counts alone; None as the settings say.
            sample: the lesson shows nobody real.

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
            aggregate=Settings(self.store.database).aggregate_only if aggregate is None else aggregate,
            database=self.store.database,
        )

    def _refresh(self) -> None:
        """Let every loop that is under way read by the prototypes as they are now."""
        if self._current:
            store = self.vectors()
            for current in list(self._current):
                current.update(store)

    def _recogniser(self) -> str:
        """Whose identity vectors this class is made of; any for a new one."""
        networks = self.store.networks(self._name)
        if networks is None:
            return "auto"
        return "own" if networks.identity_network.endswith(":identity") else "mobilefacenet"

    def _vectors(self) -> PrototypeStore | None:
        """Raises StoreError if another network made them than the one in use."""
        store = self.store.vectors(self._name)
        if store is not None:
            store.require(self.perception.network, self.perception.identity_network)
        return store


def open_population(network: PathLike | None = None) -> Population:
    """The population prototypes beside a network; None is the one in use.

    Raises:
        UsageError: there are none beside it.
        StoreError: they are damaged.
    """
    path = resolve("expression", network_file(network)).with_suffix(".json")
    if not path.is_file():
        raise UsageError(
            f"There is no {path.name} beside the network. It holds the network's population prototypes. "
            f"Make it with: python experiments/population.py"
        )
    return Population.load(path)


def make_loop(
    perception: Perception,
    reader: Reader | None = None,
    students: Students | None = None,
    *,
    smoother: Smoother | None = None,
    tracker: Tracker | None = None,
    budget: float | None = None,
    network: PathLike | None = None,
) -> Loop:
    """A loop with these students; without any it reads expressions by the population's prototypes.

    Args:
        perception: frames to faces with vectors.
        reader: vectors to verdicts; None reads everybody by the prototypes beside the perception's network.
        students: tracks to students; None recognises nobody.
        smoother, tracker, budget: see ``Classroom.loop``.
        network: that the perception was opened with.

    Raises:
        StoreError: the population prototypes belong to another network.
    """
    if reader is None:
        population = open_population(network)
        require_network(population, perception.network)
        reader = Classifier(population)
    return Loop(
        perception, reader, students, smoother=smoother, tracker=tracker, budget=budget, moving=perception.following()
    )


def require_network(population: Population, network: str) -> None:
    """Raises StoreError unless the population prototypes were made by this network."""
    if population.network != network:
        raise StoreError(
            f"The network in use is {network}, and the population prototypes beside it were made by "
            f"{population.network}. Make them again with: python experiments/population.py"
        )
