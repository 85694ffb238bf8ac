"""Columns that are sealed when they are written and opened when they are read; see ``fewshot.vault``.

A sealed column is a pair of attributes: one mapped to the bytes of the database, and one with the plain value, which
code uses. A query cannot compare sealed values, so names are compared after reading: a teacher has a few classes of at
most some hundred students. Values that an earlier version wrote open too, until ``fewshot key seal`` has sealed them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar, overload

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import String, event, select, update
from sqlalchemy import column as sql_column
from sqlalchemy import table as sql_table
from sqlalchemy.orm import Session, object_session

from fewshot.database.row_check import set_checks, set_numbered_checks
from fewshot.translation import later
from fewshot.vault import HeldKeys, KeyGone, KeyStore, KeysUnusable, Vault
from fewshot.vault.cipher import PLAIN, Cipher, NotSealedHere, names_these_keys, new_id
from fewshot.vault.held_keys import HOLDER

T = TypeVar("T")

Holder = tuple[Any, str]
"""A row, and its attribute that holds the id of a key; "" until the key is needed."""

KeysOf = Callable[[Any, Session], tuple[Holder, ...]]
"""Gives the holders of the keys of a row's value. Only all keys together open it."""

VAULT, _HELD = "vault", "held"
_INSTALLATION = sql_table("installation", sql_column("keys", String()))


class RowMissing(LookupError):
    """A row that another one belongs to is not there: it was deleted meanwhile, or the database is damaged."""


class Codec(Generic[T]):
    """Turns values into bytes and back."""

    def __init__(self, encode: Callable[[T], bytes], decode: Callable[[bytes], T]) -> None:
        self.encode, self.decode = encode, decode


TEXT: Codec[str] = Codec(
    lambda text: text.encode("utf-8", "surrogatepass"), lambda data: data.decode("utf-8", "surrogatepass")
)
MAYBE_TEXT: Codec[str | None] = Codec(lambda text: TEXT.encode(text or ""), TEXT.decode)
BYTES: Codec[bytes] = Codec(bytes, bytes)
JSON: Codec[Any] = Codec(lambda value: json.dumps(value).encode(), json.loads)
FLOATS: Codec[NDArray[np.float32]] = Codec(
    lambda vector: np.ascontiguousarray(vector, "<f4").tobytes(),
    lambda data: np.frombuffer(data, "<f4").astype(np.float32),
)


class Unsealed:
    """A value that was set and is sealed at the next flush."""

    def __init__(self, value: Any) -> None:
        self.value = value


class Sealed(Generic[T]):
    """The plain value of a sealed column.

    Args:
        raw: name of the attribute that is mapped to the column.
        codec: of the value. None is stored as NULL.
        keys: whose keys seal it.
        usual: whose keys seal a value that ``is_usual``; None: no value is.
        is_usual: whether a value is a fixed word of this program, and not a word that a person chose.
    """

    def __init__(
        self,
        raw: str,
        codec: Codec[T],
        keys: KeysOf,
        usual: KeysOf | None = None,
        is_usual: Callable[[T], bool] = lambda _: False,
    ) -> None:
        self.raw, self.codec, self.keys = raw, codec, keys
        self._usual, self._is_usual = usual, is_usual
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name
        owner.sealed_columns = (*getattr(owner, "sealed_columns", ()), self)  # type: ignore[attr-defined]

    @overload
    def __get__(self, row: None, owner: type) -> Sealed[T]: ...

    @overload
    def __get__(self, row: object, owner: type) -> T: ...

    def __get__(self, row: object | None, owner: type) -> Sealed[T] | T:
        if row is None:
            return self
        stored = getattr(row, self.raw)
        if stored is None:
            return None  # type: ignore[return-value]
        if isinstance(stored, Unsealed):
            return stored.value  # type: ignore[no-any-return]
        try:
            return self._value(row, stored)
        except ValueError as error:
            raise NotSealedHere(f"{type(row).__name__}.{self.name}: {error}") from error

    def _value(self, row: object, stored: Any) -> T:
        if isinstance(stored, str):  # written by hand, or by another program
            return self.codec.decode(stored.encode("utf-8", "surrogatepass"))
        session = session_of(row)
        ways = [keys(row, session) for keys in (self._usual, self.keys) if keys is not None]
        if stored[:1] == bytes([PLAIN]):
            for holders in ways:
                refuse_changed(holders, stored)
            return self.codec.decode(stored[1:])
        cipher = cipher_of(session, ways[0])
        if len(ways) > 1 and not cipher.sealed(stored):
            cipher = cipher_of(session, ways[1])
        return self.codec.decode(cipher.open(stored, self.bound(row)))

    def __set__(self, row: object, value: T) -> None:
        setattr(row, self.raw, None if value is None else Unsealed(value))

    def keys_for(self, row: Any, session: Session, value: T) -> tuple[Holder, ...]:
        """Whose keys seal a value."""
        keys = self._usual if self._usual is not None and self._is_usual(value) else self.keys
        return keys(row, session)

    def bound(self, row: Any) -> bytes:
        """What is authenticated with the value, so that it opens only in this place."""
        return bound_to(row.__tablename__, self.name, row.rid)

    def is_plain(self, row: Any) -> bool:
        """Whether the database holds the value as an earlier version wrote it."""
        stored = getattr(row, self.raw)
        return isinstance(stored, bytes) and stored[:1] == bytes([PLAIN])


