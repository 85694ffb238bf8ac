"""``fewshot.Classroom``: one class in one object."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from fewshot.classroom.consent import Consent, make_consent
from fewshot.classroom.enrollment import Enrollment
from fewshot.classroom.eyes import photo_perception
from fewshot.classroom.folder import enroll_all, no_consent, read_folder, stray_notes
from fewshot.classroom.matching import TrackStudents
from fewshot.classroom.names import check_name, emotion_of
from fewshot.classroom.photos import PhotoFile, list_photos_of
from fewshot.classroom.report import EnrollmentReport, StudentResult
from fewshot.classroom.roster import ROSTER_FILE, Roster, class_folder, delete_class, no_such_class
from fewshot.classroom.thresholds import identity_thresholds
from fewshot.live.loop import Loop
from fewshot.live.sources import open_source
from fewshot.models import resolve
from fewshot.perception import Perception, open_perception
from fewshot.prototypes.classifier import Classifier
from fewshot.prototypes.population import Population
from fewshot.prototypes.store import FILE as STORE_FILE
from fewshot.prototypes.store import PrototypeStore
from fewshot.prototypes.supports import has_neutral_reference
from fewshot.types import FrameResult

if TYPE_CHECKING:
    from fewshot.live.loop import Reader, Students

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

    def __init__(self, folder: Path, detector: str = "auto", download: bool = True) -> None:
        self.folder = folder
        self._detector, self._download = detector, download
        self._perception: Perception | None = None
        self._population: Population | None = None

    @classmethod
    def open(cls, name: str, *, detector: str = "auto", download: bool = True) -> Classroom:
        """Open a class by name; one that does not exist yet is made when the first student is enrolled.

        Args:
            name: of the class, in any script.
            detector: "auto", "scrfd", "yunet" or "cascade".
            download: whether missing models may be fetched.

        Raises:
            UsageError: the name cannot be a folder's.
        """
        return cls(class_folder(name), detector, download)

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def exists(self) -> bool:
        return (self.folder / ROSTER_FILE).is_file()

    @property
    def students(self) -> list[str]:
        """Keys of everybody enrolled, also of those whose consent has ended. Loads no model."""
        return sorted(self.roster().students)

    def roster(self) -> Roster:
        """The roster as it stands on disk.

        Raises:
            StoreError: it is damaged.
        """
        return Roster.load(self.folder)

    @property
    def perception(self) -> Perception:
        if self._perception is None:
            self._perception = open_perception(self._detector, download=self._download, recogniser=self._recogniser())
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
    ) -> StudentResult:
        """Enroll a student, or add photos to one.

        Args:
            student: the key that readings will carry.
            photos: files; or one folder as ``fewshot enroll`` takes a student's.
            consent_by: who allowed it; may be left out while a recorded consent holds.
            consent_until: last day of the consent.
            emotion: what the photos show; None leaves files unlabelled.

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
        consent = _given(consent_by, consent_until) or recorded
        if consent is None or not consent.holds(date.today()):
            raise no_consent(self.name, "PHOTOS")
        report = self._enroll(roster, {key: _files(photos, label)}, {key: consent})
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
        store = self._store(roster) if self._has_store() else self._new_store(roster)
        enrollment = Enrollment(
            photo_perception(self.perception),
            roster,
            store,
            identity_thresholds(self.perception.identity_network),
            lambda supports: has_neutral_reference(supports, self.population),
        )
        report = enroll_all(enrollment, photos, consents, on_student)
        if roster.students:
            # The store first: a student in the store alone has no consent and is dropped, one in the roster alone
            # would seem to be enrolled.
            store.rebuild(self.population)
            store.save(self.folder)
            roster.save()
        return report

    def remove(self, student: str) -> None:
        """Remove a student and everything that was theirs; the last one's removal removes the class.

        Raises:
            UsageError: there is no such class or student.
            StoreError: what is on disk is damaged.
        """
        if not self.exists:
            raise no_such_class(self.name)
        roster = self.roster()
        roster.remove(student)
        if not roster.students:
            delete_class(self.folder)
            return
        store = PrototypeStore.load(self.folder)
        if student in store.students():
            store.remove(student)
            store.save(self.folder)
        roster.save()

    def watch(self, source: object) -> Iterator[FrameResult]:
        """Read a source frame by frame.

        Args:
            source: a camera number, file, folder, address, "screen", or frames (BGR arrays).

        Raises:
            UsageError: there is no such class, or no such source.
            StoreError: the class is damaged, or was enrolled with another network.
            SourceError: the source gives no picture.
        """
        loop = self.loop()
        opened = open_source(source)  # type: ignore[arg-type]
        return (step.result for step in loop.run(opened))

    def loop(self) -> Loop:
        """A run over one or more sources with the students whose consent holds today.

        Raises:
            UsageError, StoreError: as ``watch``.
        """
        if not self.exists:
            raise no_such_class(self.name)
        roster = self.roster()
        store = self._store(roster)
        for key in self.ended_consents():
            if key in store.students():
                store.remove(key)  # from this run's copy; what is on disk stays until somebody removes them
        store.rebuild(self.population)
        keys, references = store.identity_references()
        students = TrackStudents(keys, references, identity_thresholds(self.perception.identity_network))
        return make_loop(self.perception, Classifier(self.population, store), students)

    def ended_consents(self) -> list[str]:
        """Students who are not recognised any more because their consent has ended."""
        roster = self.roster()
        return sorted(set(roster.students) - set(roster.consenting()))

    def _recogniser(self) -> str:
        """Whose identity vectors this class is made of; any for a new one."""
        if not self._has_store():
            return "auto"
        stored = PrototypeStore.load(self.folder).identity_network
        return "own" if stored.endswith(":identity") else "mobilefacenet"

    def _has_store(self) -> bool:
        return (self.folder / STORE_FILE).is_file()

    def _store(self, roster: Roster) -> PrototypeStore:
        """The store, without anybody who is not on the roster."""
        perception = self.perception
        store = PrototypeStore.load(
            self.folder, network=perception.network, identity_network=perception.identity_network
        )
        for key in set(store.students()) - set(roster.students):
            store.remove(key)
        return store

    def _new_store(self, roster: Roster) -> PrototypeStore:
        if roster.students:
            PrototypeStore.load(self.folder)  # raises: a roster without its store
        perception = self.perception
        return PrototypeStore(
            perception.embedder.dimension,
            perception.identity_dimension,
            perception.network,
            perception.identity_network,
        )


def open_population() -> Population:
    """The population prototypes that ship beside the network."""
    return Population.load(resolve("expression").with_suffix(".json"))


def make_loop(perception: Perception, reader: Reader | None = None, students: Students | None = None) -> Loop:
    """A loop with these students; without any it reads expressions by the population's prototypes."""
    return Loop(perception, reader or Classifier(open_population()), students)


def _given(consent_by: str | None, until: str | date | None) -> Consent | None:
    return make_consent(consent_by or "", until) if consent_by is not None or until is not None else None


def _files(photos: PathLike | Sequence[PathLike], label: str | None) -> list[PhotoFile]:
    if isinstance(photos, str | Path):
        if Path(photos).is_dir():
            found = list_photos_of(Path(photos))
            return [PhotoFile(photo.path, label, photo.problem) for photo in found] if label else found
        photos = [photos]
    return [PhotoFile(Path(photo), label) for photo in photos]
