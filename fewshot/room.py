"""``fewshot.Classroom``: one class in one object."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakSet

import numpy as np
from numpy.typing import NDArray

from fewshot.classroom.class_rows import Networks
from fewshot.classroom.consent import SAMPLE_CONSENT, Consent, make_consent
from fewshot.classroom.corrections import Learned, learn, learned, unlearn
from fewshot.classroom.current import CurrentClass
from fewshot.classroom.enrollment import Enrollment
from fewshot.classroom.enrollment_report import EnrollmentReport, StudentResult
from fewshot.classroom.folder import enroll_all, no_consent, read_folder, stray_notes
from fewshot.classroom.names import check_name, emotion_of
from fewshot.classroom.photo_perception import photo_perception
from fewshot.classroom.photos import PhotoFile, list_photos_of
from fewshot.classroom.roster import Roster
from fewshot.classroom.store import ClassStore, no_such_class
from fewshot.classroom.thresholds import identity_thresholds
from fewshot.database import Database, in_folder
from fewshot.live.loop import Loop
from fewshot.live.pipeline import Pipeline, Schedule
from fewshot.live.sources import open_source
from fewshot.models.files import resolve
from fewshot.perception import Perception, open_perception
from fewshot.prototypes.classifier import Classifier
from fewshot.prototypes.label_doubt import doubted_photos
from fewshot.prototypes.population import Population
from fewshot.prototypes.store import PrototypeStore
from fewshot.prototypes.supports import has_neutral_reference
from fewshot.session.recorder import LessonRecorder
from fewshot.session.settings import Settings
from fewshot.types import FrameResult

if TYPE_CHECKING:
    from fewshot.faces.tracker import Tracker
    from fewshot.live.loop import Reader, Students
    from fewshot.live.smoothing import Smoother

PathLike = str | Path


class Classroom:
    """The students of one class: enroll them, watch them, remove them. Models are loaded when first needed.

    Not for use where law forbids emotion recognition: in the European Union that is education and work (AI Act,
    Article 5(1)(f)), except for medical or safety reasons. Readings are uncertain; never grade or judge by them.

    Example:
        >>> room = Classroom.open("physics")  # doctest: +SKIP
        >>> room.enroll("asha", ["asha1.jpg", "asha2.jpg"], consent_by="her mother, 2026-11-20")  # doctest: +SKIP
        >>> for result in room.watch("lesson.mp4"):  # doctest: +SKIP
        ...     print([(reading.student, reading.emotion) for reading in result.readings])
    """

    def __init__(
        self, place: str | Path, detector: str = "auto", download: bool = True, database: Database | None = None
    ) -> None:
        """Open a class; one that does not exist yet is made when the first student is enrolled.

        Args:
            place: name of the class, in any script; or, as a ``Path``, a folder with a database of its own, whose
                name is the class's.
            detector: "auto", "scrfd", "yunet" or "cascade".
            download: whether missing models may be fetched.
            database: where the class is kept; None is the usual one.

        Raises:
            UsageError: the name cannot be a class's.
            StoreError: the database is damaged.
        """
        if isinstance(place, Path):
            database = database or in_folder(place)
        self.store = ClassStore(database)
        self._name = self.store.spelled(place.name if isinstance(place, Path) else place)
        self._detector, self._download = detector, download
        self._perception: Perception | None = None
        self._population: Population | None = None
        self._current: WeakSet[CurrentClass] = WeakSet()

    @classmethod
    def open(
        cls, name: str, *, detector: str = "auto", download: bool = True, database: Database | None = None
    ) -> Classroom:
        """Open a class by name; see the class itself."""
        return cls(name, detector, download, database)

    @classmethod
    def temporary(cls, name: str, *, detector: str = "auto", download: bool = True) -> Classroom:
        """A class in memory, which is gone with this object."""
        return cls(name, detector, download, Database("sqlite://"))

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
                self._detector, download=self._download, recogniser=self._recogniser(), threads=Schedule().threads()
            )
        return self._perception

    @property
    def population(self) -> Population:
        if self._population is None:
            self._population = open_population()
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
        consent = _given(consent_by, consent_until) or recorded or (SAMPLE_CONSENT if roster.sample else None)
        if consent is None or not consent.holds(date.today()):
            raise no_consent(self.name, "PHOTOS")
        report = self._enroll(roster, {key: _files(photos, label, from_camera)}, {key: consent})
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
        photos, consents = read_folder(Path(folder), _given(consent_by, consent_until), roster)
        report = self._enroll(roster, photos, consents, on_student) if photos else EnrollmentReport()
        report.notes = stray_notes(Path(folder), photos)
        return report

    def _enroll(
        self,
        roster: Roster,
        photos: dict[str, list[PhotoFile]],
        consents: dict[str, Consent],
        on_student: Callable[[str], None] | None = None,
    ) -> EnrollmentReport:
        perception = self.perception
        networks = Networks(
            perception.network,
            perception.identity_network,
            perception.embedder.dimension,
            perception.identity_dimension,
        )
        enrollment = Enrollment(
            photo_perception(perception),
            roster,
            self._vectors() or networks.empty_store(),
            identity_thresholds(perception.identity_network),
            lambda supports: has_neutral_reference(supports, self.population),
        )
        report = enroll_all(enrollment, photos, consents, on_student)
        # Asked of new photos and of new labels; an answer that was given once is not asked for again.
        new = {photo.sha256 for photo in enrollment.accepted} | {sha256 for _, sha256 in enrollment.relabelled}
        looks = {
            photo: look for photo, look in doubted_photos(self.population, enrollment.store).items() if photo in new
        }
        for result in report.students:
            result.photos = [replace(photo, looks=looks.get(photo.sha256, "")) for photo in result.photos]
        self.store.keep(self._name, enrollment.accepted, enrollment.consents, networks)
        for (student, sha256), emotion in enrollment.relabelled.items():
            self.store.label_photo(self._name, student, sha256, emotion)
        self._refresh()
        return report

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

    def watch(self, source: object, plan: Schedule | None = None) -> Iterator[FrameResult]:
        """Read a source frame by frame: every frame of a file, the newest of a live source.

        Args:
            source: a camera number, file, folder, address, "screen", or frames (BGR arrays).
            plan: how the work is shared out among threads.

        Raises:
            UsageError: there is no such class, or no such source.
            StoreError: the class is damaged, or was enrolled with another network.
            SourceError: the source gives no picture.
        """
        pipeline = Pipeline(self.loop(), open_source(source), plan=plan)  # type: ignore[arg-type]
        return (step.result for step in pipeline.run())

    def loop(
        self, *, smoother: Smoother | None = None, tracker: Tracker | None = None, budget: float | None = None
    ) -> Loop:
        """A run over one or more sources with the students whose consent holds today.

        Args:
            smoother, tracker, budget: see ``fewshot.live.loop.Loop``.

        Raises:
            UsageError, StoreError: as ``watch``.
        """
        if not self.exists:
            raise no_such_class(self.name, self.store.names())
        thresholds = identity_thresholds(self.perception.identity_network)
        current = CurrentClass(self.population, thresholds, self.vectors())
        self._current.add(current)
        return make_loop(self.perception, current, current)

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


def open_population() -> Population:
    """The population prototypes that ship beside the network."""
    return Population.load(resolve("expression").with_suffix(".json"))


def make_loop(
    perception: Perception,
    reader: Reader | None = None,
    students: Students | None = None,
    budget: float | None = None,
) -> Loop:
    """A loop with these students; without any it reads expressions by the population's prototypes."""
    reader = reader or Classifier(open_population())
    return Loop(perception, reader, students, budget=budget, moving=perception.following())


def _given(consent_by: str | None, until: str | date | None) -> Consent | None:
    return make_consent(consent_by or "", until) if consent_by is not None or until is not None else None


def _files(photos: PathLike | Sequence[PathLike], label: str | None, from_camera: bool = False) -> list[PhotoFile]:
    if isinstance(photos, str | Path):
        if Path(photos).is_dir():
            found = list_photos_of(Path(photos))
            return [PhotoFile(photo.path, label, photo.problem) for photo in found] if label else found
        photos = [photos]
    return [PhotoFile(Path(photo), label, from_camera=from_camera) for photo in photos]
