"""Removes a student with all traces: rows, the name in texts of the class, and the picture of the last run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from fewshot.classroom.blotting import SOMEBODY, Blotter
from fewshot.classroom.class_choices import forget_choices
from fewshot.database.lesson_tables import CheckInRow, CorrectionRow, LessonRow, MarkerRow, ParticipantRow
from fewshot.database.owner import LOCAL
from fewshot.database.reading_codec import used_columns
from fewshot.database.tables import ClassRow, ConsentRow, PhotoRow, StudentRow, SupportRow
from fewshot.database.token_tables import TokenRow
from fewshot.errors import UsageError, reason_of
from fewshot.models.files import home
from fewshot.translation import later, later_n, together
from fewshot.types import EMOTIONS

LAST_TIMELINE = "last-timeline.png"
_LONGEST_LABEL = 64


def remove_traces(session: Session, row: ClassRow, student: StudentRow) -> str:
    """Delete a student and all their data: consents, photos, vectors, portrait, readings, corrections.

    The name is replaced in every text of the class, and of the same owner's lessons without a class: titles, sources,
    markers, labels, and consents of other students and notes about them. It is also replaced in the names of the
    owner's tokens. The student's own states are blanked in lessons where no other student showed them.

    Returns:
        What else was changed, in a sentence or two; "" if nothing was.
    """
    wanted = select(LessonRow, ParticipantRow).join(ParticipantRow).where(ParticipantRow.student_id == student.id)
    lessons = [(lesson, participant.rid) for lesson, participant in session.execute(wanted)]
    name = student.name
    session.execute(delete(StudentRow).where(StudentRow.id == student.id))
    session.expunge(student)
    for lesson, rid in lessons:
        if lesson.written is not None:
            lesson.written = {who: count for who, count in lesson.written.items() if who != rid}
        if any(lesson.labels[len(EMOTIONS) :]):
            lesson.labels = _labels_in_use(session, lesson)
    others = [other.name for other in session.scalars(select(StudentRow).where(StudentRow.class_id == row.id))]
    blot = Blotter(name, others)
    counts = _blot_lessons(session, blot, _of_class(row) | _without_class(row))
    counts += _blot_students(session, blot, row.id)
    for token in session.scalars(select(TokenRow).where(TokenRow.owner_id == row.owner_id)):
        _change(token, "name", blot)
    said = _sentence(counts)
    if blot(row.name) != row.name:
        said = together(said, still_called(row.name))
    return together(said, forget_last_run(row.owner_id))


def still_called(classroom: str) -> str:
    """The sentence about a class whose own name holds the name of a removed student."""
    return later("The class is still called {classroom!r}, which holds the name of the student.", classroom=classroom)


def remove_class_traces(session: Session, row: ClassRow) -> None:
    """Before a class is deleted: replace the names of its students in lessons without a class, and forget choices."""
    forget_choices(session, row)
    for student in session.scalars(select(StudentRow).where(StudentRow.class_id == row.id)).all():
        _blot_lessons(session, Blotter(student.name), _without_class(row))
    forget_last_run(row.owner_id)


def last_timeline(owner_id: str) -> Path:
    """Where the timeline of an owner's last run lies. No owner's run replaces or deletes another owner's picture.

    Raises:
        UsageError: this user has no home folder.
    """
    return home() / (LAST_TIMELINE if owner_id == LOCAL else f"{owner_id}-{LAST_TIMELINE}")


def forget_last_run(owner_id: str) -> str:
    """Delete the timeline of an owner's last run, which may show a name. Returns a sentence if that is not possible."""
    try:
        path = last_timeline(owner_id)
    except UsageError:  # a user without a home folder has no such picture
        return ""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        return later(
            "The picture {path} may show the name, and could not be deleted ({reason}). Delete it yourself.",
            path=path,
            reason=reason_of(error),
        )
    return ""


