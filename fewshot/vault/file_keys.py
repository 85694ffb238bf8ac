"""The key store in ``keys.json``: gives, makes and drops keys, and writes and reads recovery files."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from fewshot.errors import UsageError
from fewshot.models.lock import one_process
from fewshot.translation import later
from fewshot.vault import recovery
from fewshot.vault.cipher import new_id, new_key
from fewshot.vault.errors import KeyGone, KeysUnusable, lost_keys
from fewshot.vault.key_file import FILE, KeyFile
from fewshot.vault.key_record import dropped_in
from fewshot.vault.leftovers import forget_aside, old_epochs


class FileKeys(KeyFile):
    """The keys of the databases in one folder, on this computer.

    Args:
        folder: where ``keys.json`` lies, or will lie when the first key is made.
    """

    def refresh(self) -> None:
        """Take over what other programs changed. Nothing is opened before a key is needed."""
        with self._turn:
            if self._seen is not None and self._stamp() != self._seen:
                self._read()

    def key(self, name: str) -> bytes:
        """See ``KeyStore``."""
        known = self._keys.get(name)
        if known is not None:
            return known
        with self._turn:
            if self._seen is None or self._stamp() != self._seen:
                self._read()
            if self._seen is None:
                raise lost_keys(self.path, later("it is missing"))
            try:
                return self._keys[name]
            except KeyError:
                raise KeyGone(name) from None

    def make(self, count: int) -> list[str]:
        """See ``KeyStore``."""
        names = [new_id() for _ in range(count)]
        with self._change():
            self._keys.update((name, new_key()) for name in names)
        return names

    def open_all(self) -> None:
        """Open every key once. Raises KeysUnusable if that is not possible."""
        with self._turn:
            self._read()

    @property
    def store(self) -> str:
        """See ``KeyStore``."""
        return str(self.record.get("store", ""))

    def names(self) -> Collection[str]:
        """See ``KeyStore``."""
        return set(self.record.get("keys", ()))

    def dropped(self) -> Collection[str]:
        """Ids of all keys that were dropped."""
        return set(self.record.get("dropped", ()))

    def drop(self, names: Iterable[str]) -> int:
        """See ``KeyStore``. Nothing happens if none of them is there."""
        wanted = set(names)
        if not wanted & set(self.names()):
            self._finish()
            return 0
        with self._change(new_epoch=True):
            there = wanted & self._keys.keys()
            for name in there:
                del self._keys[name]
            self._record["dropped"] = sorted({*self._record["dropped"], *there})
        forget_aside(self.folder, self._record)
        return len(there)

    def _finish(self) -> None:
        """Delete the epoch keys that a program which was killed, or a faulty disk, has left."""
        record = self.record
        if record and not self._is_copy(record) and old_epochs(self.folder, record):
            with self._turn, one_process(self.path):
                try:
                    self._read()
                except KeysUnusable:
                    return  # perhaps somebody put an old keys.json here: then the key it does not name is the good one
                self._tidy(self._record)

    def rotate(self, secret: str | None = None) -> None:
        """Make a new epoch key.

        Args:
            secret: what ``$FEWSHOT_KEY`` is from now on; None leaves it as it is.
        """
        with self._change(new_epoch=True, secret=secret):
            pass

    def export(self, file: Path, passphrase: str, replace: bool = False) -> list[str]:
        """Write a recovery file, which is brought up to date with every change from now on; see ``recovery``.

        Args:
            file: to write.
            passphrase: opens it; one of at least 12 characters.
            replace: choose a new passphrase for all recovery files, also for earlier ones.

        Returns:
            A sentence for each place that could not be written.

        Raises:
            UsageError: the passphrase is too short, or not the one of the earlier recovery files.
            KeysUnusable: the keys cannot be opened or written.
        """
        recovery.refuse_other(file, self.store)
        if (record := self.record) and self._is_copy(record):
            self.rotate()  # it takes keys of its own, and leaves the recovery file of the original alone
        known = self.record.get("recovery")
        if known and not replace and not recovery.fits(known, passphrase):
            raise UsageError(
                later(
                    "There is a recovery file already ({places}), and this is not its passphrase. Nothing was "
                    "written. Use its passphrase for all recovery files.",
                    places=", ".join(known["places"]),
                ),
                hint="To choose a new one for all of them, add: --new-passphrase",
            )
        made = known if known and not replace else recovery.new_recovery(passphrase)
        earlier = known["places"] if known else []
        all_places = list(dict.fromkeys([*earlier, str(file.absolute())]))
        with self._change():
            self._record["recovery"] = made | {"places": all_places}
        if not recovery.is_current(file, self._record):
            with self._change():
                if earlier:
                    self._record["recovery"] = made | {"places": earlier}
                else:
                    self._record.pop("recovery")
            raise UsageError(
                later(
                    "The recovery file {file} could not be written. Choose a folder that may be written to.", file=file
                )
            )
        return self.unreached

    def take_from(self, file: Path, passphrase: str) -> int:
        """Take over the keys of a recovery file. Those that were dropped here stay dropped.

        Keys that cannot be opened any more are moved aside, and a new ``keys.json`` is made.

        Returns:
            How many keys are here now.

        Raises:
            UsageError: the file is no recovery file, or the passphrase is wrong.
            KeysUnusable: the keys cannot be written.
        """
        found, keys = recovery.read_file(file, passphrase)
        try:
            self._read()
        except KeysUnusable:
            found["dropped"] = [*found["dropped"], *dropped_in(self.path)]
            self._set_aside()
        began = self._record == {} and not self.path.exists()
        with self._change():
            if began:
                self._record["store"] = found["store"]
                self._record["recovery"] = {
                    "public": found["public"], "private": found["private"], "places": [str(file.absolute())],
                }  # fmt: skip
            gone = {*self._record["dropped"], *(found["dropped"] if self._record["store"] == found["store"] else ())}
            self._record["dropped"] = sorted(gone)
            self._keys = {name: key for name, key in keys.items() if name not in gone} | self._keys
        return len(self._keys)

    def _set_aside(self) -> None:
        with self._turn:
            if self.path.exists():
                self.path.rename(self.path.with_name(f"unusable-{new_id()}-{FILE}"))
            self._record, self._keys, self._seen = {}, {}, None
