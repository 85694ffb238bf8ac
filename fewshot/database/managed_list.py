"""The list of managed backups of a database: where they are, and whether the newest one could be written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from fewshot.errors import StoreError
from fewshot.translation import later, tr
from fewshot.vault.durable import write_through

LIST = "managed-backups.json"

REASONS: Mapping[str, str] = {
    "folder": later("Its folder is not there. Connect its disk."),
    "gone": later("The backup is not there any more. Connect its disk, or choose this place again."),
    "foreign": later("Another file has its name, and was not replaced. Move that file, or choose another place."),
    "other": later("The backup there belongs to another installation, and was not replaced. Choose another place."),
    "newer": later(
        "The backup there is newer than what is stored here, and was not replaced. Restore it, or move it and choose "
        "this place again."
    ),
    "link": later("A link has its name. Choose the file or the folder that it leads to."),
    "space": later("There is not enough free space: {detail} MB are needed."),
    "silent": later("Its disk or network does not answer."),
    "check": later("What was written there could not be read again as it was written. The disk may be faulty."),
    "failed": later("The system says: {detail}."),
    "recovery": later("There is no recovery file, and without one nobody could open it."),
    "moved": later("The folder of fewshot was moved or copied since this place was chosen. Choose it again."),
    "plain": later("Data of an earlier version is not encrypted yet. Encrypt it first."),
    "source": later("The database could not be copied ({detail})."),
}
"""Why a managed backup could not be written."""


@dataclass(frozen=True, slots=True)
class Place:
    """One managed backup.

    Attributes:
        file: where it is.
        folder: of the database when the place was chosen. A copy of that folder must not write to the same place.
        written: when it was last written and checked, ISO 8601 in UTC; "" if it never was.
        state: what was known of erasures and recovery files when it was written.
        why: why the latest attempt to write it failed, a key of ``REASONS``; "" if it did not fail.
        detail: more about that.
    """

    file: Path
    folder: str
    written: str = ""
    state: str = ""
    why: str = ""
    detail: str = ""

    def reason(self) -> str:
        """Why the latest attempt failed, as sentences in the reader's language; "" if it did not fail."""
        return tr(REASONS[self.why], detail=self.detail) if self.why else ""

    def logged(self) -> str:
        """The same in English, for logs and receipts."""
        return REASONS[self.why].format(detail=self.detail) if self.why else ""


@dataclass(slots=True)
class Managed:
    """All managed backups of a database.

    Attributes:
        key: id of the key that seals them, besides the recovery file's.
        places: in the order in which they were chosen.
    """

    key: str = ""
    places: list[Place] = field(default_factory=list)


def list_of(store: Path) -> Path:
    """The file of the list beside a database."""
    return store.with_name(LIST if store.name == "fewshot.db" else f"{store.name}-{LIST}")


def read_list(store: Path) -> Managed:
    """The list of a database; an empty one if there is none.

    Raises:
        StoreError: it is damaged.
    """
    file = list_of(store)
    try:
        record = json.loads(file.read_bytes())
        places = [_place(entry) for entry in record["places"]]
        if not isinstance(record["key"], str):
            raise TypeError
        return Managed(record["key"], places)
    except FileNotFoundError:
        return Managed()
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or "it is damaged"
        raise StoreError(
            later(
                "The list of managed backups, {file}, cannot be used ({reason}), so they are not kept up to date. "
                "Delete the list, and choose every place again.",
                file=file,
                reason=reason,
            ),
            hint="To choose a place again, type: fewshot backup --manage PLACE",
        ) from error


def write_list(store: Path, managed: Managed) -> None:
    """Write the list of a database. Raises OSError if that is not possible."""
    record = asdict(managed) | {"places": [asdict(place) | {"file": str(place.file)} for place in managed.places]}
    write_through(list_of(store), json.dumps(record, indent=1).encode())


def place_of(managed: Managed, file: Path) -> Place | None:
    """The place of a file, whatever its path is called; None if it is not managed."""
    for place in managed.places:
        with suppress(OSError, ValueError):
            if place.file == file.absolute() or place.file.samefile(file):
                return place
    return None


def _place(entry: Any) -> Place:
    texts = [entry[name] for name in ("file", "folder", "written", "state", "why", "detail")]
    if not all(isinstance(text, str) for text in texts) or entry["why"] not in {"", *REASONS}:
        raise ValueError
    if "\0" in entry["file"] + entry["folder"]:
        raise ValueError
    return Place(Path(entry["file"]), *texts[1:])