def _blot_lessons(session: Session, blot: Callable[[str], str], mine: ColumnElement[bool]) -> Counter[str]:
    """Replace a name in the lessons for which ``mine`` holds."""
    counts: Counter[str] = Counter()
    for lesson in session.scalars(select(LessonRow).where(mine)):
        counts["title"] += _change(lesson, "title", blot)
        counts["source"] += _change(lesson, "source", blot)
        labels = _blotted_labels(lesson.labels, blot)
        if labels != lesson.labels:
            counts["label"] += 1
            lesson.labels = labels
    for marker in session.scalars(select(MarkerRow).join(LessonRow).where(mine)):
        counts["marker"] += _change(marker, "text", blot)
    return counts


def _blot_students(session: Session, blot: Callable[[str], str], class_id: int) -> Counter[str]:
    """Replace a name in the consents, notes and labels of the students who stay."""
    counts: Counter[str] = Counter()
    for consent in session.scalars(select(ConsentRow).join(StudentRow).where(StudentRow.class_id == class_id)):
        changed = [_change(consent, field, blot) for field in ("given_by", "purpose")]
        counts["consent"] += any(changed)
    for note in session.scalars(select(CheckInRow).join(StudentRow).where(StudentRow.class_id == class_id)):
        counts["note"] += _change(note, "note", blot)
    tables = ((PhotoRow, ("emotion",)), (SupportRow, ("emotion",)), (CorrectionRow, ("said", "actually")))
    for table, fields in tables:
        owner = select(StudentRow.id).where(StudentRow.class_id == class_id)
        for found in session.scalars(select(table).where(table.student_id.in_(owner))):  # type: ignore[attr-defined]
            changed = [_change(found, field, lambda text: _label(text, blot)) for field in fields]
            counts["label"] += any(changed)
    return counts


def _of_class(row: ClassRow) -> ColumnElement[bool]:
    return LessonRow.class_id == row.id


def _without_class(row: ClassRow) -> ColumnElement[bool]:
    """Lessons without a class of the class's owner; those of others may name another person who is called the same."""
    return LessonRow.class_id.is_(None) & (LessonRow.owner_id == row.owner_id)


def _change(row: object, field: str, blot: Callable[[str], str]) -> bool:
    text = getattr(row, field)
    if text is None or (changed := blot(text)) == text:
        return False
    setattr(row, field, changed)
    return True


def _label(label: str, blot: Callable[[str], str]) -> str:
    """A label without the name. The seven emotions are no texts of a person, even if a student is called Happy."""
    return label if label in EMOTIONS else _short(blot(label))


def _short(label: str) -> str:
    return label[:_LONGEST_LABEL]


def _blotted_labels(labels: Iterable[str], blot: Callable[[str], str]) -> list[str]:
    """The labels without a name. Two that are equal then keep different ones, because readings refer to both."""
    result: list[str] = []
    for label in labels:
        changed = _label(label, blot)
        number = 2
        while changed != label and changed in result:
            changed = _short(f"{blot(label)} {number}")
            number += 1
        result.append(changed)
    return result


def _labels_in_use(session: Session, lesson: LessonRow) -> list[str]:
    """The lesson's labels, blank if no reading uses them any more. Positions stay, because readings refer to them."""
    used = used_columns(session, lesson)
    return [label if label in EMOTIONS or column in used else "" for column, label in enumerate(lesson.labels)]


def _sentence(counts: Counter[str]) -> str:
    found = [_counted(what, count) for what, count in counts.items() if count]
    if not found:
        return ""
    words = together(*found[:-1], between=", ")
    return later(
        "The name was also replaced by {somebody} in {things} of this class and of lessons without a class.",
        somebody=SOMEBODY,
        things=later("{first} and {last}", first=words, last=found[-1]) if words else found[-1],
    )


def _counted(what: str, count: int) -> str:
    return {
        "title": later_n("{number} title", "{number} titles", count),
        "source": later_n("{number} source", "{number} sources", count),
        "label": later_n("{number} label", "{number} labels", count),
        "marker": later_n("{number} marker", "{number} markers", count),
        "consent": later_n("{number} consent", "{number} consents", count),
        "note": later_n("{number} note", "{number} notes", count),
    }[what]
