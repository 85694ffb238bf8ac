"""Classes, their students, and the corrections that they learned from."""

from __future__ import annotations

from datetime import date

from fastapi import APIRouter
from starlette.responses import Response

from fewshot.access.forget import forget as erase
from fewshot.api.asking import ERRORS, Enrolls, Forgets, Reads, Teaches, TheService
from fewshot.api.callers import Caller
from fewshot.api.problems import not_found
from fewshot.api.service import Service
from fewshot.api.shapes import (
    ClassShape,
    ConsentShape,
    CorrectionShape,
    NewClass,
    Number,
    Removed,
    RosterShape,
    StudentShape,
)
from fewshot.classroom.corrections import learned, unlearn
from fewshot.classroom.own_classes import Numbered, is_done
from fewshot.classroom.roster import Student
from fewshot.classroom.store import ClassStore
from fewshot.errors import FewshotError


def list_classes(caller: Reads, service: TheService) -> list[ClassShape]:
    """The classes that the caller may use."""
    return [_class(caller, service, each) for each in caller.classes.all()]


def make_class(caller: Enrolls, service: TheService, asked: NewClass) -> ClassShape:
    """Make an empty class."""
    caller.require_all_classes("make another one")
    name = ClassStore(service.database, caller.owner).create(asked.name)
    return _class(caller, service, caller.class_named(name))


def roster(caller: Reads, service: TheService, class_id: Number) -> RosterShape:
    """The students of a class, their consents, and how many photos of each emotion are enrolled."""
    of = caller.class_of(class_id)
    numbers = {name: number for number, name in caller.classes.students(of).items()}
    found = ClassStore(service.database, caller.owner).roster(of.name)
    students = [_student(numbers[name], each) for name, each in sorted(found.students.items()) if name in numbers]
    return RosterShape(id=of.id, name=of.name, sample=found.sample, students=students)


def forget(caller: Forgets, service: TheService, class_id: Number, student_id: Number) -> Removed:
    """Erase a student and all their data, also in the lessons. The class stays, also if it is empty then.

    The receipt is signed and names nobody; ``fewshot audit receipt FILE`` checks it.
    """
    of = caller.class_of(class_id)
    name = caller.classes.students(of).get(student_id)
    if name is None:
        raise not_found("student")
    try:
        done = erase(ClassStore(service.database, caller.owner), of.name, name, keep_class=True)
    except FewshotError as error:
        if not is_done(error):
            if student_id not in caller.classes.students(of):  # another request was quicker
                raise not_found("student") from error
            raise
        note = "The bytes are erased as soon as no other program reads the database. Until then there is no receipt."
        return Removed(removed=True, erased=False, note=note, receipt=None)
    note = done.also
    if done.pending:
        note = "The bytes are erased as soon as no other program reads the database. Their keys are dropped already."
    return Removed(removed=True, erased=not done.pending, note=note, receipt=done.receipt)


def corrections(caller: Reads, service: TheService, class_id: Number) -> list[CorrectionShape]:
    """The corrections in use, of every lesson, newest first."""
    of = caller.class_of(class_id)
    found = learned(service.database, of.name, owner=caller.owner)
    return [
        CorrectionShape(
            id=each.id, student=each.student, said=each.said, actually=each.actually, lesson=each.lesson,
            second=each.second, made=each.made,
        )
        for each in found
    ]  # fmt: skip


def undo(caller: Teaches, service: TheService, class_id: Number, correction_id: Number) -> Response:
    """Undo a correction: the student's prototypes are computed again without it."""
    of = caller.class_of(class_id)
    if correction_id not in {each.id for each in learned(service.database, of.name, owner=caller.owner)}:
        raise not_found("correction")
    unlearn(service.database, of.name, correction_id, owner=caller.owner)
    return Response(status_code=204)


def _class(caller: Caller, service: Service, of: Numbered) -> ClassShape:
    found = ClassStore(service.database, caller.owner).roster(of.name)
    return ClassShape(id=of.id, name=of.name, students=len(found.students), sample=found.sample)


def _student(number: int, student: Student) -> StudentShape:
    consent = student.consent
    photos = {emotion or "": count for emotion, count in student.emotions().items()}
    return StudentShape(
        id=number, name=student.key, photos=photos,
        consent=ConsentShape(
            given_by=consent.given_by, day=consent.day, purpose=consent.purpose, until=consent.until,
            withdrawn=consent.withdrawn, valid=consent.holds(date.today()),
        ),
    )  # fmt: skip


def router() -> APIRouter:
    """The routes of this file."""
    routes = APIRouter(prefix="/classes", tags=["classes"], responses=ERRORS)
    routes.add_api_route("", list_classes, methods=["GET"])
    routes.add_api_route("", make_class, methods=["POST"], status_code=201)
    routes.add_api_route("/{class_id}", roster, methods=["GET"])
    routes.add_api_route("/{class_id}/students/{student_id}", forget, methods=["DELETE"])
    routes.add_api_route("/{class_id}/corrections", corrections, methods=["GET"])
    routes.add_api_route("/{class_id}/corrections/{correction_id}", undo, methods=["DELETE"], status_code=204)
    return routes
