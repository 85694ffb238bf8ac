"""Turns photos of a student into support vectors and identity references, or says why a photo was not accepted."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np

from fewshot.classroom.consent import Consent
from fewshot.classroom.copies import NEARLY, SAVED_AGAIN, how_copied
from fewshot.classroom.enrollment_report import PhotoResult, Status, StudentResult
from fewshot.classroom.photo_perception import look_at
from fewshot.classroom.photos import LoadedPhoto, PhotoFile, load_photo
from fewshot.classroom.roster import Photo, Roster, Student
from fewshot.classroom.same_person import fitting, most_alike
from fewshot.classroom.thresholds import IdentityThresholds
from fewshot.errors import printable
from fewshot.perception import Perceives
from fewshot.prototypes.store import PrototypeStore
from fewshot.prototypes.supports import SupportSet
from fewshot.translation import later, together
from fewshot.translation.words import emotion_later
from fewshot.types import EMOTIONS, Quality, Vectors

REMOVE_ONE = later("Remove it from one of the two students")
"""What to do about one photo of two students."""

_READ_AHEAD = 4
"""Photos decoded at the same time; decoding a phone's photo takes longer than all other steps together."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """Everything that is stored of an accepted photo.

    Attributes:
        student: key of the student.
        emotion: label; None for an unlabelled photo.
        sha256, fingerprint: of the file and of the picture.
        expression, identity: unit vectors, shapes (d,) and (k,).
        size, sharpness: of the face; see ``Quality``.
        enrolled: day of the enrollment.
    """

    student: str
    emotion: str | None
    sha256: str
    fingerprint: str
    expression: Vectors
    identity: Vectors
    size: float | None
    sharpness: float | None
    enrolled: date


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A photo with one readable face; not checked yet whether it shows the student."""

    index: int
    file: PhotoFile
    sha256: str
    fingerprint: str
    expression: Vectors
    identity: Vectors
    quality: Quality


