# ruff: noqa: F811
"""Keys that are lost, damaged or not readable: a sentence says so, and nothing is made in their place."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sealed_class import NAMES, fill, homes, in_place, told  # noqa: F401

from fewshot.classroom.consent import make_consent
from fewshot.classroom.store import ClassStore
from fewshot.errors import StoreError
from fewshot.research.bench.survival.children import in_child
from fewshot.vault import FileKeys, KeysUnusable

Homes = tuple[Path, Path]


def epoch(keys: Path) -> Path:
    (file,) = keys.iterdir()
    return file


def edit(home: Path, change: Callable[[dict[str, object]], object]) -> None:
    record = json.loads((home / "keys.json").read_text())
    change(record)
    (home / "keys.json").write_text(json.dumps(record))


def flip(text: object) -> str:
    text = str(text)
    return ("B" if text[0] == "A" else "A") + text[1:]


def turned_round(keys: dict[str, str]) -> dict[str, str]:
    return dict(zip(keys, reversed(keys.values()), strict=True))


FAULTS: dict[str, tuple[Callable[[Path, Path], object], str]] = {
    "keys.json is missing": (lambda home, keys: (home / "keys.json").unlink(), "keys.json"),
    "keys.json is empty": (lambda home, keys: (home / "keys.json").write_bytes(b""), "it is damaged"),
    "keys.json is cut": (
        lambda home, keys: (home / "keys.json").write_bytes((home / "keys.json").read_bytes()[:200]), "it is damaged"),
    "keys.json holds no object": (lambda home, keys: (home / "keys.json").write_bytes(b"[1]"), "it is damaged"),
    "keys.json is of a later program": (
        lambda home, keys: edit(home, lambda r: r.update(format="fewshot keys 9")), "fewshot keys 9"),
    "its check was changed": (lambda home, keys: edit(home, lambda r: r.update(check=flip(r["check"]))), "check"),
    "one key was changed": (
        lambda home, keys: edit(home, lambda r: r["keys"].update({k: flip(v) for k, v in list(r["keys"].items())[:1]})),
        "one of its keys was changed"),
    "two keys have changed places": (
        lambda home, keys: edit(home, lambda r: r.update(keys=turned_round(r["keys"]))),
        "one of its keys was changed"),
    "a name of a key is no text": (lambda home, keys: edit(home, lambda r: r.update(keys={"x": 5})), "keys.json"),
    "dropped is no list": (lambda home, keys: edit(home, lambda r: r.update(dropped="no")), "it is damaged"),
    "the folder is missing in it": (lambda home, keys: edit(home, lambda r: r.pop("folder")), "keys.json"),
    "the place is missing in it": (lambda home, keys: edit(home, lambda r: r.pop("place")), "keys.json"),
    "its numbers are words": (lambda home, keys: edit(home, lambda r: r.update(generation="many")), "it is damaged"),
    "keys.json is a folder": (
        lambda home, keys: ((home / "keys.json").unlink(), (home / "keys.json").mkdir()), "keys.json"),
    "the epoch key is missing": (lambda home, keys: epoch(keys).unlink(), "is not on this computer"),
    "its folder is missing": (lambda home, keys: shutil.rmtree(keys), "is not on this computer"),
    "the epoch key is empty": (lambda home, keys: epoch(keys).write_bytes(b""), "it is damaged"),
    "the epoch key is cut": (lambda home, keys: epoch(keys).write_bytes(b"00" * 31), "it is damaged"),
    "the epoch key is not text": (lambda home, keys: epoch(keys).write_bytes(b"\xff" * 64), "it is damaged"),
    "the epoch key is another one": (lambda home, keys: epoch(keys).write_bytes(b"0f" * 32), "keys.json"),
}  # fmt: skip


def state(*folders: Path) -> dict[str, bytes]:
    files = [file for folder in folders if folder.exists() for file in folder.rglob("*") if file.is_file()]
    return {str(file): file.read_bytes() for file in files if file.suffix not in {".db-shm", ".db-wal", ".lock"}}


@pytest.mark.parametrize("fault", FAULTS)
def test_it_is_said_and_nothing_is_made_in_its_place(homes: Homes, fault: str) -> None:
    home, keys = homes
    breaking, words = FAULTS[fault]
    breaking(home, keys)
    before = state(*homes)
    for act in (
        lambda: told(in_place(home), NAMES[0]),
        lambda: ClassStore(in_place(home)).record_consent("physics", "Later", make_consent("x")),
        lambda: ClassStore(in_place(home)).create("history"),
        lambda: ClassStore(in_place(home)).remove_student("physics", NAMES[0]),
        lambda: FileKeys(home).rotate() if (home / "keys.json").exists() else in_place(home).vault.cipher("x"),
    ):
        with pytest.raises(StoreError) as caught:
            act()
        assert "Traceback" not in str(caught.value) and len(str(caught.value)) > 80
    with pytest.raises(StoreError, match=words):
        told(in_place(home), NAMES[0])
    assert state(*homes) == before


@pytest.mark.own_process
@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="takes rights away, which needs root")
@pytest.mark.parametrize("closed", ["the epoch key", "its folder", "keys.json", "the folder of the data"])
def test_what_may_not_be_read_or_written_is_named(homes: Homes, closed: str) -> None:
    home, keys = homes
    for parent in (home.parent, *home.parents[1:3]):
        parent.chmod(0o755)
    for folder in homes:
        for path in (folder, *folder.iterdir()):
            os.chown(path, 65534, 65534)
    target = {"the epoch key": epoch(keys), "its folder": keys, "keys.json": home / "keys.json"}.get(closed, home)
    mode = 0o500 if closed == "the folder of the data" else 0
    target.chmod(mode)

    def as_somebody_else() -> str:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        store = ClassStore(in_place(home))
        if closed != "the folder of the data":
            return ", ".join(store.roster("physics").students)
        assert set(store.roster("physics").students) == set(NAMES)
        store.record_consent("physics", "Later", make_consent("x"))
        return "it was recorded"

    before = state(*homes)
    said = in_child(as_somebody_else)
    target.chmod(0o700)
    assert said.startswith("error: ") and (str(target) in said or str(home) in said), said
    assert state(*homes) == before


def test_a_secret_is_asked_for_and_a_wrong_one_is_refused(fewshot_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEWSHOT_KEY", "the right one")
    fill(in_place(fewshot_home)).close()
    right = told(in_place(fewshot_home), NAMES[0])
    kept = state(fewshot_home)
    for given, words in ((None, "is not set"), ("", "is not set"), ("another", "does not open"), ("é\n", "does not")):
        if given is None:
            monkeypatch.delenv("FEWSHOT_KEY")
        else:
            monkeypatch.setenv("FEWSHOT_KEY", given)
        with pytest.raises(KeysUnusable, match=words):
            told(in_place(fewshot_home), NAMES[0])
        with pytest.raises(KeysUnusable, match=words):
            ClassStore(in_place(fewshot_home)).record_consent("physics", "Later", make_consent("x"))
        assert state(fewshot_home) == kept
    monkeypatch.setenv("FEWSHOT_KEY", "the right one")
    assert told(in_place(fewshot_home), NAMES[0]) == right


def test_a_secret_that_was_never_used_is_named(homes: Homes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEWSHOT_KEY", "new")
    with pytest.raises(KeysUnusable, match="made without this variable"):
        told(in_place(homes[0]), NAMES[0])


def test_an_old_file_of_keys_does_not_cost_the_key_of_the_present_one(homes: Homes) -> None:
    home, keys = homes
    old = (home / "keys.json").read_bytes()
    right = told(in_place(home), NAMES[0])
    FileKeys(home).rotate()
    present, key = (home / "keys.json").read_bytes(), epoch(keys)
    (home / "keys.json").write_bytes(old)
    FileKeys(home).drop(["a key that is not here"])  # as every start does
    with pytest.raises(StoreError, match="is not on this computer"):
        told(in_place(home), NAMES[0])
    assert epoch(keys) == key
    (home / "keys.json").write_bytes(present)
    assert told(in_place(home), NAMES[0]) == right
