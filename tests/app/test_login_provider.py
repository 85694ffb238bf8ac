"""Login with an identity provider, as a browser goes through it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

pytest.importorskip("streamlit", reason="needs the extra app")

from fewshot.accounts.accounts import Accounts
from fewshot.accounts.oidc import Provider, Settings
from fewshot.database import open_database
from tests.accounts.fake_provider import CLIENT, SECRET, FakeProvider, fake_provider
from tests.app.login_client import PUBLIC, Answered, Browser, Site

pytestmark = pytest.mark.usefixtures("cheap_hashes")


@pytest.fixture
def fake() -> Iterator[FakeProvider]:
    with fake_provider() as provider:
        yield provider


@pytest.fixture
def school(fake: FakeProvider, empty_database: Any, fewshot_home: Path) -> Iterator[Site]:
    accounts = Accounts(open_database(f"sqlite:///{empty_database(fewshot_home)}"))
    accounts.add("Anna", email="anna@school.example")
    made = Site(accounts, Provider(Settings(fake.issuer, CLIENT, SECRET, "Campus")))
    yield made
    made.close()


def through(fake: FakeProvider, browser: Browser, after: str = "/live") -> Answered:
    """Click the button, log in at the provider, and come back."""
    begun = browser.ask(f"/login/oidc?next={after}")
    assert begun.status == 303 and begun.header("location").startswith(f"{fake.issuer}/authorize")
    back = urlsplit(fake.authorize(urlsplit(begun.header("location")).query))
    assert f"{back.scheme}://{back.netloc}" == f"https://{PUBLIC}"
    return browser.ask(f"{back.path}?{back.query}")


def test_the_login_page_has_a_button_for_the_provider(school: Site) -> None:
    assert "Log in with Campus" in Browser(school).ask("/login?next=/live").text


def test_an_invited_person_comes_in_with_a_login_of_ours(school: Site, fake: FakeProvider) -> None:
    browser = Browser(school)
    answer = through(fake, browser)
    assert answer.status == 303 and answer.header("location") == "/live" and browser.inside
    assert set(browser.cookies) == {"__Host-fewshot-login", "__Host-fewshot-known", "_streamlit_xsrf"}
    browser.form("/logout")
    assert not browser.inside


def test_after_the_first_login_the_subject_counts_and_no_longer_the_address(school: Site, fake: FakeProvider) -> None:
    assert through(fake, Browser(school)).status == 303
    fake.claims["email"] = "new.name@school.example"
    assert through(fake, Browser(school)).status == 303
    fake.claims |= {"sub": "somebody-else", "email": "anna@school.example"}
    answer = through(fake, Browser(school))
    assert answer.status == 403 and "There is no account" in answer.text


@pytest.mark.parametrize("claims", [{"email": "bert@school.example"}, {"email_verified": False}, {"email": None}])
def test_people_whom_nobody_invited_are_refused_in_words(
    school: Site, fake: FakeProvider, claims: dict[str, Any]
) -> None:
    fake.claims |= claims
    browser = Browser(school)
    answer = through(fake, browser)
    assert answer.status == 403 and "Ask its administrator" in answer.text and not browser.inside


def test_what_the_provider_did_not_send_is_refused(school: Site, fake: FakeProvider) -> None:
    browser = Browser(school)
    for query in ("", "?code=x", "?code=x&state=y", "?error=access_denied&state=y", "?state=y"):
        answer = browser.ask(f"/login/oidc/callback{query}")
        assert answer.status == 401 and "Begin again" in answer.text and not browser.inside


def test_a_callback_in_another_browser_logs_nobody_in(school: Site, fake: FakeProvider) -> None:
    attacker, victim = Browser(school), Browser(school)
    begun = attacker.ask("/login/oidc")
    back = urlsplit(fake.authorize(urlsplit(begun.header("location")).query))
    assert victim.ask(f"{back.path}?{back.query}").status == 401 and not victim.inside


def test_the_place_to_go_to_afterwards_is_a_page_of_the_app(school: Site, fake: FakeProvider) -> None:
    assert through(fake, Browser(school), "//evil.example").header("location") == "/"


def test_without_a_provider_there_is_no_such_login(site: Site) -> None:
    for path in ("/login/oidc", "/login/oidc/callback?code=x&state=y"):
        assert Browser(site).ask(path).header("location") == "/login"
    assert "Log in with" not in Browser(site).ask("/login").text


def test_a_provider_that_is_gone_is_a_sentence() -> None:
    with fake_provider() as gone:
        issuer = gone.issuer
    made = Site(Accounts(open_database()), Provider(Settings(issuer, CLIENT)))
    answer = Browser(made).ask("/login/oidc")
    made.close()
    assert answer.status == 503 and "Try again" in answer.text
