"""The teacher's settings and acknowledgement, stored in the database."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fewshot.database import Database, open_database
from fewshot.database.tables import SettingRow
from fewshot.errors import UsageError


class Settings:
    """Settings of this installation. Every access reads the database, so that all programs see the same values.

    Args:
        database: None is the default one.
    """

    def __init__(self, database: Database | None = None) -> None:
        self._database = database or open_database()

    def get(self, key: str, default: Any = None) -> Any:
        """A setting: any value that JSON can represent."""
        with self._database.read() as session:
            row = session.get(SettingRow, key)
            return default if row is None else row.value

    def set(self, key: str, value: Any) -> None:
        """Store a setting; None deletes it."""
        with self._database.write() as session:
            row = session.get(SettingRow, key)
            if row is not None and value is None:
                session.delete(row)
            elif row is not None:
                row.value = value
            elif value is not None:
                session.add(SettingRow(key=key, value=value))

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
        self.set("retention_days", days)
