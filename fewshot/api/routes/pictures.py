"""What takes pictures: enrolling a student, and reading one picture. No picture is kept."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, File, Form, UploadFile

from fewshot.api.asking import ERRORS, Analyzes, Enrolls, TheService
from fewshot.api.callers import Caller
from fewshot.api.problems import Problem
from fewshot.api.service import Service
from fewshot.api.shapes import EnrolledShape, FrameShape, Name, Number, PhotoShape
from fewshot.call_labels.students import Names
from fewshot.classroom.consent import PURPOSE
from fewshot.classroom.enrollment_report import StudentResult
from fewshot.classroom.names import check_name, emotion_of
from fewshot.classroom.own_classes import Numbered
from fewshot.classroom.places import includes, refuse_uncovered, server_purpose, uncovered
from fewshot.classroom.store import ClassStore
from fewshot.live.sinks.jsonl import as_record
from fewshot.live.sources.base import CapturedFrame
from fewshot.pictures import read_sized_picture
from fewshot.room import Classroom
from fewshot.session.temporary import TemporaryFolder

MOST_PHOTOS = 50
"""Photos of one request."""

Text = Annotated[str, Form(max_length=500)]


def enroll(
    caller: Enrolls,
    service: TheService,
    class_id: Number,
    student: Annotated[Name, Form()],
    photos: Annotated[list[UploadFile], File(min_length=1, max_length=MOST_PHOTOS)],
    emotions: Annotated[list[str], Form(max_length=MOST_PHOTOS)] = [],  # noqa: B006  # FastAPI copies it
    consent_by: Text = "",
    consent_until: Annotated[date | None, Form()] = None,
    consent_purpose: Text = "",
    looks_like: Annotated[list[str], Form(max_length=MOST_PHOTOS)] = [],  # noqa: B006
) -> EnrolledShape:
    """Enroll a student, or add photos to one. The photos are not kept, only vectors computed from them.

    ``emotions`` has one label for each photo in their order ("" for a photo without one), one for all, or none.
    ``consent_by`` is not needed while a recorded consent is valid. If the service is reached from other computers, the
    purpose of the consent must include the server.
    """
    of = caller.class_of(class_id)
    name = check_name(student, "student")
    labels = _labels(emotions, len(photos))
    covered = _consent_covers(service, caller, of, name, consent_by, consent_purpose)
    with TemporaryFolder("photos") as folder, service.working, service.rooms.enrolling(of):
        paths = [_keep(photo, Path(folder) / f"{index:03}") for index, photo in enumerate(photos)]
        room = service.rooms.of(caller, of)
        results = []
        for label in dict.fromkeys(labels):
            chosen = [path for path, other in zip(paths, labels, strict=True) if other == label]
            results.append(
                room.enroll(
                    name, chosen, emotion=label, looks_like=looks_like,
                    consent_by=consent_by or None, consent_until=consent_until if consent_by else None,
                )
            )  # fmt: skip
        if consent_by and covered != PURPOSE:
            _record_purpose(room, name, covered)
    return _result(results, paths)


def read_picture(
    caller: Analyzes,
    service: TheService,
    picture: Annotated[UploadFile, File()],
    class_id: Annotated[Number | None, Form()] = None,
    names: Annotated[Names, Form()] = Names.faces,
) -> FrameShape:
    """Read one picture: its faces, who they are if a class is given, and their expressions.

    ``names`` says where the names come from: "faces", "labels" (what a video call writes on its tiles: no face is
    recognised), or "both" (a face whose label names another student gets no name).
    """
    of = None if class_id is None else caller.class_of(class_id)
    require_covered(service, caller, of)
    with TemporaryFolder("picture") as folder, service.working:
        path = _keep(picture, Path(folder) / "picture")
        frame, size = read_sized_picture(path)
        loop = service.rooms.loop(caller, of, names)
        step = loop.step(CapturedFrame("picture", 0, 0.0, frame, independent=True, size=size))
    service.figures.saw(len(step.result.readings), 0.0)
    return FrameShape(**as_record(step.result))


def require_covered(service: Service, caller: Caller, of: Numbered | None) -> None:
    """Refuse pictures of a class if they come from other computers, and a consent does not include that.

    Raises:
        UsageError: a consent does not include the server.
    """
    if of is not None and service.place:
        roster = ClassStore(service.database, caller.owner).roster(of.name)
        if not roster.sample:
            consents = {name: roster.students[name].consent for name in roster.consenting()}
            refuse_uncovered(uncovered(consents, service.place), service.place)


def _labels(emotions: list[str], photos: int) -> list[str | None]:
    """One label for each photo."""
    if len(emotions) not in (0, 1, photos):
        raise Problem(422, f"There are {len(emotions)} emotions for {photos} photos. Send one for each, one, or none.")
    labels = [emotion_of(each) if each else None for each in emotions] or [None]
    return labels * photos if len(labels) == 1 else labels


def _consent_covers(service: Service, caller: Caller, of: Numbered, student: str, given_by: str, purpose: str) -> str:
    """The purpose of the consent; it must include the server if pictures come from other computers."""
    if given_by:
        if not includes(purpose, service.place):
            raise Problem(
                422,
                f"The pictures go to the server {service.place}, and the consent must include that. Send "
                f"consent_purpose, such as: {server_purpose(service.place)}.",
            )
        return purpose or PURPOSE
    known = ClassStore(service.database, caller.owner).roster(of.name).students
    if student in known and not includes(known[student].consent.purpose, service.place):
        refuse_uncovered([student], service.place)
    return PURPOSE


def _record_purpose(room: Classroom, student: str, purpose: str) -> None:
    known = room.roster().students.get(student)
    if known is not None:
        room.store.record_consent(room.name, student, replace(known.consent, purpose=purpose))


def _keep(upload: UploadFile, path: Path) -> Path:
    """The upload in a file, for decoders that need one. Its name says nothing, and is not used."""
    with path.open("wb") as file:
        shutil.copyfileobj(upload.file, file)
    return path


def _result(results: list[StudentResult], paths: list[Path]) -> EnrolledShape:
    """The results of all labels as one, in the order of the photos, without names of files of the server."""
    places = {path: index for index, path in enumerate(paths)}
    photos = sorted(
        (
            PhotoShape(
                index=places[photo.path], status=photo.status, emotion=photo.emotion, doubt=photo.doubt,
                reason=_without(photo.reason, places),
            )
            for result in results
            for photo in result.photos
        ),
        key=lambda photo: photo.index,
    )  # fmt: skip
    last = results[-1]
    notes = list(dict.fromkeys(_without(note, places) for result in results for note in result.notes))
    problem = next((_without(result.problem, places) for result in results if result.problem), "")
    return EnrolledShape(student=last.student, enrolled=last.stands, photos=photos, notes=notes, problem=problem)


def _without(text: str, places: dict[Path, int]) -> str:
    for path, index in places.items():
        for form in (str(path), f"{path.parent.name}/{path.name}"):
            text = text.replace(form, f"photo {index}")
    return text


def router() -> APIRouter:
    """The routes of this file."""
    routes = APIRouter(tags=["pictures"], responses=ERRORS)
    routes.add_api_route("/classes/{class_id}/students", enroll, methods=["POST"])
    routes.add_api_route("/pictures", read_picture, methods=["POST"])
    return routes