class Enrollment:
    """Enrolls students into one class, one after the other. Nothing is written to disk.

    Args:
        eyes: finds and embeds the faces of a photo, with the limits for enrollment.
        roster, store: of the class; both are changed.
        thresholds: thresholds of the identity network.
        has_neutral: tells whether a support set contains a neutral photo.
        doubles: students who look like another one: a second student with a similar face is not refused.

    Attributes:
        accepted: accepted photos of all students so far, in the order of the photos; still to be written.
        consents: consent of every student whose photos were processed.
        relabelled: (student, hash of a photo enrolled before) -> its new label.
    """

    def __init__(
        self,
        eyes: Perceives,
        roster: Roster,
        store: PrototypeStore,
        thresholds: IdentityThresholds,
        has_neutral: Callable[[SupportSet], bool],
        doubles: Collection[str] = (),
    ) -> None:
        self.eyes, self.roster, self.store = eyes, roster, store
        self.thresholds, self.has_neutral = thresholds, has_neutral
        self.doubles = frozenset(doubles)
        self.accepted: list[Accepted] = []
        self.consents: dict[str, Consent] = {}
        self.relabelled: dict[tuple[str, str], str] = {}
        self.on_photo: Callable[[], None] | None = None
        self._alike: dict[str, str] = {}
        self._bursts: dict[str, list[str]] = {}

    def add(self, key: str, files: Sequence[PhotoFile], consent: Consent) -> StudentResult:
        """Enroll a student, or add photos to one. Every photo gets a result; a bad photo raises no error."""
        results: dict[int, PhotoResult] = {}
        candidates = self._of_one_person(key, self._readable(key, files, results), results)
        self._keep(key, candidates, consent)
        for candidate in candidates:
            file = candidate.file
            results[candidate.index] = PhotoResult(file.path, file.emotion, "accepted", sha256=candidate.sha256)
        student = StudentResult(key, [results[index] for index in range(len(files))])
        student.stands = bool(key in self.roster.students and self.roster.students[key].photos)
        student.notes = self._notes(key, len(files)) if student.stands else []
        moved = [photo for photo in student.photos if (key, photo.sha256) in self.relabelled]
        other = self._alike.get(key, "")
        if other and student.stands:
            student.notes.append(_twins(key, other))
        elif other:
            student.looks_like = other
        student.notes += [together(_short(photo.path), photo.reason) for photo in moved]
        return student

    def _readable(self, key: str, files: Sequence[PhotoFile], results: dict[int, PhotoResult]) -> list[_Candidate]:
        """The photos that are new and have one readable face. The results of the others go to ``results``."""
        candidates: list[_Candidate] = []
        for index, loaded in enumerate(read_ahead(files)):
            if self.on_photo is not None:
                self.on_photo()
            file = loaded.file
            status, reason = self._seen_before(key, loaded, candidates)
            seen = None if reason else file.seen or look_at(loaded, self.eyes)
            if seen is None or seen.expression is None or seen.identity is None or seen.quality is None:
                sha256 = loaded.sha256 if status == "already enrolled" else ""
                reason = reason or (seen.problem if seen is not None else "")
                results[index] = PhotoResult(file.path, file.emotion, status, reason, sha256)
                continue
            new = _Candidate(index, file, loaded.sha256, seen.fingerprint, seen.expression, seen.identity, seen.quality)
            if not file.from_camera:
                status, reason = self._copied(key, new, candidates)
            if reason:
                results[index] = PhotoResult(file.path, file.emotion, status, reason)
                continue
            candidates.append(new)
        return candidates

    def _seen_before(self, key: str, loaded: LoadedPhoto, candidates: list[_Candidate]) -> tuple[Status, str]:
        """Status and reason of a photo that needs no detection; the reason is empty if it does need it."""
        if loaded.problem:
            return "rejected", loaded.problem
        owner = self.roster.owner_of(loaded.sha256)
        if owner == key:
            label, said = self.roster.students[key].photos[loaded.sha256].emotion, loaded.file.emotion
            if said is None or said == label:
                return "already enrolled", later("already enrolled as {label}", label=_label(label))
            self._relabel(key, loaded.sha256, said)
            reason = later(
                "was enrolled as {before} and is now enrolled as {label}", before=_label(label), label=_label(said)
            )
            return "already enrolled", reason
        if owner:
            return "rejected", together(later("the same photo is enrolled for {student}.", student=owner), REMOVE_ONE)
        twin = next((other for other in candidates if other.sha256 == loaded.sha256), None)
        return "rejected", later("the same photo as {file}", file=_short(twin.file.path)) if twin else ""

    def _relabel(self, key: str, sha256: str, emotion: str) -> None:
        """Change the label of an enrolled photo, because the teacher moved it to another emotion's folder."""
        photos, supports = self.roster.students[key].photos, self.store.supports_of(key)
        photos[sha256] = replace(photos[sha256], emotion=emotion)
        emotions = [
            emotion if photo == sha256 else label
            for photo, label in zip(supports.photos, supports.emotions, strict=True)
        ]
        self.store.replace(key, replace(supports, emotions=emotions), self.store.identities_of(key))
        self.relabelled[key, sha256] = emotion

    def _copied(self, key: str, new: _Candidate, candidates: list[_Candidate]) -> tuple[Status, str]:
        """Status and reason of a photo that is a copy of another one; the reason is empty for a new photo."""
        for other in candidates:
            how = _how(new, other.fingerprint, other.expression, other.identity[None])
            if how == NEARLY:
                self._bursts.setdefault(key, []).append(_short(other.file.path))
            elif how:
                return "rejected", _copy_of(_short(other.file.path), how)
        for owner, student in sorted(self.roster.students.items(), key=lambda pair: pair[0] != key):
            supports, references = self.store.supports_of(owner), self.store.identities_of(owner)
            for sha256, vector in zip(supports.photos, supports.vectors, strict=True):
                photo = student.photos.get(sha256)
                how = _how(new, photo.fingerprint, vector, references) if photo is not None else ""
                if how in ("", NEARLY):
                    continue
                if owner != key:
                    where = later("the same picture, {how}, is enrolled for {student}.", how=how, student=owner)
                    return "rejected", together(where, REMOVE_ONE)
                if how == SAVED_AGAIN:
                    return "already enrolled", later("a copy of this photo is already enrolled")
                return "already enrolled", later(
                    "the same picture, {how}, is already enrolled, so it counts as one photo", how=how
                )
        return "rejected", ""

    def _of_one_person(
        self, key: str, candidates: list[_Candidate], results: dict[int, PhotoResult]
    ) -> list[_Candidate]:
        """The candidates that show the student. The results of the others go to ``results``."""
        if not candidates:
            return []
        vectors = np.stack([candidate.identity for candidate in candidates])
        known = self.store.identities_of(key)
        fits = fitting(vectors, known, self.thresholds.same)
        agree = bool(fits.any() or len(known))
        reasons = {c.index: self._misfit(key, c, agree) for c, fit in zip(candidates, fits, strict=True) if not fit}
        fitted = [candidate for candidate, fit in zip(candidates, fits, strict=True) if fit]
        if fitted and not len(known):
            other = self._most_alike(key, vectors[fits])
            if other and other[1] >= self.thresholds.duplicate:
                self._alike[key] = other[0]
            if other and key in self._alike and not self.doubles & {key, other[0]}:
                reason = later(
                    "shows {other}, who is already enrolled (similarity {similarity:.2f})",
                    other=other[0],
                    similarity=other[1],
                )
                reasons.update({candidate.index: reason for candidate in fitted})
                fitted = []
        stays = {candidate.index for candidate in fitted}
        for candidate in candidates:
            if candidate.index not in stays:
                file = candidate.file
                results[candidate.index] = PhotoResult(file.path, file.emotion, "rejected", reasons[candidate.index])
        return fitted

    def _misfit(self, key: str, candidate: _Candidate, others_agree: bool) -> str:
        """Why a photo was rejected whose identity does not fit the student."""
        if not others_agree:
            return later(
                "the photos show different people, and it is not clear who {student} is. Keep only photos of {student}",
                student=key,
            )
        other = self._most_alike(key, candidate.identity[None])
        if other and other[1] >= self.thresholds.accept:
            return later(
                "not the same person as in {student}'s other photos; it looks like {other}",
                student=key,
                other=other[0],
            )
        return later("not the same person as in {student}'s other photos", student=key)

    def _most_alike(self, key: str, vectors: Vectors) -> tuple[str, float] | None:
        keys, references = self.store.identity_references()
        others = [row for row, owner in enumerate(keys) if owner != key]
        return most_alike(vectors, [keys[row] for row in others], references[others])

    def _keep(self, key: str, candidates: list[_Candidate], consent: Consent) -> None:
        self.consents[key] = consent
        if key in self.roster.students:
            self.roster.students[key].consent = consent
        if not candidates:
            return
        supports = SupportSet(
            np.stack([candidate.expression for candidate in candidates]),
            [candidate.file.emotion for candidate in candidates],
            [candidate.sha256 for candidate in candidates],
        )
        self.store.add(key, supports, np.stack([candidate.identity for candidate in candidates]))
        student = self.roster.students.setdefault(key, Student(key, consent))
        today = date.today()
        for found in candidates:
            emotion, size, sharpness = found.file.emotion, found.quality.size, found.quality.sharpness
            student.photos[found.sha256] = Photo(emotion, today, found.fingerprint, size, sharpness)
            self.accepted.append(
                Accepted(
                    key, emotion, found.sha256, found.fingerprint, found.expression, found.identity, size, sharpness,
                    today,
                )
            )  # fmt: skip

    def _notes(self, key: str, offered: int) -> list[str]:
        """What the teacher should know about the photos of an enrolled student."""
        emotions = self.roster.students[key].emotions()
        own = sorted(emotion for emotion in emotions if emotion and emotion not in EMOTIONS)
        notes = []
        if burst := self._bursts.get(key):
            names = sorted(set(burst))
            files = ", ".join(names[:3])
            if len(names) > 3:
                files = later("{files} and {number} more", files=files, number=len(names) - 3)
            notes.append(
                later(
                    "some photos are nearly the same, like frames of a burst: {files}. They teach little more than one "
                    "photo. Add photos of another moment",
                    files=files,
                )
            )
        if not offered:
            notes.append(later("no new photos; the photos enrolled before are kept"))
        if not self.has_neutral(self.store.supports_of(key)):
            none = later("no photo is clearly neutral.") if None in emotions else later("no photo of a neutral face.")
            more = later("For better results add one or two photos to {student}/neutral", student=key)
            unsure = later("Until then, {states} will be shown as unsure", states=", ".join(own)) if own else ""
            notes.append(together(none, together(more, unsure, between=". ")))
        return notes


