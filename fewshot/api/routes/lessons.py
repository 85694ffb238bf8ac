"""Lessons: the list, the state now, marks, corrections, reports and tables."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from starlette.responses import Response

from fewshot.api.asking import ERRORS, Reads, Teaches, TheService
from fewshot.api.callers import Caller
from fewshot.api.problems import Problem
from fewshot.api.service import Service
from fewshot.api.shapes import (
    BoardShape,
    LessonDetail,
    LessonShape,
    MarkShape,
    NewCorrection,
    NewMark,
    Number,
    TileShape,
)
from fewshot.audit.log import note
from fewshot.classroom.erased import note_looked
from fewshot.lesson_board import stored_board
from fewshot.session.lesson import LessonInfo
from fewshot.session.report import MEDIA_TYPES, report_bytes
from fewshot.session.settings import Settings

Format = Literal["html", "pdf", "csv", "parquet"]
_FILES: dict[str, Any] = {kind: {} for kind in MEDIA_TYPES.values()}


def list_lessons(caller: Reads, class_id: Annotated[Number | None, Query()] = None) -> list[LessonShape]:
    """The lessons that the caller may see, newest first."""
    of = None if class_id is None else caller.class_of(class_id).name
    return [_lesson(info) for info in caller.lessons(of)]


def lesson(caller: Reads, service: TheService, lesson_id: Number) -> LessonDetail:
    """A lesson with its students and marks."""
    store, info = caller.lesson_of(lesson_id)
    note_looked(service.database, caller.owner, info.classroom, info.id, live=info.state == "running")
    loaded = store.load(info.id)
    names_only = _whole_class(service, caller, info, asked=False)
    marks = [MarkShape(id=mark.id, second=mark.second, text=mark.text) for mark in loaded.markers]
    students = [] if names_only else loaded.students
    return LessonDetail(**_lesson(info).model_dump(), students=students, marks=marks)


def board(caller: Reads, service: TheService, lesson_id: Number) -> BoardShape:
    """The state now, at most two seconds late, no matter in which process the lesson runs."""
    store, info = caller.lesson_of(lesson_id)
    service.looks.note(caller, info.classroom, info.id, live=info.state == "running")
    found = stored_board(store, info)
    tiles = [TileShape(**dataclasses.asdict(tile)) for tile in found.tiles]
    if Settings(store.database, caller.owner).aggregate_only:
        tiles = []
    return BoardShape(lesson=info.id, state=info.state, second=found.second, tiles=tiles, counts=found.counts)


def mark(caller: Teaches, lesson_id: Number, asked: NewMark) -> MarkShape:
    """Mark a moment of a lesson."""
    store, info = caller.lesson_of(lesson_id)
    second = info.seconds if asked.second is None else asked.second
    text = asked.text.strip() or "marked"
    number = store.mark(info.id, second, text)
    return MarkShape(id=number, second=second, text=text)


def correct(caller: Teaches, service: TheService, lesson_id: Number, asked: NewCorrection) -> dict[str, int]:
    """Correct the present reading of a student: the prototypes learn from the face that is in view.

    Only where the lesson runs, because no picture and no vector of a face is stored.
    """
    caller.lesson_of(lesson_id)
    running = service.lessons.get(lesson_id)
    if running is None:
        raise Problem(409, "This lesson does not run in this process. Send the correction on the lesson's WebSocket.")
    return {"id": running.correct(asked.student, asked.actually)}


def report(
    caller: Reads,
    service: TheService,
    lesson_id: Number,
    format: Annotated[Format, Query()] = "html",
    aggregate: Annotated[bool, Query()] = False,
) -> Response:
    """The report of a lesson (html, pdf), or its readings of every second as a table (csv, parquet).

    With ``aggregate`` it has no names, and nothing about fewer than five people.
    """
    store, info = caller.lesson_of(lesson_id)
    whole = _whole_class(service, caller, info, aggregate)
    suffix = f".{format}"
    with service.working:
        earlier = store.load_earlier(info) if format in ("html", "pdf") else []
        data = report_bytes(store.load(info.id), suffix, earlier, whole)[suffix]
    note(service.database, caller.owner, "exported", details={"lesson": info.id, "what": "report"})
    disposition = f'attachment; filename="lesson-{info.id}{suffix}"'
    return Response(data, media_type=MEDIA_TYPES[suffix], headers={"content-disposition": disposition})


def _whole_class(service: Service, caller: Caller, info: LessonInfo, asked: bool) -> bool:
    """Whether only the whole class may be shown: as asked, or as the teacher's settings say."""
    return asked or info.aggregate or Settings(service.database, caller.owner).aggregate_only


def _lesson(info: LessonInfo) -> LessonShape:
    known = dataclasses.asdict(info)
    return LessonShape(**{name: known[name] for name in LessonShape.model_fields})


def router() -> APIRouter:
    """The routes of this file."""
    routes = APIRouter(prefix="/lessons", tags=["lessons"], responses=ERRORS)
    routes.add_api_route("", list_lessons, methods=["GET"])
    routes.add_api_route("/{lesson_id}", lesson, methods=["GET"])
    routes.add_api_route("/{lesson_id}/board", board, methods=["GET"])
    routes.add_api_route("/{lesson_id}/marks", mark, methods=["POST"], status_code=201)
    routes.add_api_route("/{lesson_id}/corrections", correct, methods=["POST"], status_code=201)
    routes.add_api_route(
        "/{lesson_id}/report", report, methods=["GET"], response_class=Response,
        responses={200: {"description": "The file.", "content": _FILES}},
    )  # fmt: skip
    return routes
