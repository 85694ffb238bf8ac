"""Old key files that may still open something: which ones there are, and whose they are."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from fewshot.vault.durable import halves_of, shred
from fewshot.vault.key_record import epoch_file
from fewshot.vault.places import places, usual_places

ASIDE = "unusable-*-keys.json"

logger = logging.getLogger(__name__)


def mark_of(folder: Path) -> str:
    """What a folder keeps when it is renamed, and a copy of it does not have. "" if the system does not tell."""
    with suppress(OSError):
        found = folder.stat()
        return f"{found.st_dev}:{found.st_ino}" if found.st_ino else ""
    return ""


def holds(file: Path, copy: str) -> bool:
    """Whether a ``keys.json`` is the one with this id, and not a later one in the same place."""
    return copy in _texts(file, "copy")


def old_epochs(folder: Path, record: dict[str, Any]) -> list[Path]:
    """The epoch keys that ``keys.json`` does not name, in all places where it ever had one."""
    named = epoch_file(folder, record).name
    return [file for file in _epochs(folder, record["copy"], record) if file.name != named]


def forget_aside(folder: Path, record: dict[str, Any]) -> None:
    """Delete the key files that an import has moved aside, with their epoch keys: they hold what is dropped now.

    Args:
        folder: of ``keys.json``.
        record: what it says now.
    """
    for file in folder.glob(ASIDE):
        try:
            # A copy that was not changed yet has its epoch key in common with the original.
            ours = str(folder.absolute()) in _texts(file, "folder")
            for copy in _texts(file, "copy") if ours else ():
                for epoch in () if copy == record["copy"] else _epochs(folder, copy, record):
                    shred(epoch)
            shred(file)
        except OSError as error:
            logger.warning(
                "The file %s holds keys that are dropped now, and could not be deleted (%s). Delete it yourself.",
                file, error.strerror or error,
            )  # fmt: skip


def _epochs(folder: Path, copy: str, record: dict[str, Any]) -> list[Path]:
    known = [*places(folder), *usual_places(folder), *map(Path, (*record.get("places", ()), record["place"]))]
    return [
        file for place in dict.fromkeys(known)
        for file in (*place.glob(f"{copy}-*.key"), *halves_of(place, f"{copy}-*.key"))
    ]  # fmt: skip


def _texts(file: Path, key: str) -> Iterable[str]:
    """The text of a key in a file that may be damaged; empty if it cannot be found."""
    with suppress(OSError, ValueError):
        found = re.search(rf'"{key}": ("(?:[^"\\]|\\.)*")', file.read_text(encoding="utf-8", errors="replace"))
        if found and (key != "copy" or re.fullmatch('"[0-9a-f]{32}"', found[1])):
            return [json.loads(found[1])]
    return []
