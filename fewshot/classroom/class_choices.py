"""What a teacher chose for one class the last time: kept among the owner's settings, under the number of the class."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete
from sqlalchemy.orm import Session

from fewshot.classroom.class_rows import class_of, find_class
from fewshot.database.tables import ClassRow, OwnerSettingRow

if TYPE_CHECKING:
    from fewshot.classroom.store import ClassStore


def names_from(store: ClassStore, classroom: str) -> str:
    """Where the names of a class's lessons came from the last time; "" if nobody chose, or there is no such class."""
    with store.database.read() as session:
        row = find_class(session, store.owner, classroom)
        kept = None if row is None else session.get(OwnerSettingRow, (store.owner.id, _key(row)))
        return "" if kept is None else str(kept.value)


def choose_names_from(store: ClassStore, classroom: str, names: str) -> None:
    """Remember where the names of a class's lessons come from.

    Args:
        store: the classes of the owner.
        classroom: name of the class.
        names: a value of ``fewshot.call_labels.students.Names``.

    Raises:
        UsageError: there is no such class.
        StoreError: it cannot be stored.
    """
    with store.database.write() as session:
        key = _key(class_of(session, store.owner, classroom))
        session.merge(OwnerSettingRow(owner_id=store.owner.id, key=key, value=names))


def forget_choices(session: Session, row: ClassRow) -> None:
    """Delete what was chosen for a class, by any owner whom it belonged to."""
    session.execute(delete(OwnerSettingRow).where(OwnerSettingRow.key == _key(row)))


def _key(row: ClassRow) -> str:
    # Not the name: it is sealed, it may hold the name of a person, and it may change. Numbers are never used again.
    return f"names_from {row.id}"