class Blind:
    """A column that holds a blind index of a sealed one: equal values are found, and none can be guessed.

    Args:
        raw: name of the mapped attribute.
        source: name of the sealed attribute.
        key: whose key makes the index.
        fold: brings equal values to one form.
    """

    def __init__(
        self, raw: str, source: str, key: Callable[[Any, Session], Holder], fold: Callable[[str], str] = str
    ) -> None:
        self.raw, self.source, self.key, self.fold = raw, source, key, fold

    def __set_name__(self, owner: type, name: str) -> None:
        owner.blind_columns = (*getattr(owner, "blind_columns", ()), self)  # type: ignore[attr-defined]

    def compute(self, row: Any, session: Session) -> str:
        """The index of the value that the row has now."""
        holder = self.key(row, session)
        give_keys(session, [holder])
        return vault_of(session).blind(getattr(*holder), self.fold(getattr(row, self.source)))


def bound_to(table: str, column: str, row: str) -> bytes:
    """See ``Sealed.bound``; ``row`` is the random id of the row."""
    return f"{table}|{column}|{row}".encode()


def session_of(row: object) -> Session:
    """The session of a row; a value can be opened only as long as it is open."""
    session = object_session(row)
    if session is None:
        raise RuntimeError(f"{type(row).__name__} was used after its session was closed")
    return session


def vault_of(session: Session) -> Vault:
    """The keys of the database that a session belongs to."""
    return session.info[VAULT]  # type: ignore[no-any-return]


def cipher_of(session: Session, holders: Iterable[Holder]) -> Cipher:
    """The cipher of the keys that rows hold.

    Raises:
        KeyGone: a key is not there.
    """
    names = [getattr(row, field) for row, field in holders]
    if not all(names):
        raise KeyGone("")
    return vault_of(session).cipher(*names)


def cipher_for(session: Session, holders: Iterable[Holder]) -> Cipher:
    """Like ``cipher_of``, for writing: keys that are needed for the first time are made."""
    holders = tuple(holders)
    give_keys(session, holders)
    return cipher_of(session, holders)


def refuse_changed(holders: Iterable[Holder], stored: bytes) -> None:
    """Check a value that begins like one that is not sealed: one changed bit makes a sealed value look like that.

    Raises:
        NotSealedHere: it names the key of its place, so it was sealed.
    """
    names = [getattr(row, field) for row, field in holders]
    if names and all(names) and names_these_keys(stored, *names):
        raise NotSealedHere("its first byte was changed")


