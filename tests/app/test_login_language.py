"""The pages of the login in the language of the browser: nobody has chosen one there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("streamlit", reason="needs the extra app")
pytest.importorskip("babel", reason="needs the extra app")

from fewshot.app.login.desk import REFUSED
from fewshot.translation import ENGLISH, LANGUAGE, catalogue
from tests.app.login_client import PASSWORD, Browser, Site

WORDS = {
    "Password": "Kennwort <b>",
    REFUSED: "Name oder Kennwort falsch.",
    "You are logged in as {name}. Your logins on other devices go on.": "Sie sind {name}.",
}

pytestmark = pytest.mark.usefixtures("cheap_hashes")


@pytest.fixture(autouse=True)
def german(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    entries = "".join(f'\nmsgid "{english}"\nmsgstr "{text}"\n' for english, text in WORDS.items())
    head = 'msgid ""\nmsgstr ""\n"Language: de\\n"\n"Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n'
    (tmp_path / "de.po").write_text(head + entries, encoding="utf-8")
    monkeypatch.setattr(catalogue, "FOLDER", tmp_path)
    catalogue.catalogue.cache_clear()
    before = LANGUAGE.set(ENGLISH)
    yield
    LANGUAGE.reset(before)
    catalogue.catalogue.cache_clear()


class Speaking(Browser):
    """A browser that wants some languages."""

    def __init__(self, site: Site, languages: str) -> None:
        super().__init__(site)
        self.languages = languages

    def scope(self, kind: str, method: str, path: str, headers: dict[str, str]) -> dict[str, Any]:
        return super().scope(kind, method, path, {**headers, "accept-language": self.languages})


def test_the_login_speaks_the_language_of_the_browser(site: Site) -> None:
    page = Speaking(site, "pt, de-AT;q=0.8, en;q=0.5").ask("/login")
    assert '<html lang="de">' in page.text and "Kennwort &lt;b&gt;" in page.text and "reviewed" in page.text
    english = Speaking(site, "en-GB, de;q=0.1").ask("/login")
    assert '<html lang="en">' in english.text and "Kennwort" not in english.text and "reviewed" not in english.text
    assert Browser(site).ask("/login").text == english.text


def test_what_was_wrong_is_said_in_the_language_and_logged_in_english(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    browser = Speaking(site, "de")
    answer = browser.log_in("Anna", "a wrong password")
    assert answer.status == 401 and "Name oder Kennwort falsch." in answer.text
    assert "wrong name or password" in caplog.text and "Kennwort" not in caplog.text


def test_a_name_stays_bold_and_harmless_in_a_translated_sentence(site: Site) -> None:
    site.accounts.add("Cleo & Co", password=PASSWORD)
    browser = Speaking(site, "de")
    browser.log_in("Cleo & Co")
    assert "Sie sind <strong>Cleo &amp; Co</strong>." in browser.ask("/logout").text
