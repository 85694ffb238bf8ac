"""Photos into a class: what is asked before, and what is written and said afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from fewshot.classroom.class_rows import Networks
from fewshot.classroom.consent import Consent, make_consent
from fewshot.classroom.enrollment import Enrollment
from fewshot.classroom.enrollment_report import EnrollmentReport
from fewshot.classroom.folder import enroll_all
from fewshot.classroom.photo_perception import photo_perception
from fewshot.classroom.photos import PhotoFile, list_photos_of
from fewshot.classroom.store import ClassStore
from fewshot.classroom.thresholds import identity_thresholds
from fewshot.perception import Perception
from fewshot.prototypes.label_doubt import doubted_photos
from fewshot.prototypes.population import Population
from fewshot.prototypes.store import PrototypeStore
from fewshot.prototypes.supports import has_neutral_reference

PathLike = str | Path


@dataclass(slots=True)
class ClassEnrollment:
    """Enrolls photos into one class of the database.

    Attributes:
        store: where classes are kept.
        classroom: name of the class.
        perception: the chain that later watches the class.
        population: of the perception's network.
        known: what the class knows of its students so far; None for a new class.
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
    ) -> EnrollmentReport:
        """Look at photos, keep the vectors of the accepted ones, and report on every photo.

        Args:
            photos: student -> photos.
            consents: of every student in ``photos``.
            on_student: is told whose photos are looked at next.

        Raises:
            UsageError: a student without consent.
            StoreError: the database cannot be written.
        """
        perception = self.perception
        networks = Networks(
            perception.network,
            perception.identity_network,
            perception.embedder.dimension,
            perception.identity_dimension,
        )
        enrollment = Enrollment(
            photo_perception(perception),
            self.store.roster(self.classroom),
            self.known or networks.empty_store(),
            identity_thresholds(perception.identity_network),
            lambda supports: has_neutral_reference(supports, self.population),
        )
        report = enroll_all(enrollment, dict(photos), dict(consents), on_student)
        self._point_out_doubts(enrollment, report)
        self.store.keep(self.classroom, enrollment.accepted, enrollment.consents, networks)
        for (student, sha256), emotion in enrollment.relabelled.items():
            self.store.label_photo(self.classroom, student, sha256, emotion)
        return report

    def _point_out_doubts(self, enrollment: Enrollment, report: EnrollmentReport) -> None:
        """Asks about new photos and new labels; an answer that was given once is not asked for again."""
        new = {photo.sha256 for photo in enrollment.accepted} | {sha256 for _, sha256 in enrollment.relabelled}
        doubted = doubted_photos(self.population, enrollment.store)
        looks = {photo: look for photo, look in doubted.items() if photo in new}
        for result in report.students:
            result.photos = [replace(photo, looks=looks.get(photo.sha256, "")) for photo in result.photos]


def given_consent(consent_by: str | None, until: str | date | None) -> Consent | None:
    """The consent that a caller names; None where nothing was said.

    Raises:
        UsageError: a day that is none, or a last day without a person.
    """
    return make_consent(consent_by or "", until) if consent_by is not None or until is not None else None


def photo_files(photos: PathLike | Sequence[PathLike], label: str | None, from_camera: bool = False) -> list[PhotoFile]:
    """The photos a caller names: one file, several, or a student's folder; ``label`` overrides its subfolders."""
    if isinstance(photos, str | Path):
        if Path(photos).is_dir():
            found = list_photos_of(Path(photos))
            return [PhotoFile(photo.path, label, photo.problem) for photo in found] if label else found
        photos = [photos]
    return [PhotoFile(Path(photo), label, from_camera=from_camera) for photo in photos]
