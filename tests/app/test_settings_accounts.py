"""Settings, Accounts: what an administrator can do in the app, and that nobody else sees it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("streamlit", reason="needs the extra app")

from streamlit.testing.v1 import AppTest

from fewshot.accounts.accounts import Accounts
from fewshot.database.tables import ClassRow
from tests.app.login_client import PASSWORD

SCRIPT = "from fewshot.app.views.settings_accounts import show_accounts\nshow_accounts()\n"


@pytest.fixture(autouse=True)
def ready(cheap_hashes: None, empty_database: Any, fewshot_home: Path) -> None:
    empty_database(fewshot_home)


def page() -> AppTest:
    return AppTest.from_string(SCRIPT, default_timeout=60).run()


def button(test: AppTest, label: str) -> Any:
    return next(found for found in test.button if label in found.label)


def test_a_one_time_password_is_shown_once_and_opens_one_login() -> None:
    test = page()
    assert not test.exception and "There is no account yet" in test.caption[0].value
    test.text_input[0].set_value("Anna")
    button(test, "Add the account").click().run()
    assert not test.exception and not test.error
    password = test.code[0].value
    assert len(password) > 20 and "shown only now" in test.success[0].value
    assert not test.run().code
    (account,) = Accounts().all()
    assert account.must_change and Accounts().verify("Anna", password) == account.owner
    button(test, "one-time password").click().run()
    assert test.code[0].value != password and Accounts().verify("Anna", password) is None


def test_what_cannot_be_added_is_a_sentence_without_a_command() -> None:
    Accounts().add("Anna", password=PASSWORD)
    test = page()
    test.text_input[0].set_value("anna")
    button(test, "Add the account").click().run()
    assert "already" in test.error[0].value and "fewshot accounts" not in test.error[0].value


def test_an_account_is_removed_after_two_answers() -> None:
    accounts = Accounts()
    anna = accounts.add("Anna", password=PASSWORD)
    accounts.add("Bert", password=PASSWORD)
    with accounts.database.write() as session:
        session.add(ClassRow(owner_id=anna.id, name="physics", folded="physics"))
    test = page()
    assert not [found for found in test.button if "Remove" in found.label]
    test.radio[1].set_value("Bert").run()
    assert button(test, "Remove the account").disabled
    test.checkbox[0].set_value(True).run()
    button(test, "Remove the account").click().run()
    assert not test.exception and not test.error
    assert [(account.owner.name, account.classes) for account in accounts.all()] == [("Bert", ("physics",))]


def test_a_teacher_sees_no_accounts(monkeypatch: pytest.MonkeyPatch) -> None:
    anna = Accounts().add("Anna", password=PASSWORD)
    monkeypatch.setattr("fewshot.app.views.settings_accounts.visitor", lambda: anna)
    test = page()
    assert not test.exception and not test.table and not test.button and not test.text_input


def test_an_administrator_cannot_lose_the_own_account_to_a_password_that_nobody_sees(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    office = Accounts().add("office", "administrator", password=PASSWORD)
    monkeypatch.setattr("fewshot.app.views.settings_accounts.visitor", lambda: office)
    test = page()
    assert not test.exception and not [found for found in test.button if "one-time" in found.label]
    assert any("Change the password" in caption.value for caption in test.caption)
