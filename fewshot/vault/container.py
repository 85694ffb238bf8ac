"""The format of a backup: one encrypted file, in chunks that can be neither cut nor swapped.

Layout: ``MAGIC``, the length of the header (4 bytes, big endian), the header (JSON), the SHA-256 of all of these, then
chunks. Each chunk is AES-256-GCM. Its nonce is the header's random 96-bit base plus the number of the chunk. The digest
of the header, the number, and whether it is the last chunk are authenticated with it. Chunk 0 is empty: it
distinguishes a wrong key from damage.

In version 1 the key comes from a passphrase with scrypt and the header's salt. Version 2 is a managed backup: whoever
writes it knows no passphrase. Its key is sealed in the header; see ``managed_key``.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import secrets
import struct
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from fewshot.errors import StoreError, UsageError
from fewshot.private_files import open_fresh, open_private
from fewshot.vault.recovery import check_pair

MAGIC = b"fewshot backup 1\n"
MAGIC_MANAGED = b"fewshot backup 2\n"
CHUNK = 1 << 20
"""Bytes of content per chunk; only the last one may be shorter."""

_BEGINNING = b"fewshot backup "
_TAG = 16
_LONGEST_HEADER = 65_536


@dataclass(frozen=True, slots=True)
class Header:
    """What can be read of a backup without its passphrase; it is protected against changes.

    Attributes:
        made: when, ISO 8601 with a time zone.
        program: version of fewshot that made it.
        migration: number of the newest migration in it.
        installation: random id of the installation.
        kind: "sqlite": a file of SQLite, also for a database on a server.
        size: bytes of the content.
        sha256: of the content, hex digits.
        salt, nonce: hex digits; 16 and 12 bytes.
        managed: of a managed backup, what opens its key, and tells how new it is; else None.
    """

    made: str
    program: str
    migration: str
    installation: str
    kind: str
    size: int
    sha256: str
    salt: str
    nonce: str
    managed: Mapping[str, Any] | None = None


def new_secrets() -> dict[str, str]:
    """A new salt and a new nonce, for one file only."""
    return {"salt": secrets.token_hex(16), "nonce": secrets.token_hex(12)}


def seal(content: Path, out: Path, header: Header, secret: str | bytes) -> None:
    """Encrypt a file.

    Args:
        content: the file with ``header.size`` bytes.
        out: the new file, for its owner only; it is on the disk when this returns.
        header: of the new file.
        secret: a passphrase, any text; of a managed backup its key, 32 bytes.

    Raises:
        OSError: a file cannot be read or written.
    """
    record = {name: value for name, value in asdict(header).items() if value is not None}
    plain = json.dumps(record, sort_keys=True).encode()
    front = (MAGIC if header.managed is None else MAGIC_MANAGED) + struct.pack(">I", len(plain)) + plain
    digest = hashlib.sha256(front).digest()
    cipher = _cipher(header, secret)
    with content.open("rb") as source, open_fresh(out) as target:
        target.write(front + digest)
        target.write(_encrypt(cipher, header, digest, 0, False, b""))
        number, chunk = 1, source.read(CHUNK)
        while True:
            following = source.read(CHUNK)
            target.write(_encrypt(cipher, header, digest, number, not following, chunk))
            if not following:
                break
            number, chunk = number + 1, following
        target.flush()
        os.fsync(target.fileno())


def read_header(path: Path) -> Header:
    """The header of a backup; no passphrase is needed.

    Raises:
        UsageError: the file cannot be read, or is no backup.
        StoreError: the backup is damaged, or of a newer program.
    """
    try:
        with path.open("rb") as file:
            return _front(file, path)[0]
    except OSError as error:
        raise unreadable(path, error) from error


def unseal(path: Path, secret: str | bytes, out: Path | None) -> Header:
    """Decrypt a backup into a new file, for its owner only, and check all of it.

    Args:
        path: of the backup.
        secret: as in ``seal``.
        out: None only checks.

    Raises:
        UsageError: the file cannot be read or is no backup, or the passphrase is wrong.
        StoreError: the backup is damaged or cut, or of a newer program.
        OSError: ``out`` cannot be written.
    """
    try:
        source = path.open("rb")
    except OSError as error:
        raise unreadable(path, error) from error
    with source:
        header, digest = _front(source, path)
        cipher = _cipher(header, secret)
        try:
            cipher.decrypt(_nonce(header, 0), source.read(_TAG), _bound(digest, 0, False))
        except (InvalidTag, ValueError) as error:
            if header.managed is not None:
                raise damaged(path, "its key does not open it") from error
            raise UsageError(
                f"The passphrase does not open {path}. Nothing was changed. Type the same command again, with the "
                "passphrase that was chosen when this backup was made. If you are sure of it, the file is damaged: use "
                "another backup."
            ) from error
        found, size = hashlib.sha256(), 0
        with open_private(out) if out is not None else io.BytesIO() as target:
            for part in _parts(source, path, cipher, header, digest):
                found.update(part)
                size += len(part)
                if out is not None:
                    target.write(part)
            if out is not None:
                target.flush()
                os.fsync(target.fileno())
        if (size, found.hexdigest()) != (header.size, header.sha256):
            raise damaged(path, "its content is not the one that its header describes")
        return header


def is_backup(path: Path) -> bool:
    """Whether a file begins like a backup."""
    try:
        with path.open("rb") as file:
            return file.read(len(_BEGINNING)) == _BEGINNING
    except OSError:
        return False


def damaged(path: Path, reason: str) -> StoreError:
    """The error for a backup that cannot be used."""
    return StoreError(
        f"The backup {path} is damaged ({reason}). Nothing was changed. Use another copy of this file, or an older "
        "backup.",
        hint="To see the backups of this computer, type: fewshot restore --list",
    )


def unreadable(path: Path, error: OSError) -> UsageError:
    """The error for a file that cannot be opened."""
    return UsageError(
        f"The file {path} cannot be read ({error.strerror or error}). Nothing was changed. Check its name and place.",
        hint="To see the backups of this computer, type: fewshot restore --list",
    )


def _front(file: IO[bytes], path: Path) -> tuple[Header, bytes]:
    magic = file.read(len(MAGIC))
    if not magic.startswith(_BEGINNING):
        raise UsageError(
            f"{path} is not a backup of fewshot. Nothing was changed. Give the file that fewshot backup wrote.",
            hint="To see the backups of this computer, type: fewshot restore --list",
        )
    if magic not in (MAGIC, MAGIC_MANAGED):
        raise StoreError(
            f"The format of the backup {path} is not known to this program; a newer fewshot may have made it. Nothing "
            "was changed. Update fewshot."
        )
    lengths = file.read(4)
    length = struct.unpack(">I", lengths)[0] if len(lengths) == 4 else 0
    if not 0 < length <= _LONGEST_HEADER:
        raise damaged(path, "its header is cut or changed")
    plain = file.read(length)
    digest = hashlib.sha256(magic + lengths + plain).digest()
    if file.read(len(digest)) != digest:
        raise damaged(path, "its header is cut or changed")
    try:
        return _header(json.loads(plain), magic == MAGIC_MANAGED), digest
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise damaged(path, "its header cannot be understood") from error


def _header(record: Any, managed: bool) -> Header:
    header = Header(**record)
    texts = (header.made, header.program, header.migration, header.installation, header.kind, header.sha256)
    if not all(isinstance(text, str) for text in texts) or not isinstance(header.size, int):
        raise TypeError
    if len(bytes.fromhex(header.salt)) != 16 or len(bytes.fromhex(header.nonce)) != 12:
        raise ValueError
    if (header.managed is not None) != managed:
        raise ValueError
    if header.managed is not None:
        _check_managed(header.managed)
    return header


def _check_managed(record: Any) -> None:
    check_pair({**record, "places": []})
    if not all(isinstance(record[name], str) for name in ("box", "key", "store")) or type(record["line"]) is not int:
        raise TypeError
    base64.b64decode(record["box"], validate=True)


def _parts(source: IO[bytes], path: Path, cipher: AESGCM, header: Header, digest: bytes) -> Iterator[bytes]:
    """The content of all chunks. Every chunk is checked before it is handed out."""
    number, chunk = 1, source.read(CHUNK + _TAG)
    while True:
        following = source.read(CHUNK + _TAG)
        try:
            yield cipher.decrypt(_nonce(header, number), chunk, _bound(digest, number, not following))
        except (InvalidTag, ValueError) as error:
            raise damaged(path, "a part of it is missing or changed") from error
        if not following:
            return
        number, chunk = number + 1, following


def _cipher(header: Header, secret: str | bytes) -> AESGCM:
    if isinstance(secret, bytes):
        return AESGCM(secret)
    # 128 MiB of memory and some tenths of a second per guess; fixed by the version of the format.
    scrypt = Scrypt(bytes.fromhex(header.salt), 32, 2**17, 8, 1)
    # Keyboards write a letter with an accent as one character or as two.
    return AESGCM(scrypt.derive(unicodedata.normalize("NFC", secret).encode()))


def _encrypt(cipher: AESGCM, header: Header, digest: bytes, number: int, last: bool, chunk: bytes) -> bytes:
    return cipher.encrypt(_nonce(header, number), chunk, _bound(digest, number, last))


def _nonce(header: Header, number: int) -> bytes:
    return ((int(header.nonce, 16) + number) % 2**96).to_bytes(12, "big")


def _bound(digest: bytes, number: int, last: bool) -> bytes:
    return digest + struct.pack(">Q?", number, last)
