"""What changes a class: enrolling, removing and renaming, and correcting what was read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fewshot.class_models import ClassModels
from fewshot.classroom.class_enrollment import (
    ClassEnrollment,
    PathLike,
    doubles_among,
    given_consent,
    photo_files,
)
from fewshot.classroom.consent import Consent
from fewshot.classroom.corrections import Learned, learn, learned, unlearn
from fewshot.classroom.enrollment_report import EnrollmentReport, StudentResult
from fewshot.classroom.folder import no_consent, read_folder, valid_consent
from fewshot.classroom.names import emotion_of
from fewshot.classroom.photos import PhotoFile
from fewshot.database import ErasurePending
from fewshot.types import Frame


class ClassChanges(ClassModels):
    """Everything that writes a class. Running loops and models follow each change at once."""

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
            UsageError: there is no consent, a name cannot be used, or ``looks_like`` names a student who is not there.
            StoreError: the database is damaged or cannot be written, or another network made its vectors.
        """
        label = emotion_of(emotion) if emotion is not None else None
        consent = given_consent(consent_by, consent_until)
        return self._enroll_one(student, lambda: photo_files(photos, label, from_camera), consent, looks_like, on_photo)

    def enroll_pictures(
        self,
        student: str,
        pictures: Sequence[tuple[Frame, str | None]],
        *,
        consent_by: str | None = None,
        consent_until: str | date | None = None,
        from_camera: bool = False,
        looks_like: Sequence[str] = (),
    ) -> StudentResult:
        """Enroll a student from pictures that are in memory only; no file is written. Otherwise like ``enroll``.

        Args:
            student: name of the student.
            pictures: each one BGR, uint8, shape (height, width, 3), with what it shows; None leaves it unlabelled.
            consent_by: see ``enroll``.
            consent_until: see ``enroll``.
            from_camera: see ``enroll``.
            looks_like: see ``enroll``.

        Returns:
            As ``enroll``. A picture is called "pictures/1", "pictures/2" ... in the order given.

        Raises:
            UsageError, StoreError: as ``enroll``.
        """
        files = [
            PhotoFile(
                Path(f"pictures/{number}"), emotion_of(shows) if shows is not None else None, from_camera=from_camera,
                picture=picture,
            )
            for number, (picture, shows) in enumerate(pictures, start=1)
        ]  # fmt: skip
        return self._enroll_one(student, lambda: files, given_consent(consent_by, consent_until), looks_like)

    def _enroll_one(
        self,
        student: str,
        files: Callable[[], list[PhotoFile]],
        given: Consent | None,
        looks_like: Sequence[str],
        on_photo: Callable[[], None] | None = None,
    ) -> StudentResult:
        """Check name, doubles and consent; only then look at the photos."""
        roster = self.roster()
        key = roster.key_for(student)
        doubles = doubles_among(looks_like, {key, *roster.students})
        consent = valid_consent(roster, key, given)
        self.store.require_writable()
        report = self._enrollment().enroll({key: files()}, {key: consent}, doubles=doubles, on_photo=on_photo)
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
            StoreError: the database is damaged or cannot be written, or another network made its vectors.
        """
        roster = self.roster()
        found = read_folder(Path(folder), given_consent(consent_by, consent_until), roster)
        doubles = doubles_among(looks_like, {*found.photos, *roster.students})
        report = EnrollmentReport()
        if found.photos:
            self.store.require_writable()
            report = self._enrollment().enroll(
                found.photos, found.consents, on_student, found.reasons, doubles, on_photo
            )
            self._refresh()
        report.students += found.refused()
        report.notes = [*found.notes, *report.notes]
        return report

    def enroll_photos(
        self,
        photos: Mapping[str, Sequence[PhotoFile]],
        consents: Mapping[str, Consent],
        *,
        looks_like: Sequence[str] = (),
        only_check: bool = False,
    ) -> EnrollmentReport:
        """Enroll photos of several students, each with a separate consent.

        Args:
            photos: student -> photos. Those that were looked at before (``PhotoFile.seen``) are not opened again.
            consents: student -> consent, for every student in ``photos``.
            looks_like: see ``enroll_folder``.
            only_check: report what would happen, and store nothing.

        Returns:
            The students in the order of ``photos``, each with its photos in order.

        Raises:
            UsageError: a consent is not valid today, or ``looks_like`` names a student who is not there.
            StoreError: as ``enroll_folder``.
        """
        roster, today = self.roster(), date.today()
        wrong = {key: consents[key].why_not(today) if key in consents else f"no consent for {key}" for key in photos}
        if any(wrong.values()):
            raise no_consent(roster.name, "PHOTOS", {key: why for key, why in wrong.items() if why})
        doubles = doubles_among(looks_like, {*photos, *roster.students})
        listed = {key: list(files) for key, files in photos.items()}
        if only_check:
            return self._enrollment().check(listed, consents, doubles)
        self.store.require_writable()
        report = self._enrollment().enroll(listed, consents, doubles=doubles)
        self._refresh()
        return report

    def _enrollment(self) -> ClassEnrollment:
        return ClassEnrollment(self.store, self._name, self.perception, self.population, self._vectors())

    def create(self, sample: bool = False) -> None:
        """Create the class without students; see ``ClassStore.create``."""
        self._name = self.store.create(self._name, sample)

    def rename(self, name: str) -> None:
        """Rename the class; see ``ClassStore.rename``."""
        try:
            self._name = self.store.rename(self._name, name)
        except ErasurePending:
            self._name = self.store.spelled(name)
            raise

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
