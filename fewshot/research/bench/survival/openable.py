"""What of an installation's encrypted values can be opened with the keys that are there now, wherever their bytes lie.

A deleted value stays in old pages, journals, copies and a server's log. That does no harm if no key opens it. So after
an erasure these files are searched for values of the student, and it is counted how many of them have their keys.
Every value begins with a byte and the tag of its key (``Cipher``), so it is found without help of the database.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select

from fewshot.database.tables import ClassRow, StudentRow
from fewshot.vault.cipher import NONCE_BYTES, SEALED, TAG_BYTES, tag_of
from fewshot.vault.store import KeyStore
from fewshot.vault.vault import Vault

if TYPE_CHECKING:
    from fewshot.database import Database

_LONGEST = 4096
"""Bytes of a value that are opened; longer ones lie in several pages of a file."""

Names = tuple[str, ...]
"""Ids of the keys that open a value together."""


def student_keys(database: Database, classroom: str) -> dict[str, str]:
    """Student -> id of the student's key, for one class. Ask before a removal: afterwards nobody knows them."""
    with database.read() as session:
        classes = [row.id for row in session.scalars(select(ClassRow)) if row.name == classroom]
        rows = session.scalars(select(StudentRow).where(StudentRow.class_id.in_(classes)))
        return {row.name: row.key for row in rows}


def count_values(places: Iterable[Path], of: str, keys: Collection[str]) -> int:
    """How many values that one key seals, alone or together with another key, are in the files of some folders.

    Args:
        places: folders with everything in them, or files.
        of: id of the key.
        keys: ids of all keys that may seal a value together with it.
    """
    return sum(_found(places, combinations({*keys, of}, of)).values())


def openable(places: Iterable[Path], of: str, store: KeyStore) -> int:
    """Like ``count_values``, but only those values whose keys are all in the key store now."""
    present = store.names()
    return count_values(places, of, present) if of in present else 0


def openable_by_student(places: Iterable[Path], students: Mapping[str, str], store: KeyStore) -> dict[str, int]:
    """``openable`` for every student of ``student_keys``."""
    places = tuple(places)
    return {name: openable(places, key, store) for name, key in students.items()}


def opened(places: Iterable[Path], store: KeyStore) -> bytes:
    """Everything that the present keys open in the files of some folders, one value after the other.

    What was authenticated with a value is not needed for that, because it only protects against changes. Each value
    is cut after 4096 bytes, and behind a shorter one follow bytes without a meaning.
    """
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    vault, parts = Vault(store), []
    tags = combinations(store.names())
    for content in contents(places):
        for place, names in values_in(content, tags):
            begin = place + 1 + TAG_BYTES
            nonce = content[begin : begin + NONCE_BYTES]
            # GCM encrypts in counter mode; its first block is for the check.
            mode = modes.CTR(nonce + (2).to_bytes(4, "big"))
            reader = Cipher(algorithms.AES(vault.cipher(*names).key), mode).decryptor()
            parts.append(reader.update(content[begin + NONCE_BYTES : begin + NONCE_BYTES + _LONGEST]))
    return b"\0".join(parts)


def readable(places: Iterable[Path], store: KeyStore) -> bytes:
    """What whoever holds these files and the present keys can read: their bytes, and ``opened``."""
    places = tuple(places)
    return b"\0".join([*contents(places), opened(places, store)])


def combinations(keys: Collection[str], of: str | None = None) -> dict[bytes, Names]:
    """Tag -> keys, for every key and every two of them in both orders; ``of`` must be among them if it is given."""
    singles: list[Names] = [(key,) for key in keys]
    pairs: list[Names] = [(one, two) for one in keys for two in keys if one != two]
    return {tag_of(*names): names for names in (*singles, *pairs) if of is None or of in names}


def values_in(content: bytes, tags: Mapping[bytes, Names]) -> Iterator[tuple[int, Names]]:
    """Where sealed values begin in some bytes, and their keys."""
    first = bytes([SEALED])
    place = content.find(first)
    while place >= 0:
        names = tags.get(content[place + 1 : place + 1 + TAG_BYTES])
        if names is not None and place + 1 + TAG_BYTES + NONCE_BYTES <= len(content):
            yield place, names
        place = content.find(first, place + 1)


def contents(places: Iterable[Path]) -> Iterator[bytes]:
    """The bytes of every file in some folders. A file that vanishes meanwhile, such as a journal, is left out."""
    for place in places:
        for path in [place] if place.is_file() else sorted(place.rglob("*")):
            try:
                if path.is_file():
                    yield path.read_bytes()
            except FileNotFoundError:
                continue


def _found(places: Iterable[Path], tags: Mapping[bytes, Names]) -> Counter[Names]:
    return Counter(names for content in contents(places) for _, names in values_in(content, tags))
