"""Messages of a lesson's WebSocket; docs/reference/service.md lists them."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from fewshot.api.feed import FORMATS, MOST_BYTES
from fewshot.api.lesson import FPS, ROOM, WIDTH, WIDTH_OF_LABELS, ServedLesson
from fewshot.api.problems import Problem, problem_of
from fewshot.api.shapes import Asked, Name, Number
from fewshot.call_labels.students import Names

_BETWEEN = "."
"""Not in a recorder's ticket."""
Seconds = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]


class Start(Asked):
    """The first message: begin a lesson, of a class or without one.

    ``names`` says where the names of its students come from; see ``fewshot.call_labels``.
    """

    type: Literal["start"]
    class_id: Number | None = None
    class_name: Name | None = None
    title: Annotated[str, Field(max_length=500)] = ""
    source: Annotated[str, Field(max_length=500)] = "frames"
    record: bool = True
    aggregate: bool | None = None
    names: Names = Names.faces


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
    recorder, reads_labels = lesson.recorder, lesson.names is not Names.faces
    return {
        "type": "ready", "lesson": lesson.id, "ticket": None if recorder is None else carried(recorder.ticket, lesson),
        "take": ROOM, "fps": FPS, "width": WIDTH_OF_LABELS if reads_labels else WIDTH, "formats": list(FORMATS),
        "most_bytes": MOST_BYTES, "students": [] if lesson.aggregate else students, "aggregate": lesson.aggregate,
        "names": lesson.names.value,
    }  # fmt: skip


def carried(ticket: str, lesson: ServedLesson) -> str:
    """A recorder's ticket with where names come from, so that this stays the same wherever the lesson goes on.

    Nothing else remembers it, and a lesson that promised to recognise no face must not begin to, because a client or a
    process did not know.
    """
    return ticket if lesson.names is Names.faces else f"{lesson.names.value}{_BETWEEN}{ticket}"


def in_ticket(text: str) -> tuple[Names, str]:
    """Where names come from, and the recorder's ticket; the opposite of ``carried``."""
    said, between, ticket = text.partition(_BETWEEN)
    found = next((names for names in Names if names.value == said), None) if between else None
    return (Names.faces, text) if found is None else (found, ticket)


def ended(lesson: ServedLesson) -> dict[str, Any]:
    """The server's last message after ``end``."""
    return {"type": "ended", "lesson": lesson.id, "frames": lesson.frames, "skipped": lesson.skipped}


def error(fault: Exception, fatal: bool) -> dict[str, Any]:
    """What went wrong; after a fatal error the server closes the WebSocket."""
    return {**problem_of(fault).as_json(), "type": "error", "fatal": fatal}


def written(message: dict[str, Any]) -> str:
    """A message as text."""
    return json.dumps(message, ensure_ascii=False, allow_nan=False)
