"""Perception for single photos: the one face of a photo, or the reason why there is none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fewshot.classroom.photo_advice import has_upright_face, no_face, turned, with_advice
from fewshot.classroom.photos import LONGEST_SIDE, LoadedPhoto, SeenPhoto, fingerprint
from fewshot.faces.any_size import any_size
from fewshot.faces.boxes import box_area, face_area, pairwise_iou
from fewshot.faces.quality import ENROLLMENT_LIMITS, Limits
from fewshot.perception import Perceives, Perception
from fewshot.pictures import read_picture
from fewshot.translation import later
from fewshot.types import Face, Frame

CLEAR_SUBJECT = 3.0
"""The largest face of a photo is its subject if its box is at least this many times as large as the second one."""

_SHARED = 300
"""Pixels that two parts of a large photo share. A face that is larger is found in the reduced photo."""
_SAME_FACE = 0.3
"""Overlap of two boxes of one face, which lies in two parts."""

SMALL_FACE = 96
"""If a face of a reduced photo is smaller, in pixels, and cannot be used, the photo is read again in full size."""


def photo_perception(perception: Perception, limits: Limits = ENROLLMENT_LIMITS) -> Perception:
    """The chain for enrollment photos: the same detector and networks as in a lesson, with stricter limits."""
    return Perception(
        any_size(perception.detector), perception.embedder, perception.recogniser, limits, perception.notes
    )


def look_at(photo: LoadedPhoto, eyes: Perceives) -> SeenPhoto:
    """Find and embed the subject of one photo. A photo that cannot be used raises no error.

    Args:
        photo: as ``load_photo`` gives it.
        eyes: finds and embeds faces, with the limits for enrollment.
    """
    if photo.problem or photo.frame is None:
        return SeenPhoto(photo.sha256, photo.problem)
    face, reason = _subject(photo.frame, eyes, photo.size)
    nobody = reason == no_face(photo.frame, size=photo.size)  # and not several faces, or a photo that lies on its side
    if photo.file.picture is None and (nobody or (face is not None and reason)):
        face, reason = _closer(photo.file.path, photo.frame, face, eyes) or (None, reason)
    if reason or face is None or face.expression is None or face.identity is None:
        return SeenPhoto(photo.sha256, reason)
    mark = fingerprint(photo.frame, face.crop)
    return SeenPhoto(photo.sha256, "", mark, face.expression, face.identity, face.quality)


def _subject(photo: Frame, eyes: Perceives, size: tuple[int, int] | None = None) -> tuple[Face | None, str]:
    """The face of the photo's subject, with both vectors, or the reason why there is none.

    Args:
        size: width and height of the file's picture, for the reason, if ``photo`` is a reduced copy.
    """
    faces = sorted(eyes.look(photo), key=face_area, reverse=True)
    if not faces:
        lies = next((how for how, upright in turned(photo) if has_upright_face(eyes.find(upright))), "")
        return None, no_face(photo, lies, size)
    if len(faces) > 1 and face_area(faces[0]) < CLEAR_SUBJECT * face_area(faces[1]):
        return None, _several(len(faces))
    face = faces[0]
    if not face.quality.ok:
        return face, with_advice(face.quality.reasons)
    eyes.identify(photo, [face])
    return face, ""


def _several(count: int) -> str:
    return later("{count} faces, and none is clearly the largest. Crop the photo to the student", count=count)


def _closer(path: Path, photo: Frame, face: Face | None, eyes: Perceives) -> tuple[Face | None, str] | None:
    """The subject as the file shows it, if its face was too small only because the photo was reduced."""
    if face is not None and min(face.box[2:] - face.box[:2]) >= SMALL_FACE:
        return None
    whole = read_picture(path)
    scale = whole.shape[1] / photo.shape[1]
    if scale < 1.1:
        return None
    boxes = [face.box * scale] if face is not None else _far_faces(whole, eyes)
    if not boxes:
        return None
    if len(boxes) > 1 and box_area(boxes[0]) < CLEAR_SUBJECT * box_area(boxes[1]):
        return None, _several(len(boxes))
    left, top, right, bottom = np.asarray(boxes[0], int)
    reach = max(right - left, bottom - top)
    part = whole[max(0, top - reach) : bottom + reach, max(0, left - reach) : right + reach]
    found, reason = _subject(np.ascontiguousarray(part), eyes)
    return None if found is None or reason else (found, "")


def _far_faces(whole: Frame, eyes: Perceives) -> list[NDArray[np.float32]]:
    """Boxes of the faces in a large photo that are too small for one look at all of it; the largest comes first."""
    height, width = whole.shape[:2]
    found = []
    for top in range(0, max(1, height - _SHARED), LONGEST_SIDE - _SHARED):
        for left in range(0, max(1, width - _SHARED), LONGEST_SIDE - _SHARED):
            part = np.ascontiguousarray(whole[top : top + LONGEST_SIDE, left : left + LONGEST_SIDE])
            offset = np.array([left, top, left, top], np.float32)
            found += [face.box + offset for face in eyes.find(part) if face.quality.ok]
    boxes: list[NDArray[np.float32]] = []
    for box in sorted(found, key=box_area, reverse=True):
        if not boxes or pairwise_iou(box[None], np.array(boxes)).max() < _SAME_FACE:
            boxes.append(box)
    return boxes