def give_keys(session: Session, holders: Iterable[Holder]) -> None:
    """Make the keys that rows do not have yet. They are on the disk before any row that uses them.

    Raises:
        KeysUnusable: the keys of this database are lost or not here, or no key can be written.
    """
    lacking = [(row, field) for row, field in holders if not getattr(row, field)]
    if not lacking:
        return
    vault, here = vault_of(session), store_of(session)
    if here and here != vault.keys.store:
        raise missing_keys(vault.keys)
    for (row, field), name in zip(lacking, vault.make(len(lacking)), strict=True):
        setattr(row, field, name)
    if not here:
        session.execute(update(_INSTALLATION).values(keys=vault.keys.store))


def store_of(session: Session) -> str:
    """The id of the key store that encrypts this database; "" before its first key was made."""
    return session.scalar(select(_INSTALLATION.c["keys"]).limit(1)) or ""


def refuse_other_keys(session: Session) -> None:
    """Check, before an erasure, that its keys can be dropped here.

    A database whose keys are lost can still be emptied.

    Raises:
        KeysUnusable: the keys are those of another installation.
    """
    keys, here = vault_of(session).keys, store_of(session)
    if here and here != keys.store and (keys.store or isinstance(keys, HeldKeys)):
        raise missing_keys(keys)


def missing_keys(keys: KeyStore) -> KeysUnusable:
    """The error for a database whose key store is not here.

    Args:
        keys: those that are here.
    """
    if isinstance(keys, HeldKeys):
        return KeysUnusable(
            later(
                "The keys that encrypt this database are not those that {url} holds ({holder}), so nothing was "
                "changed. Set {holder} to the address of this database's own key holder.",
                url=keys.url,
                holder=HOLDER,
            )
        )
    return KeysUnusable(
        later(
            "The keys that encrypt this database are not beside it, so nothing was changed. Put the file keys.json "
            "that belongs to it back, or use the recovery file."
        ),
        hint="To use a recovery file, type: fewshot key import FILE",
    )


def parent(session: Session, table: type[T], number: Any) -> T:
    """The row that another one belongs to; it stays in the session."""
    row = session.get(table, number)
    if row is None:
        raise RowMissing(f"FOREIGN KEY: a row of {table.__tablename__} is missing")  # type: ignore[attr-defined]
    session.info.setdefault(_HELD, set()).add(row)
    return row


def forget_rows(session: Session) -> None:
    """Let a session that reads many rows hold none of them any more."""
    session.expunge_all()
    session.info.pop(_HELD, None)


class SealingSession(Session):
    """A session that seals what was set before it is written.

    Args:
        bind: the engine.
        vault: the keys of the database.
    """

    def __init__(self, bind: Any, vault: Vault) -> None:
        super().__init__(bind, info={VAULT: vault})


def seal_pending(session: Session, *_: Any) -> None:
    """Seal everything that was set since the last flush."""
    rows = [row for row in (*session.new, *session.dirty) if hasattr(row, "sealed_columns") or hasattr(row, "own_keys")]
    for row in rows:
        if hasattr(type(row), "rid") and not row.rid:
            row.rid = new_id()
    give_keys(session, [(row, field) for row in rows if row in session.new for field in getattr(row, "own_keys", ())])
    for row in rows:
        waiting_for = {column.name for column in getattr(row, "sealed_columns", ()) if _waits(row, column)}
        for index in getattr(row, "blind_columns", ()):
            if index.source in waiting_for:
                setattr(row, index.raw, index.compute(row, session))
        for column in getattr(row, "sealed_columns", ()):
            waiting = row.__dict__.get(column.raw)
            if isinstance(waiting, Unsealed):
                cipher = cipher_for(session, column.keys_for(row, session, waiting.value))
                setattr(row, column.raw, cipher.seal(column.codec.encode(waiting.value), column.bound(row)))
    set_checks(session)


def _waits(row: Any, column: Sealed[Any]) -> bool:
    return isinstance(row.__dict__.get(column.raw), Unsealed)


event.listen(SealingSession, "before_flush", seal_pending)
event.listen(SealingSession, "after_flush", set_numbered_checks)
