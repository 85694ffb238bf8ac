"""Erases by dropping keys: those of what was removed, and those of the texts in which its name may stand.

A backup, an old page of a file or a server's log may still hold the sealed bytes. Without their key they tell nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from fewshot.database.erased_tables import DroppedKeyRow
from fewshot.database.lesson_tables import CheckInRow, CorrectionRow, LessonRow, MarkerRow
from fewshot.database.owner import LOCAL
from fewshot.database.reading_codec import all_probabilities
from fewshot.database.sealed_settings import opened_settings, sealed_setting
from fewshot.database.sealing import Sealed, give_keys, session_of
from fewshot.database.tables import ClassRow, ConsentRow, OwnerRow, PhotoRow, StudentRow, SupportRow
from fewshot.types import EMOTIONS
from fewshot.vault.cipher import NotSealedHere
from fewshot.vault.errors import KeyGone

NOT_READABLE = "[not readable]"
"""Stands for a text whose key is gone."""

_RENEW = "renew"


@dataclass(slots=True)
class Known:
    """Which keys there are, and what they belong to.

    Attributes:
        students: number -> (key, number of the class).
        lessons: number -> (key, number of the class, or None, and id of the owner).
        classes: number -> (keys, id of the owner).
        owners: id -> keys.
    """

    students: dict[int, tuple[str, int]] = field(default_factory=dict)
    lessons: dict[int, tuple[str, int | None, str]] = field(default_factory=dict)
    classes: dict[int, tuple[tuple[str, str], str]] = field(default_factory=dict)
    owners: dict[str, tuple[str, str]] = field(default_factory=dict)


def known_keys(session: Session) -> Known:
    """The keys of all rows that have some of their own."""
    students = session.execute(select(StudentRow.id, StudentRow.key, StudentRow.class_id)).all()
    lessons = session.execute(select(LessonRow.id, LessonRow.key, LessonRow.class_id, LessonRow.owner_id)).all()
    classes = session.execute(select(ClassRow.id, ClassRow.text_key, ClassRow.index_key, ClassRow.owner_id)).all()
    owners = session.execute(select(OwnerRow.id, OwnerRow.text_key, OwnerRow.index_key)).all()
    return Known(
        {number: (key, of_class) for number, key, of_class in students},
        {number: (key, of_class, owner) for number, key, of_class, owner in lessons},
        {number: ((text, index), owner) for number, text, index, owner in classes},
        {name: (text, index) for name, text, index in owners},
    )


def renew_texts_of(session: Session, row: ClassRow) -> None:
    """Let the erasure that runs give the texts of a class a new key, although nothing is removed from it."""
    session.info.setdefault(_RENEW, set()).add(row.id)


def drop_keys_of(session: Session, before: Known) -> bool:
    """Note the keys of what was removed, and give the texts around it new keys, in the transaction that erases.

    Args:
        session: of the erasure; all changes are flushed.
        before: ``known_keys`` at its beginning.

    Returns:
        Whether any key is dropped.
    """
    after = known_keys(session)
    gone: list[str] = []
    classes: set[int] = set(session.info.pop(_RENEW, ()))
    owners = {before.classes[number][1] for number in classes if number in before.classes}
    for number in before.students.keys() - after.students.keys():
        key, of_class = before.students[number]
        gone.append(key)
        classes.add(of_class)
    for number in before.lessons.keys() - after.lessons.keys():
        key, class_id, owner = before.lessons[number]
        gone.append(key)
        owners.add(owner)
        classes |= set() if class_id is None else {class_id}
    for number in before.classes.keys() - after.classes.keys():
        keys, owner = before.classes[number]
        gone += keys
        owners.add(owner)
    for name in before.owners.keys() - after.owners.keys():
        gone += before.owners[name]
    owners |= {before.classes[number][1] for number in classes if number in before.classes}
    for number in sorted(classes & after.classes.keys()):
        gone += _renew_class(session, number)
    for name in sorted(owners & after.owners.keys()):
        gone += _renew_owner(session, name)
    dropped = {key for key in gone if key}
    for key in dropped:
        if session.get(DroppedKeyRow, key) is None:
            session.add(DroppedKeyRow(key=key))
    session.flush()
    return bool(dropped)


def texts_of(session: Session, class_id: int) -> Iterator[Any]:
    """All rows with a value that the key for the texts of a class seals. Lessons stay locked until the end."""
    yield from session.scalars(select(ClassRow).where(ClassRow.id == class_id))
    mine = select(StudentRow.id).where(StudentRow.class_id == class_id)
    tables: Sequence[Any] = (ConsentRow, PhotoRow, SupportRow, CorrectionRow, CheckInRow)
    for table in tables:
        yield from session.scalars(select(table).where(table.student_id.in_(mine)))
    yield from _lessons(session, LessonRow.class_id == class_id)


def give_rows(session: Session, giver: str, receiver: str) -> tuple[int, int]:
    """Let the classes and lessons of one owner belong to another one, whose keys then seal what an owner's keys seal.

    Args:
        session: of a transaction that writes.
        giver: id of the owner.
        receiver: id of the other one.

    Returns:
        How many classes and lessons.
    """
    classes = session.scalars(select(ClassRow).where(ClassRow.owner_id == giver)).all()
    lessons = session.scalars(select(LessonRow).where(LessonRow.owner_id == giver)).all()
    without_class = _lessons(session, LessonRow.class_id.is_(None) & (LessonRow.owner_id == giver))
    found = [*_values(without_class, "text_key"), *_names(classes)]
    rows: tuple[Any, ...] = (*classes, *lessons)
    for row in rows:
        row.owner_id = receiver
    _seal_again(session, found)
    return len(classes), len(lessons)


def _renew_class(session: Session, number: int) -> list[str]:
    """Seal the texts of a class with a new key. Returns the ids of the old keys."""
    row = session.get_one(ClassRow, number)
    students = session.scalars(select(StudentRow).where(StudentRow.class_id == number)).all()
    found = [*_values(texts_of(session, number), "text_key"), *_names(students)]
    old = [row.text_key, row.index_key]
    row.text_key = row.index_key = ""
    give_keys(session, [(row, "text_key"), (row, "index_key")])
    _seal_again(session, found)
    return old


def _renew_owner(session: Session, name: str) -> list[str]:
    """Seal the texts of lessons without a class with a new key, and give the names of classes a new index."""
    row = session.get_one(OwnerRow, name)
    if not (row.text_key or row.index_key):
        return []
    classes = session.scalars(select(ClassRow).where(ClassRow.owner_id == name)).all()
    lessons = _lessons(session, LessonRow.class_id.is_(None) & (LessonRow.owner_id == name))
    found = [*_values(lessons, "text_key"), *_names(classes)]
    settings = opened_settings(session) if name == LOCAL else []
    old = [row.text_key, row.index_key]
    row.text_key = row.index_key = ""
    _seal_again(session, found)
    for setting, value in settings:
        setting.value = sealed_setting(session, setting.key, value)
    session.flush()
    return old


def _lessons(session: Session, mine: Any) -> Iterator[Any]:
    yield from session.scalars(select(LessonRow).where(mine).with_for_update())
    yield from session.scalars(select(MarkerRow).join(LessonRow).where(mine))


def _names(rows: Sequence[Any]) -> Iterator[tuple[Any, Sealed[Any], Any]]:
    for row in rows:
        name = _opened(row, type(row).name)
        if name != NOT_READABLE:  # a name that cannot be read keeps its index, which no other name has
            yield row, type(row).name, name


def _values(rows: Iterator[Any], field: str) -> Iterator[tuple[Any, Sealed[Any], Any]]:
    """The values of rows that a key in this attribute of its holder seals."""
    for row in rows:
        for column in row.sealed_columns:
            if any(name == field for _, name in column.keys(row, session_of(row))):
                yield row, column, _opened(row, column)


def _opened(row: Any, column: Sealed[Any]) -> Any:
    """A value; what stands for it if its key is gone, because an erasure must not fail for the sake of another text."""
    try:
        return column.__get__(row, type(row))
    except (KeyGone, NotSealedHere):
        return stand_in(session_of(row), row, column)


def stand_in(session: Session, row: Any, column: Sealed[Any]) -> Any:
    """What stands for a text that cannot be read: ``NOT_READABLE``, a number for a class, and labels for readings.

    The labels are the seven emotions, then numbers, as many as the readings of the lesson refer to.
    """
    if isinstance(row, ClassRow):
        return f"Class {row.id}"  # no two classes may have one name
    if column.raw != "labels_":
        return NOT_READABLE
    try:
        width = max((len(shown) for shown in all_probabilities(session, row)), default=len(EMOTIONS))
    except (KeyGone, NotSealedHere):
        width = len(EMOTIONS)
    return [*EMOTIONS, *(f"state {number}" for number in range(1, width - len(EMOTIONS) + 1))]


def _seal_again(session: Session, found: Sequence[tuple[Any, Sealed[Any], Any]]) -> None:
    for row, column, value in found:
        column.__set__(row, value)
    session.flush()
