"""Photos of a student -> support vectors and identity references, or the reason in words why not."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fewshot.classroom.consent import Consent
from fewshot.classroom.enrollment_report import PhotoResult, Status, StudentResult
from fewshot.classroom.photos import LoadedPhoto, PhotoFile, fingerprint, load_photo, same_photo
from fewshot.classroom.roster import Photo, Roster, Student
from fewshot.classroom.thresholds import IdentityThresholds
from fewshot.perception import Perceives
from fewshot.prototypes.store import PrototypeStore
from fewshot.prototypes.supports import SupportSet
from fewshot.types import EMOTIONS, Face, Frame, Quality, Vectors
from fewshot.unit_vectors import unit_rows

CLEAR_SUBJECT = 3.0
"""The largest face of a photo is its subject if its box has this many times the area of the second."""

_READ_AHEAD = 4
"""Photos read from disk at once; decoding a phone's picture takes longer than all the rest."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """An accepted photo: all that is kept of it.

    Attributes:
        student: key.
        emotion: label; None for an unlabelled one.
        sha256, fingerprint: of the file and of the picture.
        expression, identity: unit vectors, shapes (d,) and (k,).
        size, sharpness: of the face; see ``Quality``.
        enrolled: the day.
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
    """A photo with one readable face, not yet known whose."""

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
        eyes: photo to faces, as strict as enrollment wants it.
        roster, store: of the class; both are changed.
        thresholds: of the identity network.
        has_neutral: whether there is a neutral photo among a student's.

    Attributes:
        accepted: what is to be written of all students so far, in the order of the photos.
        consents: of everybody whose photos were looked at.
        relabelled: (student, hash of a photo that was enrolled before) -> what it shows, as it is said now.
    """

    def __init__(
        self,
        eyes: Perceives,
        roster: Roster,
        store: PrototypeStore,
        thresholds: IdentityThresholds,
        has_neutral: Callable[[SupportSet], bool],
    ) -> None:
        self.eyes, self.roster, self.store = eyes, roster, store
        self.thresholds, self.has_neutral = thresholds, has_neutral
        self.accepted: list[Accepted] = []
        self.consents: dict[str, Consent] = {}
        self.relabelled: dict[tuple[str, str], str] = {}

    def add(self, key: str, files: Sequence[PhotoFile], consent: Consent) -> StudentResult:
        """Enroll a student, or add photos to one; every photo is judged, none raises."""
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
        student.notes += [f"{_short(photo.path)} {photo.reason}" for photo in moved]
        return student

    def _readable(self, key: str, files: Sequence[PhotoFile], results: dict[int, PhotoResult]) -> list[_Candidate]:
        """Photos that are new and have one readable face; the others go to ``results``."""
        candidates: list[_Candidate] = []
        for index, loaded in enumerate(_read_ahead(files)):
            file = loaded.file
            status, reason = self._seen_before(key, loaded, candidates)
            face, photo = None, loaded.frame
            if not reason and photo is not None:
                face, reason = self._subject(photo)
            if face is None or photo is None or face.expression is None or face.identity is None:
                sha256 = loaded.sha256 if status == "already enrolled" else ""
                results[index] = PhotoResult(file.path, file.emotion, status, reason, sha256)
                continue
            mark = fingerprint(photo, face.crop)
            if not file.from_camera:
                status, reason = self._saved_anew(key, mark, candidates)
            if reason:
                results[index] = PhotoResult(file.path, file.emotion, status, reason)
                continue
            candidates.append(
                _Candidate(index, file, loaded.sha256, mark, face.expression, face.identity, face.quality)
            )
        return candidates

    def _seen_before(self, key: str, loaded: LoadedPhoto, candidates: list[_Candidate]) -> tuple[Status, str]:
        """Status and reason for a photo that need not be looked at; an empty reason if it must be."""
        if loaded.problem:
            return "rejected", loaded.problem
        owner = self.roster.owner_of(loaded.sha256)
        if owner == key:
            label, said = self.roster.students[key].photos[loaded.sha256].emotion, loaded.file.emotion
            if said is None or said == label:
                return "already enrolled", f"already enrolled as {label or 'unlabelled'}"
            self._relabel(key, loaded.sha256, said)
            return "already enrolled", f"was enrolled as {label or 'unlabelled'}, is {said} from now on"
        if owner:
            return "rejected", f"this very photo is enrolled as {owner}'s. Remove it from one of the two"
        twin = next((other for other in candidates if other.sha256 == loaded.sha256), None)
        return "rejected", f"the same photo twice: it is {_short(twin.file.path)}" if twin else ""

    def _relabel(self, key: str, sha256: str, emotion: str) -> None:
        """Whoever moves a photo to another folder means it."""
        photos, supports = self.roster.students[key].photos, self.store.supports_of(key)
        photos[sha256] = replace(photos[sha256], emotion=emotion)
        emotions = [
            emotion if photo == sha256 else label
            for photo, label in zip(supports.photos, supports.emotions, strict=True)
        ]
        self.store.replace(key, replace(supports, emotions=emotions), self.store.identities_of(key))
        self.relabelled[key, sha256] = emotion

    def _saved_anew(self, key: str, mark: str, candidates: list[_Candidate]) -> tuple[Status, str]:
        """Status and reason for another photo saved anew; an empty reason for one that looks like none before."""
        twin = next((other for other in candidates if same_photo(other.fingerprint, mark)), None)
        if twin:
            return "rejected", f"the same photo twice: it is {_short(twin.file.path)}, saved anew"
        student = self.roster.students.get(key)
        if student is not None and any(same_photo(photo.fingerprint, mark) for photo in student.photos.values()):
            return "already enrolled", "the same photo, saved anew, is enrolled already"
        return "rejected", ""

    def _subject(self, photo: Frame) -> tuple[Face | None, str]:
        """The one face a photo is about, with both vectors, or the reason why there is none."""
        height, width = photo.shape[:2]
        faces = sorted(self.eyes.look(photo), key=face_area, reverse=True)
        if not faces:
            return None, f"no face found ({width}x{height}). Use a photo where the face is at least 60 pixels wide"
        if len(faces) > 1 and face_area(faces[0]) < CLEAR_SUBJECT * face_area(faces[1]):
            return None, f"{len(faces)} faces, none clearly the subject. Cut the photo to the student"
        face = faces[0]
        if not face.quality.ok:
            return None, "; ".join(face.quality.reasons)
        self.eyes.identify(photo, [face])
        return face, ""

    def _of_one_person(
        self, key: str, candidates: list[_Candidate], results: dict[int, PhotoResult]
    ) -> list[_Candidate]:
        """Those that show the student; the others go to ``results``."""
        if not candidates:
            return []
        vectors = np.stack([candidate.identity for candidate in candidates])
        known = self.store.identities_of(key)
        fits = fitting(vectors, known, self.thresholds.same)
        reasons = {c.index: self._misfit(key, c, bool(fits.any() or len(known))) for c in candidates}
        fitted = [candidate for candidate, fit in zip(candidates, fits, strict=True) if fit]
        if fitted and not len(known):
            other = self._most_alike(key, vectors[fits])
            if other and other[1] >= self.thresholds.duplicate:
                reason = f"shows {other[0]}, who is enrolled already (similarity {other[1]:.2f})"
                reasons.update({candidate.index: reason for candidate in fitted})
                fitted = []
        stays = {candidate.index for candidate in fitted}
        for candidate in candidates:
            if candidate.index not in stays:
                file = candidate.file
                results[candidate.index] = PhotoResult(file.path, file.emotion, "rejected", reasons[candidate.index])
        return fitted

    def _misfit(self, key: str, candidate: _Candidate, others_agree: bool) -> str:
        """Why a photo whose identity does not fit was refused."""
        if not others_agree:
            return f"the photos show different people, and which of them is {key} cannot be told. Leave only {key}'s"
        other = self._most_alike(key, candidate.identity[None])
        hint = f"; it looks like {other[0]}" if other and other[1] >= self.thresholds.accept else ""
        return f"not the person of {key}'s other photos{hint}"

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
        """What the teacher should know about the photos of a student who stands."""
        emotions = self.roster.students[key].emotions()
        own = sorted(emotion for emotion in emotions if emotion and emotion not in EMOTIONS)
        notes = []
        if not offered:
            notes.append("no photos here; those enrolled before stay")
        if not self.has_neutral(self.store.supports_of(key)):
            unsure = f"; {', '.join(own)} will be shown as not reliable yet" if own else ""
            none = "none of the photos is surely neutral" if None in emotions else "no photo of a neutral face"
            notes.append(f"{none}: add one or two in {key}/neutral for better readings{unsure}")
        return notes


def _read_ahead(files: Sequence[PhotoFile]) -> Iterator[LoadedPhoto]:
    """Photos in order, decoded a few ahead in threads (Pillow lets go of the interpreter while it decodes)."""
    with ThreadPoolExecutor(max_workers=_READ_AHEAD) as pool:
        waiting = deque(pool.submit(load_photo, file) for file in files[:_READ_AHEAD])
        for file in files[_READ_AHEAD:]:
            loaded = waiting.popleft().result()
            waiting.append(pool.submit(load_photo, file))
            yield loaded
        while waiting:
            yield waiting.popleft().result()


def face_area(face: Face) -> float:
    """Of the box, square pixels: the largest face of a picture is its subject, see ``CLEAR_SUBJECT``."""
    width, height = face.box[2:] - face.box[:2]
    return float(width * height)


def _short(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def fitting(vectors: Vectors, known: Vectors, same: float) -> NDArray[np.bool_]:
    """Which new pictures show the student: those linked to the known ones by similarity, else the largest group.

    Two pictures are linked if their cosine reaches ``same``; a smile and a frown of one person may be linked through
    a third picture only. If nothing is known and two groups are equally large, nobody can tell which is the student,
    and none fits.

    Args:
        vectors: unit identity vectors of the new pictures, shape (n, k).
        known: those of pictures enrolled before, shape (m, k); m may be 0.
        same: least cosine of two pictures of one person.

    Returns:
        Shape (n,).
    """
    from scipy.sparse.csgraph import connected_components  # costs a third of a second, and watching needs none of it

    everything = np.concatenate([vectors, known]) if len(known) else vectors
    if len(everything) < 2:
        return np.ones(len(vectors), dtype=bool)
    _, groups = connected_components(everything @ everything.T >= same, directed=False)
    if len(known):
        return np.isin(groups[: len(vectors)], groups[len(vectors) :])
    sizes = np.bincount(groups)
    if (sizes == sizes.max()).sum() > 1:
        return np.zeros(len(vectors), dtype=bool)
    return np.asarray(groups == sizes.argmax())


def most_alike(vectors: Vectors, keys: list[str], references: Vectors) -> tuple[str, float] | None:
    """The student whose mean reference is nearest to the mean of ``vectors``, and the cosine; None without students.

    Args:
        vectors: unit identity vectors of one person, shape (n, k), n > 0.
        keys: whose each reference is, length m.
        references: shape (m, k).
    """
    if not keys:
        return None
    mean = unit_rows(vectors.mean(axis=0))
    owners = np.array(keys, dtype=object)
    return max(
        ((key, float(mean @ unit_rows(references[owners == key].mean(axis=0)))) for key in sorted(set(keys))),
        key=lambda pair: pair[1],
    )
