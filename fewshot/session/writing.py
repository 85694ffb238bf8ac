"""Writes seconds of a lesson to the database in one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from fewshot.database.columns import now
from fewshot.database.lesson_tables import SECONDS, LessonRow, ParticipantRow, ReadingRow, SecondRow
from fewshot.database.reading_codec import Measured, ReadingCipher, as_bytes, reading_cipher, seal_counts
from fewshot.database.row_check import checked_rows, with_check
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
    wanted = select(ParticipantRow).where(ParticipantRow.lesson_id == lesson)
    participants = {one.student_id: one for one in session.scalars(wanted)}
    written = Counter(row.written)
    if again:
        written.subtract(_take_away(session, lesson, {one.id: one.rid for one in participants.values()}, again))
    for number in _refusing(session, lesson):
        participants.pop(number, None)
    measurements = list(_measured(seconds, students, participants))
    # The blank label of a removed student stays blank.
    row.labels = [*row.labels, *labels[len(row.labels) :]]
    row.heartbeat, row.seconds, row.provisional = now(), length, provisional
    if row.written is not None:
        written.update(participant.rid for _, participant, _ in measurements)
        written[SECONDS] += len(seconds)
        row.written = dict(written)
    session.flush()
    if seconds:
        session.execute(
            insert(SecondRow),
            [
                with_check(
                    SecondRow,
                    {
                        "lesson_id": lesson,
                        "second": second.number,
                        "frames": second.frames,
                        "counts": None
                        if second.counts is None
                        else seal_counts(session, row, second.number, second.counts),
                    },
                )
                for second in seconds
            ],
        )
    ciphers: dict[int, ReadingCipher] = {}
    readings = []
    for number, participant, measured in measurements:
        if participant.id not in ciphers:
            ciphers[participant.id] = reading_cipher(session, row, participant, new=True)
        sealed = ciphers[participant.id].seal(number, measured)
        readings.append({"participant_id": participant.id, "second": number, "sealed": sealed})
    if readings:
        session.flush()  # keys that were just made
        session.execute(insert(ReadingRow), readings)


def _take_away(session: Session, lesson: int, rids: Mapping[int, str], again: Collection[int]) -> dict[str, int]:
    """Delete seconds that are written again. Returns how many rows there were, as in ``LessonRow.written``.

    Args:
        rids: number of each participant -> random id.
    """
    mine = (ReadingRow.participant_id.in_(list(rids)), ReadingRow.second.in_(again))
    counted = select(ReadingRow.participant_id, func.count()).where(*mine).group_by(ReadingRow.participant_id)
    gone = {rids[number]: count for number, count in session.execute(counted)}
    session.execute(delete(ReadingRow).where(*mine))
    seconds = delete(SecondRow).where(SecondRow.lesson_id == lesson, SecondRow.second.in_(again))
    deleted: Any = session.execute(seconds)
    return gone | {SECONDS: deleted.rowcount}


def _refusing(session: Session, lesson: int) -> set[int]:
    """Students of a lesson whose latest consent was withdrawn or has ended."""
    mine = select(ParticipantRow.student_id).where(ParticipantRow.lesson_id == lesson)
    rows = checked_rows(session, ConsentRow, ConsentRow.student_id.in_(mine))
    today, ended = date.today(), {}
    for row in sorted(rows, key=lambda row: int(row.id)):  # the latest one counts
        ended[row.student_id] = (row.until is not None and row.until < today) or (
            row.withdrawn is not None and row.withdrawn <= today
        )
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
