"""Writes seconds of a lesson to the database in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from fewshot.database.columns import now
from fewshot.database.lesson_tables import LessonRow, ParticipantRow, ReadingRow, SecondRow
from fewshot.database.reading_codec import Measured, ReadingCipher, as_bytes, reading_cipher, seal_counts
from fewshot.database.tables import ConsentRow, StudentRow
from fewshot.session.seconds import Second


def student_ids(session: Session, lesson: int) -> dict[str, int]:
    """Name -> number of the students of a lesson. The number stays when a student is renamed."""
    wanted = select(StudentRow).join(ParticipantRow).where(ParticipantRow.lesson_id == lesson)
    return {student.name: student.id for student in session.scalars(wanted)}


def admit_student(session: Session, row: LessonRow, student: str) -> int | None:
    """Add a student of the lesson's class to those whose readings may be stored, from now on.

    Args:
        session: of a transaction that writes.
        row: the lesson, locked by this transaction; not one with only counts.
        student: name of the student.

    Returns:
        The student's number; None if the class has no such student.
    """
    of_class = select(StudentRow).where(StudentRow.class_id == row.class_id)
    number = next((one.id for one in session.scalars(of_class) if one.name == student), None)
    there = select(ParticipantRow.student_id).where(ParticipantRow.lesson_id == row.id)
    if number is not None and number not in session.scalars(there).all():
        session.add(ParticipantRow(lesson_id=row.id, student_id=number))
    return number


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
    wanted = select(ParticipantRow).where(ParticipantRow.lesson_id == lesson)
    participants = {one.student_id: one for one in session.scalars(wanted)}
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
                    "counts": None
                    if second.counts is None
                    else seal_counts(session, row, second.number, second.counts),
                }
                for second in seconds
            ],
        )
    ciphers: dict[int, ReadingCipher] = {}
    readings = []
    for number, participant, measured in _measured(seconds, students, participants):
        if participant.id not in ciphers:
            ciphers[participant.id] = reading_cipher(session, row, participant, new=True)
        sealed = ciphers[participant.id].seal(number, measured)
        readings.append({"participant_id": participant.id, "second": number, "sealed": sealed})
    if readings:
        session.flush()  # keys that were just made
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


def _measured(
    seconds: Sequence[Second], students: Mapping[str, int], participants: Mapping[int | None, ParticipantRow]
) -> Iterator[tuple[int, ParticipantRow, Measured]]:
    """What all who are still in the lesson showed, because a student may be removed while it runs."""
    for second in seconds:
        for person in second.people:
            participant = participants.get(None if person.student is None else students.get(person.student, -1))
            if participant is not None:
                yield second.number, participant, Measured(
                    person.frames, person.readable, person.faces, person.emotion, person.confidence,
                    as_bytes(person.probabilities),
                )  # fmt: skip
