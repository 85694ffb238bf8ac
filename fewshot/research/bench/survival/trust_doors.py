"""The doors of keys, backups, receipts and the service: bytes that are right for them, and what takes them.

Every key is made by the real code. Only the passphrase costs less than in real life, because stretching it takes half a
second and would be the only thing that is measured.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from PIL import Image

from fewshot.access.forget import FORMAT, check_receipt, signed
from fewshot.addresses import public_source
from fewshot.api import feed, messages
from fewshot.audit.key import FILE as SIGNER
from fewshot.classroom.names import check_name
from fewshot.errors import FewshotError
from fewshot.vault import container, recovery
from fewshot.vault.file_keys import FileKeys
from fewshot.vault.key_file import FILE
from fewshot.vault.managed_key import managed_part, managed_secret
from fewshot.vault.places import VARIABLE
from fewshot.vault.store import MemoryKeys

_WORD = "five words that nobody would guess"
_HERE = "/the/folder/of/the/keys"
"""Stands in the bytes for the folder that they are opened in, which is another one each time."""
_real = container._cipher


@cache
def _stretched(salt: str, word: str) -> Any:
    return _real(container.Header("", "", "", "", "", 0, "", salt, ""), word)


def _cipher(header: container.Header, secret: str | bytes) -> Any:
    """As in the container, but every passphrase is stretched once."""
    return _real(header, secret) if isinstance(secret, bytes) else _stretched(header.salt, secret)


@contextmanager
def _keys_in(folder: Path) -> Iterator[None]:
    """Epoch keys lie in a folder, and a passphrase is stretched less."""
    settings = {VARIABLE: str(folder / "epoch"), "FEWSHOT_HOME": str(folder), "FEWSHOT_KEY": ""}
    with patch.dict(os.environ, settings), patch.dict(recovery._SCRYPT, {"n": 16}):
        yield


@cache
def _installation() -> tuple[list[bytes], dict[str, bytes], bytes, list[str]]:
    """``keys.json`` without and with a recovery file, the epoch keys by name, the recovery file, and ids of keys."""
    with tempfile.TemporaryDirectory() as name, _keys_in(Path(name)):
        folder = Path(name)
        store, found = FileKeys(folder), []
        ids = store.make(4)
        store.drop(ids[3:])
        for more in (False, True):
            if more:
                store.export(folder / "recovery", _WORD)
            found.append((folder / FILE).read_bytes().replace(name.encode(), _HERE.encode()))
        epochs = {path.name: path.read_bytes() for path in (folder / "epoch").iterdir()}
        return found, epochs, (folder / "recovery").read_bytes(), ids


def key_files() -> list[bytes]:
    """``keys.json`` without and with a recovery file."""
    return _installation()[0]


def use_keys(content: bytes, folder: Path) -> None:
    """Open a ``keys.json``, make a key, and drop one: what a start, an enrollment and an erasure do."""
    _, epochs, _, ids = _installation()
    with _keys_in(folder):
        (folder / "epoch").mkdir()
        for name, epoch in epochs.items():
            (folder / "epoch" / name).write_bytes(epoch)
        (folder / FILE).write_bytes(content.replace(_HERE.encode(), str(folder).encode()))
        store = FileKeys(folder)
        store.names()
        store.dropped()
        store.key(ids[0])
        store.make(1)
        store.drop(ids[1:2])


def recovery_files() -> list[bytes]:
    """A recovery file."""
    return [_installation()[2]]


def take_recovery(content: bytes, folder: Path) -> None:
    """Take over the keys of a recovery file in an empty folder, as after the loss of a disk."""
    with _keys_in(folder):
        (folder / "recovery").write_bytes(content)
        FileKeys(folder / "new").take_from(folder / "recovery", _WORD)


@cache
def backups() -> list[bytes]:
    """Backups with one and with three chunks, and a managed one."""
    found = []
    part, key = _managed()
    with tempfile.TemporaryDirectory() as name, patch.object(container, "_cipher", _cipher):
        for number, (size, managed) in enumerate(((100, None), (2 * 4096 + 7, None), (100, part))):
            plain, out = Path(name, "plain"), Path(name, f"{number}.backup")
            plain.write_bytes(bytes(size))
            header = container.Header(
                "2026-01-31T08:00:00+00:00", "1.0", "0020", "ab" * 16, "sqlite", size,
                hashlib.sha256(bytes(size)).hexdigest(), **container.new_secrets(), managed=managed,
            )  # fmt: skip
            with patch.object(container, "CHUNK", 4096):
                container.seal(plain, out, header, _WORD if managed is None else key)
            found.append(out.read_bytes())
    return found


def open_backup(content: bytes, folder: Path) -> None:
    """Read the header of a backup, and open all of it."""
    path = folder / "x.backup"
    path.write_bytes(content)
    container.is_backup(path)
    header = container.read_header(path)
    # A salt that was changed on purpose would be stretched, which takes half a second and finds nothing.
    with patch.object(container, "_cipher", _cipher), patch.object(container, "CHUNK", 4096):
        if header.salt in {container.read_header(_kept(right, folder)).salt for right in backups()}:
            managed = header.managed is not None
            container.unseal(path, _managed_key(path, header) if managed else _WORD, folder / "out")


@cache
def _school() -> tuple[MemoryKeys, str]:
    keys = MemoryKeys()
    return keys, keys.make(1)[0]


@cache
def _managed() -> tuple[dict[str, Any], bytes]:
    """The part of a header that opens a managed backup, and the key of that backup."""
    with patch.dict(recovery._SCRYPT, {"n": 16}):
        return managed_part(recovery.new_recovery(_WORD), *_school(), 3)


def _managed_key(path: Path, header: container.Header) -> bytes:
    with patch.dict(recovery._SCRYPT, {"n": 16}):
        return managed_secret(path, header, _WORD, _school()[0])


def _kept(content: bytes, folder: Path) -> Path:
    path = folder / "right.backup"
    path.write_bytes(content)
    return path


@cache
def _receipt() -> tuple[bytes, bytes]:
    """A signed receipt of an erasure, and the key that signed it."""
    with tempfile.TemporaryDirectory() as name, _keys_in(Path(name)):
        receipt = signed({"format": FORMAT, "left": 0, "removed": {"photos": 2}, "texts": "Zoé"})
        return json.dumps(receipt, indent=1, ensure_ascii=False).encode(), (Path(name) / SIGNER).read_bytes()


def receipts() -> list[bytes]:
    """A signed receipt of an erasure."""
    return [_receipt()[0]]


def read_receipt(content: bytes, folder: Path) -> None:
    """Check a receipt. Only the right one may be called unchanged."""
    right, key = _receipt()
    (folder / "receipt.json").write_bytes(content)
    (folder / SIGNER).write_bytes(key)
    (folder / SIGNER).chmod(0o600)
    with _keys_in(folder):
        # The signature may be spelled in other ways: 0A is 0a. Of two members with one name the last one counts.
        if check_receipt(folder / "receipt.json") and _without_signature(content) != _without_signature(right):
            raise AssertionError("a changed receipt was taken for the right one")


def _without_signature(receipt: bytes) -> dict[str, object]:
    return {name: value for name, value in json.loads(receipt).items() if name != "signature"}


def socket_messages() -> list[bytes]:
    """First and later messages of the WebSocket of a lesson."""
    return [
        b'{"type": "start", "class_name": "physics", "title": "Waves", "source": "rtsp://me:word@host/1"}',
        b'{"type": "start", "class_id": 7, "record": false, "aggregate": true}',
        b'{"type": "resume", "lesson": 12, "ticket": "f3c1"}', b'{"type": "frame", "time": 12.5}',
        '{"type": "mark", "text": "Zoé asks"}'.encode(), b'{"type": "end"}',
        b'{"type": "correct", "student": "Asha", "actually": "happy"}',
    ]  # fmt: skip


def take_message(content: bytes, _folder: Path) -> None:
    """Take a message as the first one and as a later one. Whatever the answer is, it can be sent."""
    text = content.decode("utf-8", "replace")
    refused: list[FewshotError] = []
    try:
        asked = messages.first(text)
        if isinstance(asked, messages.Start):
            public_source(asked.source)
            if asked.class_name is not None:
                check_name(asked.class_name, "class")
    except FewshotError as error:
        refused.append(error)
    try:
        messages.later(text)
    except FewshotError as error:
        refused.append(error)
    for refusal in refused:
        messages.written(messages.error(refusal, fatal=True)).encode()
    if len(refused) == 2:
        raise refused[0]


@cache
def socket_frames() -> list[bytes]:
    """Frames as a client sends them."""
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8))
    found = []
    for kind, words in (("JPEG", {}), ("JPEG", {"progressive": True}), ("WEBP", {}), ("WEBP", {"lossless": True})):
        target = io.BytesIO()
        image.save(target, kind, **words)
        found.append(target.getvalue())
    return found


def take_frame(content: bytes, _folder: Path) -> None:
    """Decode a frame, and put it into the feed of a lesson."""
    box = feed.Feed("frames", 1)
    box.reserve()
    box.put(feed.decoded(content))
