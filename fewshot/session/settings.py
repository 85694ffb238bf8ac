"""The settings and the acknowledgement of a teacher, and the settings of the installation, in the database."""

from __future__ import annotations

import contextlib
import logging
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakSet

from sqlalchemy.orm import Session

from fewshot.audit.log import append
from fewshot.database import Database, open_database
from fewshot.database.columns import now
from fewshot.database.owner import LOCAL_TEACHER, Owner
from fewshot.database.sealed_settings import opened_setting, sealed_setting
from fewshot.database.tables import OwnerSettingRow, SettingRow
from fewshot.errors import StoreError, UsageError
from fewshot.session import turn_password
from fewshot.translation import later

logger = logging.getLogger(__name__)

_without_password: WeakSet[Database] = WeakSet()
"""Databases that were searched for a password which an earlier version kept."""


USUAL_RETENTION = 90
"""Days for which lessons are kept if nobody has chosen another time."""

MANAGED = frozenset({"ice", "detector", "longest_retention", "longest_retention_agreed"})
"""Settings of the installation, which an administrator or the local teacher changes and all others use."""
_LOGGED = {
    "retention_days": "days that lessons are kept",
    "longest_retention": "days that lessons may be kept",
    "aggregate_only": "counts only",
    "portraits": "pictures on cards",
    "acknowledged": "acknowledgement",
    "ice": "connection",
}
"""Settings whose changes are in the audit log, because they decide what is kept of students and where it goes."""
_SHARED = MANAGED | {"clock_seen"}
"""All settings that are the same for every owner; the program itself writes the time of its last use."""


class Settings:
    """Settings of one owner and of the installation. Every access reads the database, so all programs see the same.

    An owner's own are the acknowledgement, counts only, portraits, and after how many days lessons are deleted. The
    connection, the detector and the longest time for which lessons may be kept belong to the installation.

    Args:
        database: None is the default one.
        owner: whose settings these are.
    """

    def __init__(self, database: Database | None = None, owner: Owner = LOCAL_TEACHER) -> None:
        self.owner = owner
        self._database = database or open_database(owner=owner.id)
        if self._database not in _without_password:
            self._move_password()
            _without_password.add(self._database)

    def get(self, key: str, default: Any = None) -> Any:
        """A setting: any value that JSON can represent. Passwords are in none; see ``turn_password``."""
        with self._database.read() as session:
            row = self._row(session, key)
            value = default if row is None else opened_setting(session, row.key, row.value)
        return _without(value) if key == "ice" and isinstance(value, dict) else value

    def set(self, key: str, value: Any) -> None:
        """Store a setting; None deletes it.

        A password among the settings of the connection goes to ``turn_password`` and not to the database.

        Raises:
            UsageError: it belongs to the installation, and the owner may not change it.
        """
        if key in MANAGED:
            self._must_manage()
        if key == "ice" and (value is None or (isinstance(value, dict) and "password" in value)):
            turn_password.write(str((value or {}).get("password") or ""))
            value = None if value is None else _without(value)
        self._store(key, value)

    def _row(self, session: Session, key: str) -> SettingRow | OwnerSettingRow | None:
        if key in _SHARED:
            return session.get(SettingRow, key)
        return session.get(OwnerSettingRow, (self.owner.id, key))

    def _must_manage(self) -> None:
        if not self.owner.manages:
            raise UsageError(
                later("This setting belongs to the whole installation. Only an administrator can change it.")
            )

    def _store(self, key: str, value: Any) -> None:
        with self._database.write() as session:
            row = self._row(session, key)
            if key in _LOGGED and value != (None if row is None else opened_setting(session, row.key, row.value)):
                told = {"to": value} if isinstance(value, int) else {}  # also a truth value; no text, which may name
                append(session, self.owner.id, "setting changed", details={"what": _LOGGED[key], **told})
            value = sealed_setting(session, key, value)
            if row is not None and value is None:
                session.delete(row)
            elif row is not None:
                row.value = value
            elif value is not None and key in _SHARED:
                session.add(SettingRow(key=key, value=value))
            elif value is not None:
                session.add(OwnerSettingRow(owner_id=self.owner.id, key=key, value=value))

    def _move_password(self) -> None:
        """Earlier versions kept the password of the TURN server in the database, where every copy shows it."""
        with self._database.read() as session:
            row = session.get(SettingRow, "ice")
            value = None if row is None else opened_setting(session, row.key, row.value)
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
            UsageError: the file cannot be read or written, or the owner may not change it.
        """
        return turn_password.read()

    @turn_password.setter
    def turn_password(self, password: str) -> None:
        self._must_manage()
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
        """The owner's lessons older than this are deleted; None keeps them. ``USUAL_RETENTION`` until it is chosen.

        The owner chooses it, up to ``longest_retention``. The first deletion waits for a confirmation.
        """
        chosen = self.get("retention_days")
        own = USUAL_RETENTION if chosen is None else int(chosen) or None
        return min((days for days in (own, self.longest_retention) if days is not None), default=None)

    @retention_days.setter
    def retention_days(self, days: int | None) -> None:
        longest = self.longest_retention
        if days is not None and longest is not None and days > longest:
            raise UsageError(
                later(
                    "An administrator has chosen that lessons are kept for at most {longest} days, so they cannot "
                    "be kept for {days}. Choose {longest} days or fewer.",
                    longest=longest,
                    days=days,
                )
            )
        self._choose("retention_days", "retention_agreed", days, keep=0)

    @property
    def chosen_retention(self) -> int | None:
        """``retention_days`` if the owner or an administrator has chosen it; None if not, or to keep all lessons."""
        chosen = [days for days in (self.get("retention_days"), self.longest_retention) if days]
        return min(map(int, chosen), default=None)

    @property
    def longest_retention(self) -> int | None:
        """For how many days lessons are kept at most, those of all owners; None: each owner chooses freely."""
        days = self.get("longest_retention")
        return None if days is None else int(days)

    @longest_retention.setter
    def longest_retention(self, days: int | None) -> None:
        self._choose("longest_retention", "longest_retention_agreed", days)

    def forget_agreements_after(self, at: datetime) -> None:
        """Forget what somebody agreed to delete while the clock was ahead: it would cover lessons of today."""
        for key in ("retention_agreed", "longest_retention_agreed"):
            agreed = self.get(key)
            if agreed is not None and datetime.fromisoformat(agreed) > at:
                self._store(key, None)

    def _choose(self, key: str, agreed: str, days: int | None, keep: int | None = None) -> None:
        """Store a number of days; ``keep`` is stored for None."""
        if days is not None and days < 1:
            raise UsageError(
                later(
                    "Lessons cannot be kept for {days} days. Give at least 1 day, or None to keep all lessons.",
                    days=days,
                )
            )
        changed = days != self.get(key)
        self.set(key, keep if days is None else days)
        if changed and days is not None:
            # Whoever chooses the days is shown what is too old at that moment, and agrees to delete that.
            self.set(agreed, (now() - timedelta(days=days)).isoformat())


def _without(connection: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in connection.items() if key != "password"}
