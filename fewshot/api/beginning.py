"""Begins a lesson that a client asked for, or goes on with one."""

from __future__ import annotations

from fewshot.addresses import public_source
from fewshot.api.callers import Caller
from fewshot.api.lesson import ServedLesson, Tell
from fewshot.api.messages import Resume, Start, in_ticket
from fewshot.api.problems import Problem
from fewshot.api.routes.pictures import require_covered
from fewshot.api.service import Service
from fewshot.call_labels.students import Names
from fewshot.classroom.erased import note_looked
from fewshot.classroom.own_classes import Numbered
from fewshot.classroom.store import ClassStore
from fewshot.session.recorder import LessonRecorder
from fewshot.session.settings import Settings


def begin(service: Service, caller: Caller, asked: Start | Resume, tell: Tell) -> tuple[ServedLesson, list[str]]:
    """Open models and store for a lesson, which may take seconds. Nothing is recorded if it cannot begin.

    Returns:
        The lesson, and the students whom it may name.

    Raises:
        Problem: there is no such class or lesson, or the service takes no lesson now.
        FewshotError: a consent does not include the server, a model cannot be used, or the store cannot be written.
    """
    service.require_ready()
    if isinstance(asked, Resume):
        return _resumed(service, caller, asked, tell)
    of = _class(caller, asked)
    if of is None:
        caller.require_all_classes("start a lesson without a class")
    require_covered(service, caller, of)
    counts = Settings(service.database, caller.owner).aggregate_only
    aggregate = counts or bool(asked.aggregate)
    name = public_source(asked.source)
    service.rooms.loop(caller, of, asked.names)  # first, because a lesson that cannot be read must not be recorded
    recorder = _recorder(service, caller, of, asked, name, aggregate) if asked.record else None
    return _made(service, caller, of, recorder, aggregate, name, asked.names, tell)


def _resumed(service: Service, caller: Caller, asked: Resume, tell: Tell) -> tuple[ServedLesson, list[str]]:
    _, info = caller.lesson_of(asked.lesson)
    of = caller.class_named(info.classroom) if info.classroom else None
    require_covered(service, caller, of)
    names, ticket = in_ticket(asked.ticket)
    service.rooms.loop(caller, of, names)
    recorder = LessonRecorder.resume(info.id, ticket, database=service.database, owner=caller.owner)
    return _made(service, caller, of, recorder, info.aggregate, info.source, names, tell)


def _made(
    service: Service,
    caller: Caller,
    of: Numbered | None,
    recorder: LessonRecorder | None,
    aggregate: bool,
    name: str,
    names: Names,
    tell: Tell,
) -> tuple[ServedLesson, list[str]]:
    students = [] if of is None else ClassStore(service.database, caller.owner).roster(of.name).consenting()
    lesson = ServedLesson(service, caller, of, recorder, aggregate=aggregate, name=name, names=names, tell=tell)
    note_looked(service.database, caller.owner, of.name if of else "", lesson.id, live=True)
    return lesson, students


def _class(caller: Caller, asked: Start) -> Numbered | None:
    if asked.class_id is not None and asked.class_name is not None:
        raise Problem(422, "A lesson has one class. Send class_id or class_name, not both.")
    if asked.class_id is not None:
        return caller.class_of(asked.class_id)
    return None if asked.class_name is None else caller.class_named(asked.class_name)


def _recorder(
    service: Service, caller: Caller, of: Numbered | None, asked: Start, name: str, aggregate: bool
) -> LessonRecorder:
    if of is not None:
        return service.rooms.of(caller, of).recorder(name, asked.title, aggregate)
    return LessonRecorder.start(
        source=name, network=service.rooms.nobody(caller).network, title=asked.title, aggregate=aggregate,
        database=service.database, owner=caller.owner,
    )  # fmt: skip
