"""Settings of the installation that are sealed, because they tell where its servers are."""

from __future__ import annotations

import base64
import logging
from typing import Any

from sqlalchemy.orm import Session

from fewshot.database.owner import LOCAL
from fewshot.database.sealing import JSON, Holder, bound_to, cipher_for, cipher_of, parent
from fewshot.database.tables import OwnerRow, SettingRow
from fewshot.vault.cipher import NotSealedHere
from fewshot.vault.errors import KeyGone

SEALED = frozenset({"ice"})
_BLOB = "sealed"

logger = logging.getLogger(__name__)


def sealed_setting(session: Session, key: str, value: Any) -> Any:
    """A value as it is stored."""
    if key not in SEALED or value is None:
        return value
    sealed = cipher_for(session, _holders(session)).seal(JSON.encode(value), bound_to("settings", "value", key))
    return {_BLOB: base64.b64encode(sealed).decode("ascii")}


def opened_setting(session: Session, key: str, stored: Any) -> Any:
    """The value; None with a warning if its key is gone. Earlier versions did not seal it."""
    if not (key in SEALED and isinstance(stored, dict) and _BLOB in stored):
        return stored
    try:
        sealed = base64.b64decode(stored[_BLOB])
        return JSON.decode(cipher_of(session, _holders(session)).open(sealed, bound_to("settings", "value", key)))
    except (KeyGone, NotSealedHere):
        logger.warning("The setting %r cannot be opened any more. Enter it again under Settings.", key)
        return None


def opened_settings(session: Session) -> list[tuple[SettingRow, Any]]:
    """All rows of sealed settings, with their values."""
    rows = [session.get(SettingRow, key) for key in sorted(SEALED)]
    return [(row, opened_setting(session, row.key, row.value)) for row in rows if row is not None]


def _holders(session: Session) -> tuple[Holder, ...]:
    # The local teacher is always there, and this key is replaced when something of theirs is erased.
    return ((parent(session, OwnerRow, LOCAL), "text_key"),)
