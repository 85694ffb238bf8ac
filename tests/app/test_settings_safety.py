"""Settings, Safety: recovery file, backup and log in the app, with sentences and no traceback."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("streamlit", reason="needs the extra app")

from streamlit.testing.v1 import AppTest

from fewshot.access.safety import Safety
from fewshot.accounts.accounts import Accounts
from fewshot.classroom.consent import make_consent
from fewshot.classroom.store import ClassStore
from fewshot.vault import recovery

SCRIPT = "from fewshot.app.views.settings_safety import show_safety\nshow_safety()\n"
WORD = "five words that differ much"


@pytest.fixture(autouse=True)
def ready(empty_database: Any, fewshot_home: Path) -> None:
    empty_database(fewshot_home)


def a_class() -> None:
    ClassStore().create("physics")
    ClassStore().record_consent("physics", "asha", make_consent("her mother"))


def page() -> AppTest:
    test = AppTest.from_string(SCRIPT, default_timeout=60).run()
    assert not test.exception
    return test


def fill(test: AppTest, **texts: str) -> AppTest:
    for field in test.text_input:
        for label, text in texts.items():
            if field.label.replace(" ", "_").lower().startswith(label):
                field.set_value(text)
    return test


def click(test: AppTest, label: str) -> AppTest:
    return next(found for found in test.button if label in found.label).click().run()


def test_a_recovery_file_is_missing_until_it_is_written(tmp_path: Path) -> None:
    a_class()
    test = page()
    assert any("no recovery file" in found.value for found in test.info)
    file = tmp_path / "recovery.json"
    test = click(
        fill(test, file_on=str(file), passphrase=WORD, the_same="another long passphrase"), "Write the recovery"
    )
    assert "differ" in test.error[0].value and not file.exists()
    test = click(fill(test, file_on=str(file), passphrase=WORD, the_same=WORD), "Write the recovery")
    assert not test.error and file.exists()
    assert not any("no recovery file" in found.value for found in page().info)


@pytest.mark.parametrize(("file", "word"), [("", WORD), ("/no/such/folder/x", WORD), ("recovery.json", "short")])
def test_what_cannot_be_written_is_a_sentence(
    file: str, word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    a_class()
    test = click(fill(page(), file_on=file, passphrase=word, the_same=word), "Write the recovery")
    assert test.error and not test.exception and "fewshot key" not in test.error[0].value
    assert not (tmp_path / "recovery.json").exists()


def test_a_backup_is_made_and_named(tmp_path: Path) -> None:
    a_class()
    file = tmp_path / "school.backup"
    test = click(fill(page(), file_to=str(file), passphrase=WORD, the_same=WORD), "Make a backup")
    assert not test.error and file.exists()
    assert any(str(file) in found.value for found in page().caption)


def test_a_teacher_sees_nothing_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    anna = Accounts().add("Anna", password=WORD)
    monkeypatch.setattr("fewshot.app.views.settings_safety.visitor", lambda: anna)
    test = page()
    assert not test.button and not test.text_input


def test_a_managed_backup_is_chosen_shown_and_left(tmp_path: Path) -> None:
    a_class()
    assert any("recovery file first" in found.value for found in page().info)
    (tmp_path / "usb").mkdir()
    with pytest.MonkeyPatch.context() as quick:
        quick.setitem(recovery._SCRYPT, "n", 16)
        Safety.here().export(tmp_path / "recovery.json", WORD)
    test = click(fill(page(), folder_or=""), "Keep a backup")
    assert "Fill in the field" in test.error[0].value
    test = click(fill(page(), folder_or=str(tmp_path / "no" / "folder")), "Keep a backup")
    assert "There is no folder" in test.error[0].value and "type:" not in test.error[0].value
    backup = tmp_path / "usb" / "fewshot-managed.backup"
    test = click(fill(page(), folder_or=str(backup.parent)), "Keep a backup")
    assert not test.error and backup.exists()
    test = page()
    assert any(str(backup) in found.value for found in test.code) and not test.warning
    assert any("Last written and checked" in found.value for found in test.caption)
    backup.write_bytes(b"notes")
    ClassStore().remove_student("physics", "asha")
    said = " ".join(found.value for found in page().warning)
    assert "Another file has its name" in said and "before the latest erasure" in said
    test = click(page(), "Write it now")
    assert "was not written" in test.error[0].value and backup.read_bytes() == b"notes"
    test = click(page(), "Stop managing it")
    assert not test.error and backup.exists()
    assert not any(str(backup) in found.value for found in page().code)
