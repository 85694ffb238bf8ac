# ruff: noqa: F811
"""Ordinary acts with the folders of the keys: nobody who stays is lost, and no old key is left."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sealed_class import NAMES, fill, homes, in_place, told  # noqa: F401
from typer.testing import CliRunner

from fewshot.classroom.store import ClassStore
from fewshot.cli import app
from fewshot.errors import FewshotError, UsageError
from fewshot.vault import FileKeys, durable, key_file

Homes = tuple[Path, Path]
WORD = "five words that differ much"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passphrases are stretched with less work."""
    monkeypatch.setattr("fewshot.vault.recovery._SCRYPT", {"n": 2**4, "r": 8, "p": 1})


def copied(home: Path, new: Path) -> Path:
    shutil.copytree(home, new)
    return new


# Loss: a copy is used while the disk of the original is away.


def test_a_copy_that_is_used_while_the_original_is_not_connected_leaves_its_key(homes: Homes, tmp_path: Path) -> None:
    home, _ = homes
    right = {name: told(in_place(home), name) for name in NAMES}
    copy = copied(home, tmp_path / "copy")
    home.rename(tmp_path / "disk that is taken out")
    ClassStore(in_place(copy)).remove_student("physics", NAMES[1])
    FileKeys(copy).rotate()
    shutil.rmtree(home, ignore_errors=True)
    (tmp_path / "disk that is taken out").rename(home)
    assert {name: told(in_place(home), name) for name in NAMES} == right


def test_a_copy_that_goes_on_says_which_key_was_left(
    homes: Homes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    home, keys = homes
    (old,) = keys.iterdir()
    copy = copied(home, tmp_path / "copy")
    shutil.rmtree(home)
    FileKeys(copy).rotate()
    assert str(old) in caplog.text and str(home) in caplog.text


def test_a_folder_that_was_moved_does_not_mind_a_new_one_in_its_old_place(homes: Homes, tmp_path: Path) -> None:
    home, keys = homes
    (old,) = keys.iterdir()
    FileKeys(home).export(tmp_path / "recovery", WORD)
    home.rename(tmp_path / "moved")
    fill(in_place(home)).close()
    ClassStore(in_place(tmp_path / "moved")).remove_student("physics", NAMES[1])
    assert not old.exists()
    assert FileKeys(tmp_path / "moved").record["recovery"]["places"] == [str(tmp_path / "recovery")]


# Loss: a recovery file takes the place of something else.


def test_a_recovery_file_replaces_no_other_file(homes: Homes, tmp_path: Path) -> None:
    thesis = tmp_path / "thesis.json"
    thesis.write_text('{"chapters": 5}')
    with pytest.raises(UsageError, match=r"thesis\.json"):
        FileKeys(homes[0]).export(thesis, WORD)
    assert thesis.read_text() == '{"chapters": 5}'
    assert "recovery" not in FileKeys(homes[0]).record


def test_two_installations_do_not_overwrite_each_others_recovery_file(homes: Homes, tmp_path: Path) -> None:
    home, second = homes[0], tmp_path / "second"
    fill(in_place(second)).close()
    place = tmp_path / "usb.json"
    FileKeys(home).export(place, WORD)
    kept = place.read_bytes()
    with pytest.raises(UsageError, match="another installation"):
        FileKeys(second).export(place, WORD)
    assert place.read_bytes() == kept
    place.unlink()
    FileKeys(second).export(place, WORD)
    first = FileKeys(home)
    first.make(1)
    assert first.unreached and "another installation" in first.unreached[0]
    assert json.loads(place.read_bytes())["store"] == FileKeys(second).store


# Leaks: an old epoch key that is left opens an old keys.json.


def test_no_old_key_is_left_where_it_lay_before_the_folder_was_chosen(
    homes: Homes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, keys = homes
    (old,) = keys.iterdir()
    shutil.copytree(keys, tmp_path / "volume")
    monkeypatch.setenv("FEWSHOT_KEYS", str(tmp_path / "volume"))
    ClassStore(in_place(home)).remove_student("physics", NAMES[1])
    assert not old.exists() and not (tmp_path / "volume" / old.name).exists()
    assert told(in_place(home), NAMES[0])


def broken_disk(*_: Any) -> None:
    raise OSError(5, "Input/output error")


def test_an_old_key_that_could_not_be_deleted_is_deleted_by_the_next_start(
    homes: Homes, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, keys = homes
    (old,) = keys.iterdir()
    monkeypatch.setattr(key_file, "shred", broken_disk)
    with pytest.raises(FewshotError, match=r"Input/output error"):
        ClassStore(in_place(home)).remove_student("physics", NAMES[1])
    assert old.exists()
    monkeypatch.setattr(key_file, "shred", durable.shred)
    in_place(home)
    assert not old.exists()
    assert told(in_place(home), NAMES[0])


def damage(home: Path) -> None:
    record = json.loads((home / "keys.json").read_text())
    record["check"] = record["check"][:-8] + "AAAAAAA="
    (home / "keys.json").write_text(json.dumps(record))


def cut(home: Path) -> None:
    (home / "keys.json").write_bytes((home / "keys.json").read_bytes()[:-40])


@pytest.mark.parametrize("breaking", [damage, cut])
def test_an_erasure_after_an_import_leaves_no_keys_of_before_it(
    homes: Homes, tmp_path: Path, breaking: Callable[[Path], None]
) -> None:
    home, keys = homes
    FileKeys(home).export(tmp_path / "recovery", WORD)
    (old,) = keys.iterdir()
    breaking(home)
    FileKeys(home).take_from(tmp_path / "recovery", WORD)
    ClassStore(in_place(home)).remove_student("physics", NAMES[1])
    assert not list(home.glob("unusable-*"))
    assert not old.exists()
    assert told(in_place(home), NAMES[0])


def test_an_import_into_a_copy_leaves_the_key_of_the_original(homes: Homes, tmp_path: Path) -> None:
    FileKeys(homes[0]).export(tmp_path / "recovery", WORD)
    copy = copied(homes[0], tmp_path / "copy")
    damage(copy)
    FileKeys(copy).take_from(tmp_path / "recovery", WORD)
    ClassStore(in_place(copy)).remove_student("physics", NAMES[1])
    assert told(in_place(homes[0]), NAMES[1])


# Promises: what is said when the keys are lost, or lie beside the data.


def test_keys_that_are_lost_are_not_called_not_made_yet(homes: Homes) -> None:
    (homes[0] / "keys.json").unlink()
    for words in (("key", "show"), ("key", "rotate"), ("key", "export", str(homes[0] / "r"))):
        result = CliRunner().invoke(app, list(words))
        said = " ".join(f"{result.output} {result.exception} {getattr(result.exception, 'hint', '')}".split())
        assert result.exit_code != 0 and "no keys yet" not in said and "keys.json" in said, said
        assert "key import" in said
    assert not (homes[0] / "keys.json").exists()


def test_a_chosen_folder_inside_the_data_is_warned_of(
    fewshot_home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("FEWSHOT_KEYS", str(fewshot_home / "secrets"))
    ClassStore(in_place(fewshot_home)).create("physics")
    assert "beside the data" in caplog.text
