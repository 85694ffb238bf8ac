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
from fewshot.classroom.consent import PURPOSE, Consent, make_consent
from fewshot.classroom.enrollment_report import StudentResult
from fewshot.classroom.folder import valid_consent
from fewshot.classroom.names import check_name, emotion_of
from fewshot.classroom.own_classes import Numbered
from fewshot.classroom.photos import PhotoFile
from fewshot.classroom.places import includes, refuse_uncovered, server_purpose, uncovered
from fewshot.classroom.store import ClassStore
from fewshot.errors import FewshotError
from fewshot.live.sinks.jsonl import as_record
from fewshot.live.sources.base import CapturedFrame
from fewshot.pictures import read_sized_picture
from fewshot.private_files import open_private
from fewshot.safe_text import xml_text
from fewshot.session.analysis.words import counted
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
    given = _given(service, consent_by, consent_until, consent_purpose)
    with TemporaryFolder("photos") as folder, service.working, service.rooms.enrolling(of):
        paths = [_keep(photo, Path(folder) / f"{index:03}") for index, photo in enumerate(photos)]
        room = service.rooms.of(caller, of)
        roster = room.roster()
        key = roster.key_for(name)
        consent = valid_consent(roster, key, given)
        if not roster.sample and not includes(consent.purpose, service.place):
            refuse_uncovered([key], service.place)
        files = [PhotoFile(path, label) for path, label in zip(paths, labels, strict=True)]
        report = room.enroll_photos({key: files}, {key: consent}, looks_like=looks_like)
    return _result(report.students[0], paths)


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
        try:
            frame, size = read_sized_picture(path)
        except FewshotError as error:  # its text names a file of the server
            raise Problem(422, error.text.replace(str(path), "The file")) from error
        loop = service.rooms.loop(caller, of, names)
        step = loop.step(CapturedFrame("picture", 0, 0.0, frame, independent=True, size=size))
    if of is not None:
        service.looks.note(caller, of.name)
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
        labels, files = counted(len(emotions), "emotion"), counted(photos, "photo")
        raise Problem(422, f"The request has {labels} for {files}. Send one for each, one, or none.")
    found = [emotion_of(each) if each else None for each in emotions] or [None]
    return found * photos if len(found) == 1 else found


def _given(service: Service, given_by: str, until: date | None, purpose: str) -> Consent | None:
    """The consent of a request; its purpose must include the server if pictures come from other computers."""
    if not given_by:
        return None
    if not includes(purpose, service.place):
        raise Problem(
            422,
            f"The pictures go to the server {service.place}, and the consent must include that. Send "
            f"consent_purpose, such as: {server_purpose(service.place)}.",
        )
    return replace(make_consent(given_by, until), purpose=xml_text(purpose) or PURPOSE)


def _keep(upload: UploadFile, path: Path) -> Path:
    """The upload in a file, for decoders that need one. Its name says nothing, and is not used."""
    with open_private(path) as file:
        shutil.copyfileobj(upload.file, file)
    return path


def _result(result: StudentResult, paths: list[Path]) -> EnrolledShape:
    """The result in the order of the photos, without names of files of the server."""
    places = {path: index for index, path in enumerate(paths)}
    photos = sorted(
        (
            PhotoShape(
                index=places[photo.path], status=photo.status, emotion=photo.emotion, doubt=photo.doubt,
                reason=_without(photo.reason, places),
            )
            for photo in result.photos
        ),
        key=lambda photo: photo.index,
    )  # fmt: skip
    return EnrolledShape(
        student=result.student, enrolled=result.stands, photos=photos,
        notes=[_without(note, places) for note in result.notes], problem=_without(result.problem, places),
    )  # fmt: skip


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
