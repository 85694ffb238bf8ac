"""Writes seconds of a lesson to the database in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from fewshot.database.columns import now
from fewshot.database.lesson_tables import LessonRow, ParticipantRow, ReadingRow, SecondRow
from fewshot.database.tables import ConsentRow, StudentRow
from fewshot.session.seconds import Second


def student_ids(session: Session, lesson: int) -> dict[str, int]:
    """Name -> number of the students of a lesson. The number stays when a student is renamed."""
    wanted = select(StudentRow.name, StudentRow.id).join(ParticipantRow).where(ParticipantRow.lesson_id == lesson)
    return dict(session.execute(wanted).all())


def keep_seconds(
    session: Session,
    row: LessonRow,
    seconds: Sequence[Second],
    *,
    students: Mapping[str, int],
    labels: Sequence[str],
    length: float,
    provisional: int | None = None,
    again: Collection[int] = (),
) -> None:
    """Write seconds and the sign of life. A student without a valid consent, or who was removed, is left out.

    Args:
        session: of a transaction that writes.
        row: the lesson, locked by this transaction; see ``takeover.still_mine``.
        seconds: each number at most once.
        students: the result of ``student_ids`` at the start of the lesson.
        labels: the labels that the rows refer to.
        length: length of the lesson so far, seconds.
        provisional: number of a second that is unfinished in the database now; None if there is none.
        again: numbers among ``seconds`` that may have been written before and are now replaced.
    """
    lesson = row.id
    # The blank label of a removed student stays blank.
    row.labels = [*row.labels, *labels[len(row.labels) :]]
    row.heartbeat, row.seconds, row.provisional = now(), length, provisional
    session.flush()
    wanted = select(ParticipantRow.student_id, ParticipantRow.id).where(ParticipantRow.lesson_id == lesson)
    participants = dict(session.execute(wanted).all())
    for number in _refusing(session, lesson):
        participants.pop(number, None)
    if again:
        session.execute(delete(SecondRow).where(SecondRow.lesson_id == lesson, SecondRow.second.in_(again)))
        mine = select(ParticipantRow.id).where(ParticipantRow.lesson_id == lesson)
        session.execute(delete(ReadingRow).where(ReadingRow.participant_id.in_(mine), ReadingRow.second.in_(again)))
    if seconds:
        session.execute(
            insert(SecondRow),
            [
                {
                    "lesson_id": lesson,
                    "second": second.number,
                    "frames": second.frames,
                    "counts": None if second.counts is None else list(second.counts),
                }
                for second in seconds
            ],
        )
    readings = [one for second in seconds for one in _rows(second, students, participants)]
    if readings:
        session.execute(insert(ReadingRow), readings)


def _refusing(session: Session, lesson: int) -> set[int]:
    """Students of a lesson whose latest consent was withdrawn or has ended."""
    wanted = (
        select(ConsentRow.student_id, ConsentRow.until, ConsentRow.withdrawn)
        .join(ParticipantRow, ParticipantRow.student_id == ConsentRow.student_id)
        .where(ParticipantRow.lesson_id == lesson)
        .order_by(ConsentRow.id)
    )
    today, ended = date.today(), {}
    for student, until, withdrawn in session.execute(wanted):  # the latest one counts
        ended[student] = (until is not None and until < today) or (withdrawn is not None and withdrawn <= today)
    return {student for student, over in ended.items() if over}


def _rows(
    second: Second, students: Mapping[str, int], participants: Mapping[int | None, int]
) -> list[dict[str, object]]:
    """Rows of all who are still in the lesson, because a student may be removed while it runs."""
    rows: list[dict[str, object]] = []
    for person in second.people:
        participant = participants.get(None if person.student is None else students.get(person.student, -1))
        if participant is not None:
            rows.append(
                {
                    "participant_id": participant,
                    "second": second.number,
                    "frames": person.frames,
                    "readable": person.readable,
                    "faces": person.faces,
                    "emotion": person.emotion,
                    "confidence": person.confidence,
                    "probabilities": person.probabilities,
                }
            )
    return rows
