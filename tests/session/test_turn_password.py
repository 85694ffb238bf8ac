"""The password of the TURN server is in no database, on no page and in no log."""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import stat
from pathlib import Path

import pytest

from fewshot.database import Database, open_database
from fewshot.errors import UsageError
from fewshot.session import turn_password
from fewshot.session.settings import Settings

SECRET = "S3CRET-pässword"


def bytes_of_database() -> bytes:
    path = open_database().path
    return b"".join(part.read_bytes() for part in path.parent.glob(f"{path.name}*"))


def is_in(content: bytes) -> bool:
    return b"S3CRET" in content


def old_row() -> Path:
    """As an earlier version wrote it."""
    path = open_database().path
    value = {"servers": "turn:turn.example.org", "username": "anna", "password": SECRET}
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO settings (key, value) VALUES ('ice', ?)", [json.dumps(value)])
    connection.close()
    return path


def test_a_saved_password_is_in_a_file_of_its_own_and_not_in_the_database(fewshot_home: Path) -> None:
    Settings().set("ice", {"servers": "turn:a.org", "username": "anna", "password": SECRET})
    assert Settings().get("ice") == {"servers": "turn:a.org", "username": "anna"}
    assert Settings().turn_password == SECRET and not is_in(bytes_of_database())
    if os.name == "posix":
        assert stat.S_IMODE((fewshot_home / turn_password.FILE).stat().st_mode) == 0o600
    Settings().set("ice", None)
    assert Settings().turn_password == "" and list(fewshot_home.glob("*turn-password*")) == []


def test_saving_servers_only_keeps_the_password() -> None:
    Settings().turn_password = SECRET
    Settings().set("ice", {"servers": "turn:b.org", "username": "ben"})
    assert Settings().turn_password == SECRET


def test_the_password_of_an_earlier_version_is_moved_out_and_leaves_no_trace() -> None:
    path = old_row()
    assert is_in(bytes_of_database())
    settings = Settings(Database(f"sqlite:///{path}"))
    assert settings.get("ice") == {"servers": "turn:turn.example.org", "username": "anna"}
    assert settings.turn_password == SECRET and not is_in(bytes_of_database())


def test_a_password_that_cannot_be_moved_is_not_lost(
    fewshot_home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = old_row()
    (fewshot_home / turn_password.FILE).mkdir()  # nothing can be written over a folder
    with caplog.at_level(logging.WARNING):
        settings = Settings(Database(f"sqlite:///{path}"))
    assert is_in(bytes_of_database()) and "could not be saved" in caplog.text and not is_in(caplog.text.encode())
    assert "password" not in settings.get("ice")
    with pytest.raises(UsageError, match="could not be saved"):
        settings.turn_password = "x"
    with pytest.raises(UsageError, match="cannot be read"):
        _ = settings.turn_password


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Settings().turn_password = "file"
    monkeypatch.setenv("FEWSHOT_TURN_PASSWORD", SECRET)
    assert Settings().turn_password == SECRET


def test_the_page_never_shows_it_and_the_connection_uses_it() -> None:
    pytest.importorskip("streamlit", reason="needs the extra app")
    from streamlit.testing.v1 import AppTest

    from fewshot.app.streamer import connection

    Settings().set("ice", {"servers": "turn:a.org", "username": "anna", "password": SECRET})
    assert SECRET in str(connection())
    script = "from fewshot.app.views.settings import page\npage()"
    test = AppTest.from_string(script, default_timeout=60).run()
    (field,) = [field for field in test.text_input if field.label == "Password (TURN)"]
    assert field.value == "" and "A password is saved" in field.placeholder
    assert not any(SECRET in str(element) for element in test.main)

    def save() -> None:
        (button,) = [button for button in test.button if button.label == "Save" and button.form_id == "ice"]
        button.click().run()
        assert not test.exception and not any(SECRET in str(element) for element in test.main)

    save()
    assert Settings().turn_password == SECRET
    field = next(field for field in test.text_input if field.label == "Password (TURN)")
    field.input("new one")
    save()
    assert Settings().turn_password == "new one"
    assert next(field for field in test.text_input if field.label == "Password (TURN)").value == ""
    next(box for box in test.checkbox if "Forget" in box.label).check()
    save()
    assert Settings().turn_password == ""
