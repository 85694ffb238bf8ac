"""Enrolls photos into a class of the database: checks before, writing and reporting afterwards."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from fewshot.classroom.class_rows import Networks
from fewshot.classroom.consent import Consent, make_consent
from fewshot.classroom.enrollment import Enrollment
from fewshot.classroom.enrollment_report import EnrollmentReport
from fewshot.classroom.folder import enroll_all
from fewshot.classroom.names import canonical, check_name
from fewshot.classroom.photo_labels import photos_of
from fewshot.classroom.photo_perception import photo_perception
from fewshot.classroom.photos import PhotoFile
from fewshot.classroom.store import ClassStore
from fewshot.classroom.thresholds import identity_thresholds
from fewshot.errors import UsageError
from fewshot.perception import Perception
from fewshot.prototypes.estimators.class_model import WORTH_SAYING, fit_class
from fewshot.prototypes.label_doubt import doubted_photos
from fewshot.prototypes.population import Population
from fewshot.prototypes.store import PrototypeStore
from fewshot.prototypes.supports import has_neutral_reference
from fewshot.translation import later

PathLike = str | Path
TRUSTED_LITTLE = later(
    "The photos of this class differ a lot from one another, as everyday photos do. So they change readings "
    "only a little. Photos taken like the lesson help most: the same camera, the same light, the face towards "
    "the screen."
)


@dataclass(slots=True)
class ClassEnrollment:
    """Enrolls photos into one class of the database.

    Attributes:
        store: the database of classes.
        classroom: name of the class.
        perception: the same chain that later watches the class.
        population: population prototypes of the perception's network.
        known: supports and identity references of the class so far; None for a new class.
    """

    store: ClassStore
    classroom: str
    perception: Perception
    population: Population
    known: PrototypeStore | None

    def enroll(
        self,
        photos: Mapping[str, list[PhotoFile]],
        consents: Mapping[str, Consent],
        on_student: Callable[[str], None] | None = None,
        reasons: Mapping[str, str] | None = None,
        doubles: Collection[str] = (),
        on_photo: Callable[[], None] | None = None,
    ) -> EnrollmentReport:
        """Check photos, store the vectors of the accepted ones, and report the result of every photo.

        Args:
            photos: student -> photos.
            consents: student -> consent, for every student in ``photos``.
            on_student: called with each student's key before their photos are processed.
            doubles: students who look like another one; see ``Enrollment``.
            on_photo: called before each photo is looked at.
            reasons: student -> why there is no consent, for those without one.

        Raises:
            UsageError: a student has no consent.
            StoreError: the database cannot be written.
        """
        enrollment, report = self._checked(photos, consents, on_student, reasons, doubles, on_photo)
        self.store.keep(self.classroom, enrollment.accepted, enrollment.consents, self._networks())
        for (student, sha256), emotion in enrollment.relabelled.items():
            self.store.label_photo(self.classroom, student, sha256, emotion)
        return report

    def check(
        self, photos: Mapping[str, list[PhotoFile]], consents: Mapping[str, Consent], doubles: Collection[str] = ()
    ) -> EnrollmentReport:
        """What ``enroll`` would report. Nothing is stored."""
        return self._checked(photos, consents, doubles=doubles)[1]

    def _networks(self) -> Networks:
        perception = self.perception
        return Networks(
            perception.network,
            perception.identity_network,
            perception.embedder.dimension,
            perception.identity_dimension,
        )

    def _checked(
        self,
        photos: Mapping[str, list[PhotoFile]],
        consents: Mapping[str, Consent],
        on_student: Callable[[str], None] | None = None,
        reasons: Mapping[str, str] | None = None,
        doubles: Collection[str] = (),
        on_photo: Callable[[], None] | None = None,
    ) -> tuple[Enrollment, EnrollmentReport]:
        """Everything but the writing; the arguments are those of ``enroll``."""
        enrollment = Enrollment(
            photo_perception(self.perception),
            self.store.roster(self.classroom),
            self.known or self._networks().empty_store(),
            identity_thresholds(self.perception.identity_network),
            lambda supports: has_neutral_reference(supports, self.population),
            doubles,
        )
        enrollment.on_photo = on_photo
        report = enroll_all(enrollment, dict(photos), dict(consents), on_student, reasons)
        self._point_out_doubts(enrollment, report)
        if enrollment.accepted and trusted_little(self.population, enrollment.store):
            report.notes.append(TRUSTED_LITTLE)
        return enrollment, report

    def _point_out_doubts(self, enrollment: Enrollment, report: EnrollmentReport) -> None:
        """Mark doubtful labels of new or relabelled photos only: a teacher is not asked twice about one photo."""
        new = {photo.sha256 for photo in enrollment.accepted} | {sha256 for _, sha256 in enrollment.relabelled}
        doubted = doubted_photos(self.population, enrollment.store)
        instead = {photo: emotion for photo, emotion in doubted.items() if photo in new}
        for result in report.students:
            result.photos = [replace(photo, looks=instead.get(photo.sha256, "")) for photo in result.photos]


def trusted_little(population: Population, store: PrototypeStore) -> bool:
    """Whether one photo of this class is worth so little that nobody's readings would be called personal."""
    return fit_class(population, [store.supports_of(student) for student in store.students()]).worth < WORTH_SAYING


def given_consent(consent_by: str | None, until: str | date | None) -> Consent | None:
    """The consent that a caller gives; None if both arguments are None.

    Raises:
        UsageError: ``until`` is not a date, or no person is named.
    """
    return make_consent(consent_by or "", until) if consent_by is not None or until is not None else None


def photo_files(photos: PathLike | Sequence[PathLike], label: str | None, from_camera: bool = False) -> list[PhotoFile]:
    """The photos that a caller gives: a file, several files, or a student's folder. ``label`` overrides subfolders."""
    if isinstance(photos, str | Path):
        if Path(photos).is_dir():
            found = list(photos_of(Path(photos)))
            return [PhotoFile(photo.path, label, photo.problem) for photo in found] if label else found
        photos = [photos]
    return [PhotoFile(Path(photo), label, from_camera=from_camera) for photo in photos]


def doubles_among(looks_like: str | Sequence[str], names: Collection[str]) -> frozenset[str]:
    """The students who are said to have a double, as they are stored.

    Args:
        looks_like: their names as a person typed them.
        names: the students of the class, and those who are being enrolled.

    Raises:
        UsageError: a name is not among ``names``, or cannot be a name.
    """
    stored = {canonical(name): name for name in names}
    said = [looks_like] if isinstance(looks_like, str) else looks_like
    found = {check_name(name, "student") for name in said}
    absent = sorted(found - set(stored))
    if absent:
        raise UsageError(
            later(
                "{names} cannot look like another student: there is no such student in the class or the folder. "
                "Students: {students}.",
                names=", ".join(absent),
                students=", ".join(sorted(names)) or "none",
            )
        )
    return frozenset(stored[name] for name in found)
