"""Messages of a lesson's WebSocket; docs/reference/service.md lists them."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from fewshot.api.feed import FORMATS, MOST_BYTES
from fewshot.api.lesson import FPS, ROOM, WIDTH, ServedLesson
from fewshot.api.problems import Problem, problem_of
from fewshot.api.shapes import Asked, Name, Number

Seconds = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]


class Start(Asked):
    """The first message: begin a lesson, of a class or without one."""

    type: Literal["start"]
    class_id: Number | None = None
    class_name: Name | None = None
    title: Annotated[str, Field(max_length=500)] = ""
    source: Annotated[str, Field(max_length=500)] = "frames"
    record: bool = True
    aggregate: bool | None = None


class Resume(Asked):
    """The first message: go on with a lesson."""

    type: Literal["resume"]
    lesson: Number
    ticket: Annotated[str, Field(min_length=1, max_length=100)]


class At(Asked):
    """The time of the next frame."""

    type: Literal["frame"]
    time: Seconds


class Mark(Asked):
    """Mark this moment."""

    type: Literal["mark"]
    text: Annotated[str, Field(max_length=500)] = ""


class Correct(Asked):
    """Correct the present reading of a student."""

    type: Literal["correct"]
    student: Name
    actually: Name


class End(Asked):
    """No more frames will come: end the lesson."""

    type: Literal["end"]


First = Annotated[Start | Resume, Field(discriminator="type")]
Later = Annotated[At | Mark | Correct | End, Field(discriminator="type")]
_FIRST: TypeAdapter[Start | Resume] = TypeAdapter(First)
_LATER: TypeAdapter[At | Mark | Correct | End] = TypeAdapter(Later)


def first(text: str) -> Start | Resume:
    """The first message of a client.

    Raises:
        Problem: 422, it is another one.
    """
    found: Start | Resume = _parsed(_FIRST, text)
    return found


def later(text: str) -> At | Mark | Correct | End:
    """Any later message of a client.

    Raises:
        Problem: 422, it is another one.
    """
    found: At | Mark | Correct | End = _parsed(_LATER, text)
    return found


def _parsed(shape: TypeAdapter[Any], text: str) -> Any:
    try:
        return shape.validate_json(text)
    except ValidationError as error:
        wrong = "; ".join(": ".join((*map(str, each["loc"]), each["msg"])) for each in error.errors()[:5])
        raise Problem(422, f"This message does not fit: {wrong}.") from error


def ready(lesson: ServedLesson, students: list[str]) -> dict[str, Any]:
    """The server's first message: what it takes, and what is needed to go on elsewhere."""
    recorder = lesson.recorder
    return {
        "type": "ready", "lesson": lesson.id, "ticket": None if recorder is None else recorder.ticket, "take": ROOM,
        "fps": FPS, "width": WIDTH, "formats": list(FORMATS), "most_bytes": MOST_BYTES,
        "students": [] if lesson.aggregate else students, "aggregate": lesson.aggregate,
    }  # fmt: skip


def ended(lesson: ServedLesson) -> dict[str, Any]:
    """The server's last message after ``end``."""
    return {"type": "ended", "lesson": lesson.id, "frames": lesson.frames, "skipped": lesson.skipped}


def error(fault: Exception, fatal: bool) -> dict[str, Any]:
    """What went wrong; after a fatal error the server closes the WebSocket."""
    return {**problem_of(fault).as_json(), "type": "error", "fatal": fatal}


def written(message: dict[str, Any]) -> str:
    """A message as text."""
    return json.dumps(message, ensure_ascii=False, allow_nan=False)
