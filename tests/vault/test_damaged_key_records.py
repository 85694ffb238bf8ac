"""``keys.json``, recovery files and receipts with parts that nobody wrote: each is refused in words, none is used."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fewshot.access.forget import check_receipt
from fewshot.classroom.names import alike, canonical
from fewshot.errors import FewshotError, UsageError
from fewshot.vault import recovery
from fewshot.vault.errors import KeysUnusable
from fewshot.vault.file_keys import FileKeys
from fewshot.vault.key_file import FILE

WORD = "five words that differ much"
DEEP = b'{"format": "fewshot keys 1", "store": ' + b"[" * 200_000


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setitem(recovery._SCRYPT, "n", 16)
    monkeypatch.setenv("FEWSHOT_KEYS", str(tmp_path / "epoch"))
    keys = FileKeys(tmp_path / "data")
    keys.make(2)
    keys.export(tmp_path / "recovery", WORD)
    return tmp_path / "data"


def _recovery(**changed: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda record: record["recovery"].update(changed)


@pytest.mark.parametrize(
    "change",
    [
        _recovery(public="ab" * 31), _recovery(public=7), _recovery(places=7), _recovery(places=["a\0b"]),
        _recovery(places=[7]), _recovery(private="x"), _recovery(private={}), lambda record: record.update(recovery=[]),
        lambda record: record.update(dropped=[7]), lambda record: record.update(dropped="7"),
        lambda record: record.update(keys={"a": 7}), lambda record: record.update(places=7),
        lambda record: record.update(place="a\0b"), lambda record: record.update(generation="7"),
    ],
)  # fmt: skip
def test_a_key_file_with_a_part_of_another_form_is_refused(
    folder: Path, change: Callable[[dict[str, Any]], Any]
) -> None:
    record = json.loads((folder / FILE).read_bytes())
    change(record)
    content = json.dumps(record).encode()
    (folder / FILE).write_bytes(content)
    with pytest.raises(KeysUnusable, match="damaged"):
        FileKeys(folder).make(1)
    assert (folder / FILE).read_bytes() == content


def test_brackets_without_end_are_refused_everywhere(folder: Path) -> None:
    (folder / FILE).write_bytes(DEEP)
    with pytest.raises(KeysUnusable, match="damaged"):
        FileKeys(folder).make(1)
    with pytest.raises(UsageError, match="not a recovery file"):
        recovery.read_record(folder / FILE)
    with pytest.raises(UsageError, match="not a receipt"):
        check_receipt(folder / FILE)


def test_a_public_key_that_gives_no_secret_is_said_and_the_keys_are_kept(folder: Path) -> None:
    """X25519 refuses it only when it is used."""
    record = json.loads((folder / FILE).read_bytes())
    record["recovery"]["public"] = "00" * 32
    (folder / FILE).write_bytes(json.dumps(record).encode())
    keys = FileKeys(folder)
    made = keys.make(1)
    assert keys.unreached and "up to date" in keys.unreached[0]
    assert set(made) < set(FileKeys(folder).names())


def test_what_a_killed_program_left_half_written_goes_with_the_next_change(folder: Path) -> None:
    half = folder / f"{FILE}.12345.new"
    half.write_bytes((folder / FILE).read_bytes()[:100])
    keys = FileKeys(folder)
    keys.names()
    assert half.exists()  # reading changes nothing
    keys.make(1)
    assert not half.exists() and len(keys.names()) == 3


def test_a_damaged_recovery_file_gives_no_key(folder: Path, tmp_path: Path) -> None:
    right = json.loads((tmp_path / "recovery").read_bytes())
    for change in ({"public": "ab" * 31}, {"dropped": [7]}, {"box": "AAAA"}, {"private": 7}, {"generation": "x"}):
        (tmp_path / "recovery").write_text(json.dumps(right | change), encoding="utf-8")
        with pytest.raises(FewshotError):
            FileKeys(tmp_path / "new").take_from(tmp_path / "recovery", WORD)
        assert not (tmp_path / "new" / FILE).exists()


@pytest.mark.parametrize(
    "text", ["Zoé", "Jo\u200b", "Jo\ufe0f", "a\u115fb", "a\u2028b", "a\nb", "\u0646\u200c\u0647", "\ud800"]
)
def test_what_cannot_be_seen_goes_and_the_rest_stays(text: str) -> None:
    """Most texts take a shorter way, which must come to the same."""
    seen = {"Zoé": "Zoé", "Jo\u200b": "Jo", "Jo\ufe0f": "Jo", "a\u115fb": "ab", "a\u2028b": "a b", "a\nb": "a b"}
    assert canonical(text) == seen.get(text, text)
    assert alike(text) == alike(seen.get(text, text))
