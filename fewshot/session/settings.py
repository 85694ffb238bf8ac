"""The teacher's settings and acknowledgement, stored in the database."""

from __future__ import annotations

import contextlib
import logging
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakSet

from fewshot.database import Database, open_database
from fewshot.database.columns import now
from fewshot.database.tables import SettingRow
from fewshot.errors import StoreError, UsageError
from fewshot.session import turn_password

logger = logging.getLogger(__name__)

_without_password: WeakSet[Database] = WeakSet()
"""Databases that were searched for a password which an earlier version kept."""


class Settings:
    """Settings of this installation. Every access reads the database, so that all programs see the same values.

    Args:
        database: None is the default one.
    """

    def __init__(self, database: Database | None = None) -> None:
        self._database = database or open_database()
        if self._database not in _without_password:
            self._move_password()
            _without_password.add(self._database)

    def get(self, key: str, default: Any = None) -> Any:
        """A setting: any value that JSON can represent. Passwords are in none; see ``turn_password``."""
        with self._database.read() as session:
            row = session.get(SettingRow, key)
            value = default if row is None else row.value
        return _without(value) if key == "ice" and isinstance(value, dict) else value

    def set(self, key: str, value: Any) -> None:
        """Store a setting; None deletes it.

        A password among the settings of the connection goes to ``turn_password`` and not to the database.
        """
        if key == "ice" and (value is None or (isinstance(value, dict) and "password" in value)):
            turn_password.write(str((value or {}).get("password") or ""))
            value = None if value is None else _without(value)
        self._store(key, value)

    def _store(self, key: str, value: Any) -> None:
        with self._database.write() as session:
            row = session.get(SettingRow, key)
            if row is not None and value is None:
                session.delete(row)
            elif row is not None:
                row.value = value
            elif value is not None:
                session.add(SettingRow(key=key, value=value))

    def _move_password(self) -> None:
        """Earlier versions kept the password of the TURN server in the database, where every copy shows it."""
        with self._database.read() as session:
            row = session.get(SettingRow, "ice")
            value = None if row is None else row.value
        if not isinstance(value, dict) or "password" not in value:
            return
        try:
            if value["password"]:
                turn_password.write(str(value["password"]))
        except UsageError as error:
            # Better where it was than lost.
            logger.warning("%s", error)
            return
        self._store("ice", _without(value))
        with contextlib.suppress(StoreError):  # a program that still reads keeps old pages; its end empties them
            self._database.forget_deleted()

    @property
    def turn_password(self) -> str:
        """The password of the TURN server; "" if there is none. It is in a file of its own, or in the environment.

        Raises:
            UsageError: the file cannot be read or written.
        """
        return turn_password.read()

    @turn_password.setter
    def turn_password(self, password: str) -> None:
        turn_password.write(password)

    @property
    def acknowledged(self) -> datetime | None:
        """When the teacher acknowledged where this program may not be used."""
        text = self.get("acknowledged")
        return None if text is None else datetime.fromisoformat(text)

    @acknowledged.setter
    def acknowledged(self, when: datetime | None) -> None:
        self.set("acknowledged", None if when is None else when.isoformat())

    @property
    def aggregate_only(self) -> bool:
        """Whether lessons keep only counts for the class, and nothing about single students."""
        return bool(self.get("aggregate_only", False))

    @aggregate_only.setter
    def aggregate_only(self, value: bool) -> None:
        self.set("aggregate_only", bool(value))

    @property
    def portraits(self) -> bool:
        """Whether students' cards may have a picture."""
        return bool(self.get("portraits", False))

    @portraits.setter
    def portraits(self, value: bool) -> None:
        self.set("portraits", bool(value))

    @property
    def retention_days(self) -> int | None:
        """Lessons older than this are deleted when the next one starts; None keeps them."""
        days = self.get("retention_days")
        return None if days is None else int(days)

    @retention_days.setter
    def retention_days(self, days: int | None) -> None:
        if days is not None and days < 1:
            raise UsageError(
                f"Lessons cannot be kept for {days} days. Give at least 1 day, or None to keep all lessons."
            )
        changed = days != self.retention_days
        self.set("retention_days", days)
        if changed and days is not None:
            # Whoever chooses the days is shown what is too old at that moment, and agrees to delete that.
            self.set("retention_agreed", (now() - timedelta(days=days)).isoformat())


def _without(connection: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in connection.items() if key != "password"}
