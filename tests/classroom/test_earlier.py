"""Classes of an earlier version, in folders."""

import json
from pathlib import Path

import numpy as np
import pytest

from fewshot.classroom.earlier import import_earlier
from fewshot.classroom.store import ClassStore
from fewshot.database import open_database
from fewshot.errors import StoreError
from fewshot.prototypes.store import PrototypeStore
from fewshot.prototypes.supports import SupportSet

CONSENT = {"given_by": "her mother", "date": "2026-11-20", "purpose": "a study", "until": "2027-07-31"}


def photos(*hashes: str) -> dict[str, dict[str, str | None]]:
    return {sha256: {"emotion": "happy", "enrolled": "2026-11-20", "fingerprint": "0f"} for sha256 in hashes}


@pytest.fixture
def folder(fewshot_home: Path) -> Path:
    """A class as the earlier version wrote it; "zoe" is in the store alone, so nobody consented."""
    folder = fewshot_home / "classes" / "Physics"
    store = PrototypeStore(4, 6, "net-1", "face-1")
    rng = np.random.default_rng(0)
    for name in ("asha", "zoe"):
        supports = SupportSet(rng.normal(size=(2, 4)), ["happy", None], [f"{name}-0", f"{name}-1"])
        store.add(name, supports, rng.normal(size=(2, 6)).astype(np.float32))
    store.save(folder)
    record = {"version": 1, "students": {"asha": {"consent": CONSENT, "photos": photos("asha-0", "asha-1")}}}
    (folder / "roster.json").write_text(json.dumps(record))
    return folder


def test_there_is_nothing_to_take(fewshot_home: Path) -> None:
    assert import_earlier(open_database()) == []


def test_a_class_is_taken_once_and_its_folder_goes(folder: Path) -> None:
    before = PrototypeStore.load(folder)
    store = ClassStore()
    assert store.names() == ["Physics"]
    assert not folder.exists()
    assert ClassStore().names() == ["Physics"]
    student = store.roster("physics").students["asha"]
    assert (student.consent.given_by, str(student.consent.until)) == ("her mother", "2027-07-31")
    assert list(student.photos) == ["asha-0", "asha-1"]
    vectors = store.vectors("physics")
    assert vectors.students() == ["asha"]
    np.testing.assert_array_equal(vectors.supports_of("asha").vectors, before.supports_of("asha").vectors)
    np.testing.assert_array_equal(vectors.identities_of("asha"), before.identities_of("asha"))
    assert vectors.network == "net-1"


def test_a_crash_before_the_folder_went(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr("shutil.rmtree", crash)
        ClassStore()
    assert folder.exists()
    assert len(ClassStore().vectors("physics").supports_of("asha")) == 2
    assert not folder.exists()


def test_another_class_of_that_name_is_not_touched(folder: Path) -> None:
    aside = folder.rename(folder.parent.parent / "aside")
    ClassStore().create("physics")
    aside.rename(folder)
    with pytest.raises(StoreError, match="another one of that name"):
        ClassStore()
    assert (folder / "roster.json").exists()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 1}', '{"version": 2, "students": {}}', "\xff"])
def test_a_damaged_roster_is_named_and_kept(folder: Path, text: str) -> None:
    (folder / "roster.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(StoreError, match=r"roster\.json.*damaged"):
        ClassStore()
    assert (folder / "roster.json").read_bytes() == text.encode("latin-1")


def test_a_damaged_store_is_named_and_kept(folder: Path) -> None:
    (folder / "prototypes.store").write_bytes(b"nothing")
    with pytest.raises(StoreError, match=r"prototypes\.store is damaged"):
        ClassStore()
    assert folder.exists()
    with open_database().read() as session:
        assert session.connection().exec_driver_sql("SELECT count(*) FROM classes").scalar() == 0
