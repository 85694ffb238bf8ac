"""Removing a student: what the foreign keys do not reach."""

from __future__ import annotations

import re

import numpy as np
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from fewshot.database.lesson_tables import LessonRow, MarkerRow, ParticipantRow, ReadingRow
from fewshot.database.tables import StudentRow
from fewshot.types import EMOTIONS

SOMEBODY = "[removed]"
"""What stands for the name of a removed student in a text that the teacher wrote."""


def remove_traces(session: Session, class_id: int, student: StudentRow) -> None:
    """Delete a student with all that hangs on the row: consents, photos, vectors, portrait, readings, corrections.

    Their name is blotted out in titles and markers of the class's lessons, and so are states of their own that nobody
    else in a lesson showed.
    """
    name = re.compile(rf"(?<!\w){re.escape(student.name)}(?!\w)", re.IGNORECASE)
    lessons = session.scalars(
        select(LessonRow).join(ParticipantRow).where(ParticipantRow.student_id == student.id)
    ).all()
    session.execute(delete(StudentRow).where(StudentRow.id == student.id))
    session.expunge(student)
    for lesson in lessons:
        if any(lesson.labels[len(EMOTIONS) :]):
            lesson.labels = _labels_in_use(session, lesson)
    for row in session.scalars(select(LessonRow).where(LessonRow.class_id == class_id)):
        row.title = name.sub(SOMEBODY, row.title)
    for marker in session.scalars(select(MarkerRow).join(LessonRow).where(LessonRow.class_id == class_id)):
        marker.text = name.sub(SOMEBODY, marker.text)


def _labels_in_use(session: Session, lesson: LessonRow) -> list[str]:
    """The lesson's labels, blank where no reading knows them any more; their places stay, as rows count by place."""
    rows = session.scalars(
        select(ReadingRow.probabilities).join(ParticipantRow).where(ParticipantRow.lesson_id == lesson.id)
    )
    used = np.zeros(len(lesson.labels), bool)
    used[: len(EMOTIONS)] = True
    for probabilities in rows:
        used[: len(probabilities)] |= probabilities > 0
    return [label if kept else "" for label, kept in zip(lesson.labels, used, strict=True)]
