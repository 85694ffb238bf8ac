"""Accounts, settings, keys, backups and restores leave lines in the audit log too, without a name."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import get_args

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from fewshot.access.audit_page import KINDS
from fewshot.accounts.accounts import Accounts
from fewshot.audit.log import Event, latest, newest
from fewshot.audit.verify import verify
from fewshot.classroom.consent import Consent
from fewshot.classroom.store import ClassStore
from fewshot.cli import app
from fewshot.database import open_database
from fewshot.database.owner import LOCAL, LOCAL_TEACHER
from fewshot.session.settings import Settings

WORD = "five words that belong together"


@pytest.fixture(autouse=True)
def taught(fewshot_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FEWSHOT_AS", raising=False)
    ClassStore().create("class of Zebulon")
    ClassStore().record_consent("class of Zebulon", "Zebulon", Consent("his mother", date(2026, 11, 20)))


def added(since: int) -> list[tuple[str, str, str]]:
    """Account, event and detail of the lines behind a number; the log must be whole and without a name."""
    database = open_database()
    assert verify(database).findings == ()
    lines = latest(database, 100, LOCAL_TEACHER)
    assert not any(word in repr(lines) for word in ("Zebulon", "Anna", "Bert", "usb", WORD))
    return [(line.owner, line.event, str(line.told().get("what", ""))) for line in lines[since:]]


def typed(*words: str | Path) -> None:
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == 0, done.output


@pytest.fixture
def word(tmp_path: Path) -> Path:
    file = tmp_path / "word"
    file.write_text(WORD)
    file.chmod(0o600)
    return file


def test_every_kind_of_line_has_words_for_people() -> None:
    assert set(get_args(Event)) <= set(KINDS)


def test_keys_backups_and_restores(tmp_path: Path, word: Path) -> None:
    usb = tmp_path / "usb"
    usb.mkdir()
    typed("key", "export", usb / "recovery.json", "--passphrase-file", word)
    typed("backup", usb / "a.backup", "--passphrase-file", word)
    typed("backup", "--manage", usb)
    typed("backup", "--unmanage", usb)
    typed("key", "rotate")
    typed("key", "import", usb / "recovery.json", "--passphrase-file", word)
    typed("restore", usb / "a.backup", "--passphrase-file", word, "--yes")
    assert added(1) == [
        (LOCAL, "keys changed", "recovery file"),
        (LOCAL, "backup made", "file"),
        (LOCAL, "backup made", "managed backup"),
        (LOCAL, "backup made", "managed backup ended"),
        (LOCAL, "keys changed", "key replaced"),
        (LOCAL, "keys changed", "keys imported"),
        (LOCAL, "restored", ""),
    ]


def test_accounts_and_who_changed_them(word: Path) -> None:
    typed("accounts", "add", "Anna", "--password-file", word)
    typed("accounts", "add", "Chief", "--administrator", "--password-file", word)
    local = Accounts()
    anna, chief = local.get("Anna").owner, local.get("Chief").owner
    accounts = Accounts(by=chief)
    accounts.reset("Anna", WORD + " 2")
    accounts.change(anna, WORD + " 3")
    bert = accounts.add("Bert", password=WORD)
    ClassStore(owner=anna).create("physics")
    accounts.remove("Anna", give_to="Bert")
    accounts.remove("Bert", delete_all=True)
    assert added(1) == [
        (LOCAL, "account added", "teacher"),
        (LOCAL, "account added", "administrator"),
        (chief.id, "password changed", ""),
        (anna.id, "password reset", ""),  # a teacher sees only lines of their own
        (anna.id, "password changed", ""),
        (chief.id, "account added", "teacher"),
        (chief.id, "classes given", ""),
        (anna.id, "classes given", ""),
        (bert.id, "classes given", ""),
        (chief.id, "account removed", ""),
        (chief.id, "erased", "class"),
        (chief.id, "account removed", ""),
    ]
    told = [line.told() for line in latest(open_database(), 100, LOCAL_TEACHER) if line.event == "classes given"]
    assert told[0] == {"account": anna.id, "receiver": bert.id, "classes": 1, "lessons": 0}


def test_settings_that_decide_what_is_kept() -> None:
    settings = Settings()
    settings.retention_days = 30
    settings.retention_days = 30
    settings.retention_days = None
    settings.longest_retention = 60
    settings.portraits = True
    settings.aggregate_only = True
    settings.set("ice", {"stun": "stun.example.org", "user": "Zebulon"})
    settings.set("language", "de")
    assert added(1) == [
        (LOCAL, "setting changed", "days that lessons are kept"),
        (LOCAL, "setting changed", "days that lessons are kept"),
        (LOCAL, "setting changed", "days that lessons may be kept"),
        (LOCAL, "setting changed", "pictures on cards"),
        (LOCAL, "setting changed", "counts only"),
        (LOCAL, "setting changed", "connection"),
    ]
    to = [line.told().get("to") for line in latest(open_database(), 100, LOCAL_TEACHER)[1:]]
    assert to == [30, 0, 60, True, True, None]


def test_a_log_that_goes_on_on_another_computer_is_whole(
    tmp_path: Path, word: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed("key", "export", tmp_path / "recovery.json", "--passphrase-file", word)
    typed("backup", tmp_path / "a.backup", "--passphrase-file", word)
    before = latest(open_database(), 100, LOCAL_TEACHER)
    old = newest(open_database())
    monkeypatch.setenv("FEWSHOT_HOME", str(tmp_path / "other"))
    typed("key", "import", tmp_path / "recovery.json", "--passphrase-file", word)
    typed("restore", tmp_path / "a.backup", "--passphrase-file", word, "--yes")
    after = latest(open_database(), 100, LOCAL_TEACHER)
    assert after[: len(before) - 1] == before[:-1], "the line about the backup itself came after it"
    assert after[-1].event == "restored" and after[-1].told()["signed_by"] == old.key[:16]
    ClassStore().record_consent("class of Zebulon", "Zebulon", Consent("his father", date(2026, 11, 21)))
    assert verify(open_database()).findings == ()
    with open_database().write() as session:
        session.execute(text("UPDATE audit SET event = 'looked' WHERE number = 1"))
    assert verify(open_database()).findings, "what the other computer wrote is checked too"
