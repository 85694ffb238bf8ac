"""No name and no vector stands in any file, during a lesson and after it."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from sealed_class import NAMES, fill, in_place, marks_of, write

from fewshot.backup.make import make_backup
from fewshot.classroom.store import ClassStore
from fewshot.research.bench.survival.openable import contents, readable
from fewshot.vault import FileKeys, container
from tests.made_home import writable_places

PASSPHRASE = "correct horse battery"


@pytest.fixture
def places(fewshot_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folder with the data, that of the epoch key, a folder for backups, and the temporary one."""
    data, keys, temp, backups = writable_places(fewshot_home, tmp_path, "backups", monkeypatch)
    return [data, keys, backups, temp]


def plain(places: list[Path]) -> list[bytes]:
    """The marks that stand in any file as they are, or in the name of one."""
    content = b"\0".join(contents(places)) + "\0".join(str(f) for p in places for f in p.rglob("*")).encode()
    return [mark for name in NAMES for mark in marks_of(name) if mark in content]


def test_nothing_is_plain_during_a_lesson_and_after_it(
    places: list[Path], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(
        container, "_cipher", lambda header, passphrase: container.AESGCM(passphrase.encode().ljust(32)[:32])
    )
    home = places[0]
    caplog.set_level(logging.DEBUG)
    database = in_place(home)
    recorder = fill(database)
    with database.read() as session:  # the journal stays while somebody reads
        session.connection().exec_driver_sql("SELECT count(*) FROM students").all()
        write(recorder, NAMES, 4, 8)
        recorder.flush()
        assert (home / "fewshot.db-wal").stat().st_size > 0
        assert plain(places) == []
        assert make_backup(places[2] / "during", PASSPHRASE)
        assert plain(places) == []
    recorder.close()
    assert plain(places) == []
    out = places[2] / "content"
    container.unseal(places[2] / "during", PASSPHRASE, out)
    assert plain(places) == [], "not even in what is in a backup"
    can_be_read = readable(places, FileKeys(home))
    for name in NAMES:
        assert name.encode() in can_be_read and marks_of(name)[-1] in can_be_read, "who has the keys finds them"
        assert name not in caplog.text
    ClassStore(database).remove_student("physics", NAMES[0])
    assert plain(places) == []
    assert not [mark for mark in marks_of(NAMES[0]) if mark in readable(places, FileKeys(home))]
