"""What requests and answers hold, as the OpenAPI description shows it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from fewshot.classroom.own_classes import LARGEST
from fewshot.session.lesson import State

Number = Annotated[int, Field(ge=1, le=LARGEST)]
"""Of a class, a student, a lesson or a correction."""
Name = Annotated[str, Field(min_length=1, max_length=256)]


class Asked(BaseModel):
    """A request; a member that nobody knows is an error, and so is one of another type."""

    model_config = ConfigDict(extra="forbid", strict=True)


class ProblemShape(BaseModel):
    """An error, as application/problem+json."""

    type: str
    title: str
    status: int
    detail: str


class Health(BaseModel):
    """Whether the process runs, or takes lessons."""

    status: Literal["ok", "ready", "stopping", "not ready"]


class Me(BaseModel):
    """Who calls, and what the token or login allows; ``place`` is "" if only this computer reaches the service."""

    owner: str
    scopes: list[str]
    classes: list[str] | None
    place: str
    version: str


class NewClass(Asked):
    """A class to be made."""

    name: Name


class ClassShape(BaseModel):
    """A class in a list."""

    id: int
    name: str
    students: int
    sample: bool


class ConsentShape(BaseModel):
    """The latest consent of a student."""

    given_by: str
    day: date
    purpose: str
    until: date | None
    withdrawn: date | None
    valid: bool


class StudentShape(BaseModel):
    """A student in a roster; ``photos`` counts them by emotion, "" stands for those without a label."""

    id: int
    name: str
    photos: dict[str, int]
    consent: ConsentShape


class RosterShape(BaseModel):
    """A class with its students."""

    id: int
    name: str
    sample: bool
    students: list[StudentShape]


class PhotoShape(BaseModel):
    """The result of one photo; ``index`` counts the photos of the request from 0."""

    index: int
    status: Literal["accepted", "already enrolled", "rejected"]
    emotion: str | None
    reason: str
    doubt: str


class EnrolledShape(BaseModel):
    """The result of an enrollment."""

    student: str
    enrolled: bool
    photos: list[PhotoShape]
    notes: list[str]
    problem: str


class Removed(BaseModel):
    """A student was removed; ``erased`` is false while other programs keep old pages of the database in use.

    ``receipt`` says what was removed and what is out of reach; it is signed, and None while ``erased`` is false.
    """

    removed: bool
    erased: bool
    note: str
    receipt: dict[str, Any] | None


class FrameShape(BaseModel):
    """The readings of one picture: the record of docs/reference/json-lines.md."""

    version: int
    source: str
    frame: int
    time: float
    width: int
    height: int
    faces: list[dict[str, Any]]


class LessonShape(BaseModel):
    """A lesson in a list."""

    id: int
    classroom: str
    title: str
    started: datetime
    ended: datetime | None
    state: State
    source: str
    seconds: float
    aggregate: bool
    sample: bool


class MarkShape(BaseModel):
    """A marked moment."""

    id: int
    second: float
    text: str


class CorrectionShape(BaseModel):
    """A correction that is in use."""

    id: int
    student: str
    said: str | None
    actually: str
    lesson: int | None
    second: float
    made: datetime


class LessonDetail(LessonShape):
    """A lesson with what the teacher added; ``students`` is empty if only counts are kept."""

    students: list[str]
    marks: list[MarkShape]


class NewMark(Asked):
    """A moment to be marked; without ``second`` it is the present one."""

    text: Annotated[str, Field(max_length=500)] = ""
    second: Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)] | None = None


class NewCorrection(Asked):
    """What a student really showed, in a lesson that runs in this process."""

    student: Name
    actually: Name


class TileShape(BaseModel):
    """The latest reading of one student."""

    student: str
    second: int
    state: str
    confidence: float | None


class BoardShape(BaseModel):
    """The state of a lesson now, from any process: tiles, or counts if only counts are kept.

    ``counts`` is None if fewer than 5 people were counted.
    """

    lesson: int
    state: State
    second: int
    tiles: list[TileShape]
    counts: dict[str, int] | None


class TicketShape(BaseModel):
    """A ticket that opens one WebSocket."""

    ticket: str
    seconds: int
