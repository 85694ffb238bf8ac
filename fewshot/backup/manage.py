"""Managed backups, for people: choose a place, leave it, and see what is there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from fewshot.backup.make import note_made, store_of
from fewshot.database import Database
from fewshot.database.managed import is_behind, renew, state_now, why_of
from fewshot.database.managed_list import Managed, Place, list_of, place_of, read_list, write_list
from fewshot.database.plain import plain_in
from fewshot.errors import StoreError, UsageError
from fewshot.models.files import home
from fewshot.models.lock import one_process
from fewshot.translation import tr
from fewshot.vault import HeldKeys
from fewshot.vault.places import places as places_of_keys

NAME = "fewshot-managed.backup"
"""In a folder that was chosen."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A managed backup.

    Attributes:
        place: where it is, and what happened there.
        current: whether it was made after the latest erasure, for the present recovery file.
    """

    place: Place
    current: bool


def manage(database: Database, chosen: Path) -> Place:
    """Write a managed backup, and keep it up to date from now on. One that is managed already is written again.

    Args:
        database: the default database.
        chosen: a folder, or a file in one that exists.

    Raises:
        UsageError: there is no recovery file, the place cannot be used, or the backup could not be written. Then the
            place is not managed.
        StoreError: the database is in memory, or something of it cannot be read.
    """
    store = store_of(database)
    _refuse_unready(database)
    file = _file(chosen)
    _refuse_place(database, store, file)
    with one_process(list_of(store)):
        managed = read_list(store)
        known = place_of(managed, file)
        fresh = Place(file if known is None else known.file, str(store.parent.absolute()))
        managed.places = [place for place in managed.places if place is not known] + [fresh]
        _write(store, managed)
    renew(database, lambda place, state: place.file == fresh.file or is_behind(place, state))
    with one_process(list_of(store)):
        managed = read_list(store)
        found = next((place for place in managed.places if place.file == fresh.file), fresh)
        if found.written:
            return found
        # A place that was managed stays so: what failed there is tried again.
        managed.places = [place for place in managed.places if place.file != fresh.file]
        managed.places += [] if known is None else [replace(known, why=found.why, detail=found.detail)]
        _write(store, managed)
    reason = found.reason() or tr("See the log of fewshot.")
    raise UsageError(tr("The managed backup {file} was not written. {reason}", file=file, reason=reason))


def unmanage(database: Database, chosen: Path) -> Path:
    """Keep a managed backup up to date no longer. Its file stays, and counts as a backup that somebody made.

    Returns:
        The file.

    Raises:
        UsageError: it is not managed.
        StoreError: the list cannot be read or written.
    """
    store = store_of(database)
    with one_process(list_of(store)):
        managed = read_list(store)
        gone = place_of(managed, chosen) or place_of(managed, chosen / NAME)
        if gone is None:
            raise UsageError(
                tr("{file} is not a managed backup.", file=chosen),
                hint="To see the managed backups, type: fewshot backup --managed",
            )
        managed.places = [place for place in managed.places if place is not gone]
        _write(store, managed)
    if gone.written:
        note_made(store, gone.file)
    return gone.file


def managed_places(database: Database) -> list[Shown]:
    """All managed backups of a database. No disk of theirs is looked at.

    Raises:
        StoreError: the list is damaged, or the database cannot be read.
    """
    store = database.beside
    if store is None or not list_of(store).exists():
        return []
    places = read_list(store).places
    state = state_now(database)
    return [Shown(place, bool(place.written) and not is_behind(place, state)) for place in places]


def managed_files(store: Path) -> list[Path]:
    """The files of all managed backups, without opening the database. Raises StoreError if their list is damaged."""
    return [place.file for place in read_list(store).places]


def _refuse_unready(database: Database) -> None:
    if isinstance(database.vault.keys, HeldKeys):
        raise UsageError(
            tr("A managed backup is sealed with the keys, and these are with the key holder. Make backups with a "
               "passphrase instead."),
            hint="For example once a day: fewshot backup FILE --passphrase-file PASSPHRASE",
        )  # fmt: skip
    if not (getattr(database.vault.keys, "record", {}).get("recovery")):
        raise UsageError(
            tr("A managed backup needs a recovery file, because nobody types a passphrase when it is written. Make one "
               "first."),
            hint="To make one, type: fewshot key export FILE",
        )  # fmt: skip
    with database.read() as session:
        if plain_in(session):
            raise UsageError(
                tr("Data of an earlier version is not encrypted yet, and could not be erased from a backup. Encrypt it "
                   "first."),
                hint="To encrypt it, type: fewshot key seal",
            )  # fmt: skip


def _file(chosen: Path) -> Path:
    plain = chosen.absolute()
    try:
        file = plain / NAME if plain.is_dir() else plain
        if file.parent.is_dir():
            return file
    except (OSError, ValueError) as error:
        raise UsageError(
            tr("The managed backup {file} was not written. {reason}", file=plain, reason=why_of(error))
        ) from error
    raise UsageError(tr("There is no folder {folder}. Create it, or choose another place.", folder=file.parent))


def _refuse_place(database: Database, store: Path, file: Path) -> None:
    """Raises UsageError for a place that is lost with the database, or that lies beside the key that opens it."""
    where = file.parent.resolve()
    ours = [folder.resolve() for folder in (home(), *places_of_keys(store.parent))]
    # A database of one's own may lie in a large folder, such as a home folder, in which other disks are mounted.
    for folder in (store.parent.resolve(), *ours):
        if where == folder or (folder in ours and where.is_relative_to(folder)):
            raise UsageError(
                tr("{folder} belongs to fewshot itself: it would be lost together with the backup. Choose a place on "
                   "another disk.", folder=folder)
            )  # fmt: skip
    record = getattr(database.vault.keys, "record", {})
    if place_of(Managed(places=[Place(Path(place), "") for place in record["recovery"]["places"]]), file) is not None:
        raise UsageError(tr("{file} is the recovery file. Choose another place.", file=file))


def _write(store: Path, managed: Managed) -> None:
    try:
        write_list(store, managed)
    except OSError as error:
        raise StoreError(
            tr(
                "The list of managed backups, {file}, could not be written ({reason}).",
                file=list_of(store),
                reason=why_of(error),
            )
        ) from error
