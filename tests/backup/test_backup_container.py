"""A backup opens with its passphrase only, and any damage is found."""

from __future__ import annotations

import json
import stat
import struct
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from fewshot.errors import FewshotError, StoreError, UsageError
from fewshot.vault import container
from fewshot.vault.container import Header, new_secrets, read_header, seal, unseal

PASSPHRASE = "correct horse battery"
CHUNK = 64


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "CHUNK", CHUNK)


def made(folder: Path, content: bytes) -> Path:
    plain = folder / "plain"
    plain.write_bytes(content)
    header = Header(
        "2026-11-30T00:00:00+00:00", "0.0", "0007", "ab", "sqlite", len(content), sha256(content).hexdigest(),
        **new_secrets(),
    )  # fmt: skip
    seal(plain, folder / "backup", header, PASSPHRASE)
    return folder / "backup"


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_what_goes_in_comes_out(tmp_path: Path, size: int) -> None:
    content = bytes(range(256)) * 2
    path = made(tmp_path, content[:size])
    assert content[:16] not in path.read_bytes() or size < 16
    assert unseal(path, PASSPHRASE, tmp_path / "out") == read_header(path)
    assert (tmp_path / "out").read_bytes() == content[:size]
    for file in (path, tmp_path / "out"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_wrong_passphrase_is_called_that(tmp_path: Path) -> None:
    path = made(tmp_path, b"x" * 200)
    with pytest.raises(UsageError, match="passphrase does not open"):
        unseal(path, PASSPHRASE + "!", tmp_path / "out")


def parts_of(path: Path, content: int) -> tuple[bytes, list[bytes]]:
    data = path.read_bytes()
    sealed = content + 16 * (content // CHUNK + (content % CHUNK > 0))
    front, rest = data[: len(data) - sealed], data[len(data) - sealed :]
    return front, [rest[at : at + CHUNK + 16] for at in range(0, len(rest), CHUNK + 16)]


@pytest.mark.parametrize("order", [(1, 0, 2), (0, 2), (0, 1), (0, 0, 1, 2), (0, 1, 1, 2), (0, 1, 2, 2), ()])
def test_chunks_that_are_swapped_or_missing_are_found(tmp_path: Path, order: tuple[int, ...]) -> None:
    path = made(tmp_path, bytes(3 * CHUNK))
    front, parts = parts_of(path, 3 * CHUNK)
    path.write_bytes(front + b"".join(parts[number] for number in order))
    with pytest.raises(StoreError, match="is damaged"):
        unseal(path, PASSPHRASE, tmp_path / "out")


def test_every_cut_and_every_changed_byte_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fast = container.AESGCM(bytes(32))
    monkeypatch.setattr(container, "_cipher", lambda header, passphrase: fast)
    path = made(tmp_path, bytes(2 * CHUNK + 5))
    good = path.read_bytes()
    for at in range(len(good)):
        for bad in (good[:at], good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :]):
            path.write_bytes(bad)
            with pytest.raises(FewshotError):
                unseal(path, PASSPHRASE, tmp_path / "out")
    path.write_bytes(good + b"x")
    with pytest.raises(FewshotError):
        unseal(path, PASSPHRASE, tmp_path / "out")


def test_chunks_of_another_backup_are_found(tmp_path: Path) -> None:
    first, _ = parts_of(made(tmp_path, bytes(CHUNK)), CHUNK)
    _, second = parts_of(made(tmp_path, bytes(CHUNK)), CHUNK)
    path = tmp_path / "mixed"
    path.write_bytes(first + second[0])
    with pytest.raises(StoreError, match="is damaged"):
        unseal(path, PASSPHRASE, tmp_path / "out")


def test_other_files_are_no_backups(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    for content in (b"", b"\xff\xd8", b"SQLite format 3\0"):
        path.write_bytes(content)
        with pytest.raises(UsageError, match="is not a backup"):
            read_header(path)
    path.write_bytes(b"fewshot backup 3\n")
    with pytest.raises(StoreError, match="newer fewshot"):
        read_header(path)
    with pytest.raises(UsageError, match="cannot be read"):
        read_header(tmp_path / "missing")


def test_no_two_backups_use_one_nonce(tmp_path: Path) -> None:
    headers = [read_header(made(tmp_path, b"x")) for _ in range(2)]
    assert headers[0].salt != headers[1].salt
    assert headers[0].nonce != headers[1].nonce
    assert headers[0] == replace(headers[1], salt=headers[0].salt, nonce=headers[0].nonce)


PAIR = {"public": "00" * 32, "private": {"salt": "", "nonce": "", "sealed": ""}}
PART = {**PAIR, "box": "", "key": "ab", "store": "cd", "line": 3}


def with_header(path: Path, magic: bytes, record: object) -> Path:
    plain = json.dumps(record).encode()
    front = magic + struct.pack(">I", len(plain)) + plain
    path.write_bytes(front + sha256(front).digest())
    return path


@pytest.mark.parametrize(
    "part",
    [None, 3, [], "x", {}, PAIR, PART | {"box": "no base64"}, PART | {"line": "3"}, PART | {"line": True},
     PART | {"key": 1}, PART | {"public": "00"}, PART | {"private": []}, PART | {"private": {"salt": ""}}],
)  # fmt: skip
def test_a_header_that_was_made_wrong_is_damage(tmp_path: Path, part: object) -> None:
    """Its checksum fits, so somebody made it on purpose."""
    right = {
        "made": "", "program": "", "migration": "", "installation": "", "kind": "sqlite", "size": 0, "sha256": "",
        "salt": "00" * 16, "nonce": "00" * 12,
    }  # fmt: skip
    path = tmp_path / "x"
    assert read_header(with_header(path, container.MAGIC, right)).managed is None
    assert read_header(with_header(path, container.MAGIC_MANAGED, right | {"managed": PART})).managed == PART
    for magic, record in (
        (container.MAGIC_MANAGED, right | {"managed": part}),
        (container.MAGIC, right | {"managed": PART}),
    ):
        with pytest.raises(StoreError, match="is damaged"):
            read_header(with_header(path, magic, record))
