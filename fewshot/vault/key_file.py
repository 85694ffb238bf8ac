"""The keys of an installation: ``keys.json`` beside the database, wrapped under an epoch key that lies elsewhere.

Dropping a key makes a new epoch key, wraps the keys that stay, and forgets the old epoch key. So whoever has an older
``keys.json`` cannot open it, and only 32 bytes must really vanish. Two files cannot be replaced at once: first the new
epoch key is written beside the old one, then ``keys.json``, which names its epoch, and then the old one is deleted. A
program that was killed in between leaves an epoch key that ``keys.json`` does not name; the next one deletes it.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from fewshot.errors import reason_of
from fewshot.models.lock import one_process
from fewshot.private_files import make_private_folder
from fewshot.secret_variables import secret_variable
from fewshot.translation import later
from fewshot.vault import recovery
from fewshot.vault.cipher import KEY_BYTES, NotSealedHere, new_id
from fewshot.vault.durable import forget_halves, shred, write_through
from fewshot.vault.errors import KeysUnusable, lost_keys, wrong_secret
from fewshot.vault.key_record import (
    FORMAT,
    bound,
    bytes_of,
    epoch_file,
    is_there,
    read_record,
    shown,
    text_of,
    wrapping_cipher,
)
from fewshot.vault.leftovers import holds, mark_of, old_epochs
from fewshot.vault.places import place_for_new, places

FILE = "keys.json"
SECRET = "FEWSHOT_KEY"  # nosec B105: the name of a variable
_CHECK = b"fewshot keys: these can be opened"
_TRIES = 5

logger = logging.getLogger(__name__)


class KeyFile:
    """Reads and writes the keys of the databases in one folder, on this computer.

    Args:
        folder: where ``keys.json`` lies, or will lie when the first key is made.

    Attributes:
        generation: grows with every change that this object has seen.
        unreached: a sentence for each recovery file that is not up to date.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / FILE
        self.generation = 0
        self._seen: tuple[int, int, int] | None = None
        self._keys: dict[str, bytes] = {}
        self._record: dict[str, Any] = {}
        self._epoch = b""
        self._turn = threading.RLock()
        self.unreached: list[str] = []

    @property
    def record(self) -> dict[str, Any]:
        """What ``keys.json`` says now; empty without such a file. No key is opened."""
        with self._turn:
            stamp = self._stamp()
            if stamp is None or stamp == self._seen:
                return dict(self._record)
            return read_record(self.path)

    @property
    def exists(self) -> bool:
        """Whether any key was ever made here."""
        return self.path.exists()

    def epoch_file(self) -> Path | None:
        """Where the present epoch key lies; None before the first key is made."""
        record = self.record
        return self._find(record) if record else None

    @contextmanager
    def _change(self, new_epoch: bool = False, secret: str | None = None) -> Iterator[None]:
        """Read, change and write the keys while no other program does.

        Raises:
            KeysUnusable: they cannot be opened or written. Then they are as before.
        """
        with self._turn:
            try:
                make_private_folder(self.folder)
                with one_process(self.path):
                    self._read()
                    begins = not self._record
                    if begins:
                        self._begin()
                    elif not self._is_copy(self._record):
                        self._tidy(self._record)
                    before = dict(self._keys), dict(self._record), self._epoch
                    try:
                        yield
                        self._write(new_epoch or begins or self._is_copy(self._record), secret)
                    except BaseException:
                        self._keys, self._record, self._epoch = before
                        self._seen = None  # what the file holds is not known
                        raise
            except OSError as error:
                raise KeysUnusable(
                    later(
                        "The keys of the encryption could not be written ({reason}), so nothing was changed. Check "
                        "that {folder} and {places} may be written to and have free space, then try again.",
                        reason=reason_of(error),
                        folder=self.folder,
                        places=shown(places(self.folder)),
                    )
                ) from error

    def _begin(self) -> None:
        place = str(place_for_new(self.folder).absolute())  # before anything is written
        store, folder = secrets.token_hex(16), str(self.folder.absolute())
        self._record = {"format": FORMAT, "store": store, "copy": store, "folder": folder, "place": place}
        self._record |= {"generation": 0, "dropped": []}

    def _is_copy(self, record: dict[str, Any]) -> bool:
        """Whether the folder was copied or moved since the keys were written; another path to it is neither."""
        there = Path(record["folder"], FILE)
        if there.parent == self.folder.absolute():
            return False
        with suppress(OSError):
            return not there.samefile(self.path)
        return True

    def _write(self, new_epoch: bool, secret: str | None) -> None:
        record, before = self._record, dict(self._record)
        given = (secret_variable(SECRET) or "") if secret is None else secret
        copied = "epoch" in record and self._is_copy(record)
        original = copied and holds(Path(before["folder"], FILE), before["copy"])
        if new_epoch:
            here = self._find(record) if "epoch" in record and not copied else None
            if copied:
                # The copy gets an epoch key of its own. What is erased in one of the two stays in the other one.
                record["copy"] = secrets.token_hex(16)
                if original:
                    record.pop("recovery", None)  # that file is of the keys that were copied
            place = place_for_new(self.folder) if here is None else here.parent
            record["places"] = list(dict.fromkeys([*before.get("places", ()), before["place"], str(place.absolute())]))
            record["place"] = str(place.absolute())
            record["epoch"], self._epoch = new_id(), os.urandom(KEY_BYTES)
            write_through(epoch_file(place, record), self._epoch.hex().encode())
        wrapping = wrapping_cipher(self._epoch, given, record)
        record["folder"], record["mark"] = str(self.folder.absolute()), mark_of(self.folder)
        record["generation"] += 1
        record["secret"] = bool(given)
        record["check"] = text_of(wrapping.seal(_CHECK, bound(record, "")))
        record["keys"] = {name: text_of(wrapping.seal(key, bound(record, name))) for name, key in self._keys.items()}
        write_through(self.path, json.dumps(record, indent=1).encode())
        self._seen = self._stamp()
        self.generation += 1
        if new_epoch and "epoch" in before:
            self._tidy(record)
            if copied and not original:
                self._leave(before)
        self._write_recovery()

    def _read(self) -> None:
        """Read ``keys.json`` and open it. Another program may replace both files meanwhile: then read again."""
        for attempt in range(_TRIES):
            stamp = self._stamp()
            if stamp is None:
                if self._record:  # it was there
                    raise lost_keys(self.path, later("the file is missing"))
                self._seen = None
                return
            record = read_record(self.path)
            try:
                keys, epoch = self._opened(record)
            except KeysUnusable:
                if attempt < _TRIES - 1 and self._stamp() != stamp:
                    continue
                raise
            if keys.keys() != self._keys.keys() or record["epoch"] != self._record.get("epoch"):
                self.generation += 1
            first = not self._record
            self._record, self._keys, self._epoch, self._seen = record, keys, epoch, stamp
            if first:
                self._write_recovery(only_stale=True)
            return

    def _write_recovery(self, only_stale: bool = False) -> None:
        self.unreached = recovery.write_files(self._record, self._keys, only_stale)
        for said in self.unreached:
            logger.warning(said)

    def _opened(self, record: dict[str, Any]) -> tuple[dict[str, bytes], bytes]:
        file = self._find(record)
        if file is None:
            raise KeysUnusable(
                later(
                    "The names, vectors and readings are encrypted, and the key that opens them is not on this "
                    "computer. It should be {file} in {places}. Put that file back, or set FEWSHOT_KEYS to its "
                    "folder. If it is lost, use the recovery file that was made for this case. Without either, "
                    "everything in the classes is lost.",
                    file=epoch_file(self.folder, record).name,
                    places=shown(places(self.folder)),
                ),
                hint="To use the recovery file, type: fewshot key import FILE",
            )
        try:
            epoch = bytes.fromhex(file.read_text(encoding="ascii").strip())
            if len(epoch) != KEY_BYTES:
                raise ValueError
        except (OSError, ValueError) as error:
            reason = reason_of(error) if getattr(error, "strerror", None) else later("it is damaged")
            raise KeysUnusable(
                later(
                    "The key of the encryption in {file} cannot be read ({reason}). Put a copy of this file in its "
                    "place.",
                    file=file,
                    reason=reason,
                ),
                hint="To use a recovery file, type: fewshot key import FILE",
            ) from error
        given = secret_variable(SECRET) or ""
        wrapping = wrapping_cipher(epoch, given, record)
        try:
            wrapping.open(bytes_of(record["check"]), bound(record, ""))
        except (NotSealedHere, ValueError, KeyError, TypeError) as error:
            raise wrong_secret(self.path, SECRET, record, bool(given)) from error
        try:
            keys = {
                name: wrapping.open(bytes_of(sealed), bound(record, name)) for name, sealed in record["keys"].items()
            }
        except (NotSealedHere, ValueError, TypeError) as error:
            raise lost_keys(self.path, later("one of its keys was changed")) from error
        return keys, epoch

    def _find(self, record: dict[str, Any]) -> Path | None:
        known = [*places(self.folder), Path(record["place"])]
        return next((file for place in known if is_there(file := epoch_file(place, record))), None)

    def _tidy(self, record: dict[str, Any]) -> None:
        """Delete the epoch keys that ``keys.json`` does not name. Only whoever holds the lock may do this.

        Raises:
            KeysUnusable: one of them could not be deleted.
        """
        forget_halves(self.path)
        for file in old_epochs(self.folder, record):
            try:
                shred(file)
            except OSError as error:
                raise KeysUnusable(
                    later(
                        "The old key {file} could not be deleted ({reason}), so an older copy of {path} can still "
                        "be opened. Delete this file, or let fewshot write to its folder.",
                        file=file,
                        reason=reason_of(error),
                        path=self.path,
                    )
                ) from error

    def _leave(self, before: dict[str, Any]) -> None:
        """Delete the epoch key of a folder that was moved here. A copy of a folder that is away must leave it there."""
        old = self._find(before)
        if old is not None and before.get("mark") and before["mark"] == mark_of(self.folder):
            shred(old)
        elif old is not None:
            logger.warning(
                "The keys in %s came from %s, which is not there now. If that folder is on a disk that is not "
                "connected, it needs the key %s, so this file was left. If the folder is gone for good, delete the "
                "file: it opens older copies of keys.json, also of what is erased since.",
                self.path, before["folder"], old,
            )  # fmt: skip

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise lost_keys(self.path, reason_of(error)) from error
        return found.st_ino, found.st_mtime_ns, found.st_size