def read_ahead(files: Sequence[PhotoFile]) -> Iterator[LoadedPhoto]:
    """Photos in order, decoded a few ahead in threads (Pillow releases the interpreter lock while it decodes)."""
    if all(file.seen is not None for file in files):  # nothing is opened
        yield from map(load_photo, files)
        return
    with ThreadPoolExecutor(max_workers=_READ_AHEAD) as pool:
        waiting = deque(pool.submit(load_photo, file) for file in files[:_READ_AHEAD])
        for file in files[_READ_AHEAD:]:
            loaded = waiting.popleft().result()
            waiting.append(pool.submit(load_photo, file))
            yield loaded
        while waiting:
            yield waiting.popleft().result()


def _how(new: _Candidate, other: str, expression: Vectors, identities: Vectors) -> str:
    """How a photo was made from another one; see ``copies.how_copied``."""
    if not len(identities):
        return ""
    nearest = float((identities @ new.identity).max())
    return how_copied(new.fingerprint, other, float(new.expression @ expression), nearest)


def _copy_of(name: str, how: str) -> str:
    if how == SAVED_AGAIN:
        return later("a copy of {name}, saved again", name=name)
    return later("the same picture as {name}, {how}, so it counts as one photo", name=name, how=how)


def _label(emotion: str | None) -> str:
    return emotion_later(emotion) if emotion else later("unlabelled")


def _twins(student: str, other: str) -> str:
    """What it means for recognition that two students look alike."""
    return later(
        "{student} looks like {other}. When only one of them is in view, or their faces are small, the program may "
        "show no name or the name of the other one",
        student=student,
        other=other,
    )


def _short(path: Path) -> str:
    return printable(f"{path.parent.name}/{path.name}")
