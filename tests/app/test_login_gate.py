"""The gate before the app: strangers get the login page only, and whoever is logged in gets their own things only."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

pytest.importorskip("streamlit", reason="needs the extra app")

from fewshot.accounts import tries
from fewshot.accounts.accounts import Accounts
from fewshot.accounts.logins import ABSOLUTE, IDLE, Logins
from fewshot.app.login.gate import HEADER, owner_in
from fewshot.database import open_database
from tests.app.login_client import OTHER, PASSWORD, Browser, Site, talk

MACHINES = [
    "/_stcore/stream", "/_stcore/host-config", "/media/0123abcd.png", "/component/x/index.html", "/static/js/main.js",
    "/_stcore/bidi-components/x/y.js", "/_stcore/upload_file/tab/file",
]  # fmt: skip


pytestmark = pytest.mark.usefixtures("cheap_hashes")


@pytest.mark.parametrize("path", ["/", "/report?lesson=3", "/no/such/page", "/login/x", "/loginx"])
def test_a_stranger_who_asks_for_a_page_is_sent_to_the_login_and_back(site: Site, path: str) -> None:
    browser = Browser(site)
    answer = browser.ask(path)
    assert answer.status == 303 and answer.header("location").startswith("/login")
    page = browser.ask(answer.header("location"))
    assert page.status == 200 and 'method="post"' in page.text and "<script" not in page.text
    after = path if path != "/" else "/"
    assert browser.log_in("Anna", after=after).header("location") == after
    assert not site.inner.reached


def test_a_stranger_gets_nothing_of_streamlit(site: Site) -> None:
    for path in MACHINES:
        for method in ("GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "PATCH"):
            answer = Browser(site).ask(path, method, b"x")
            assert answer.status in (401, 404) and "secret" not in answer.text and not site.inner.reached, path


def test_a_strangers_websocket_is_refused_before_it_opens(site: Site) -> None:
    browser = Browser(site)
    for cookie in ({}, {"__Host-fewshot-login": "made-up"}, {"__Host-fewshot-login": "x" * 5000}):
        browser.cookies = dict(cookie)
        sent = talk(browser, [])
        assert [message["type"] for message in sent] == ["websocket.close"]
    assert not site.inner.reached


def test_health_says_that_the_app_runs_and_gives_the_cookie_for_uploads_and_nothing_else(site: Site) -> None:
    answer = Browser(site).ask("/_stcore/health")
    assert (answer.status, answer.text) == (200, "ok\n") and not answer.header("x-secret")
    # Streamlit's pages get it nowhere else, and send it with each upload.
    assert answer.cookies == ["_streamlit_xsrf=1; Secure"]
    assert Browser(site).ask("/_stcore/health", "POST").status == 401
    assert Browser(site).ask("/_stcore/health/x").status == 401


def test_streamlits_own_login_and_what_shows_everybodys_things_are_closed_to_all(site: Site) -> None:
    stranger, anna = Browser(site), Browser(site)
    anna.log_in("Anna")
    for path in ("/auth/login", "/auth/logout", "/oauth2callback", "/_stcore/agent/interact", "/_stcore/metrics",
                 "/base/oauth2callback"):  # fmt: skip
        assert stranger.ask(path).status == anna.ask(path).status == 404 and not site.inner.reached


def test_name_and_password_open_the_app(site: Site) -> None:
    browser = Browser(site)
    answer = browser.log_in("anna", after="/live")
    assert answer.status == 303 and answer.header("location") == "/live" and browser.inside
    assert browser.ask("/login?next=/live").header("location") == "/live"


def test_the_cookie_over_https_is_secure_and_its_own_hosts_only(site: Site) -> None:
    cookie, mark = Browser(site).log_in("Anna").cookies
    parts = set(cookie.split("; ")[1:])
    assert cookie.startswith("__Host-") and parts == {"Path=/", "HttpOnly", "SameSite=Lax", "Secure"}
    assert mark.startswith("__Host-") and parts < set(mark.split("; ")[1:])
    plain, _ = Browser(site, "localhost:8501").log_in("Anna").cookies
    assert "Secure" not in plain and "HttpOnly" in plain and "SameSite=Lax" in plain


def test_a_cookie_of_plain_http_does_not_count_over_https(site: Site) -> None:
    plain = Browser(site, "localhost:8501")
    plain.log_in("Anna")
    secure = Browser(site)
    secure.cookies = dict(plain.cookies)
    assert plain.inside and not secure.inside


def test_two_cookies_of_one_name_are_none(site: Site) -> None:
    browser, other = Browser(site), Browser(site)
    browser.log_in("Anna")
    other.log_in("Bert")
    name = "__Host-fewshot-login"
    answer = browser.ask("/", cookie=f"{name}={other.cookies[name]}; {name}={browser.cookies[name]}")
    assert answer.status == 303


@pytest.mark.parametrize(
    "name", ["Anna", "nobody", "", "local", "x" * 5000, "\x00", "'; DROP TABLE owners; --", "Änna\u202e"]
)
def test_an_unknown_name_and_a_wrong_password_get_the_same_answer(site: Site, name: str) -> None:
    answer = Browser(site).log_in(name, "not the password")
    assert answer.status == 401 and "Name or password is wrong" in answer.text and not answer.cookies
    known = Browser(site).log_in("Bert", "not the password").text
    assert answer.text.replace(f'value="{escaped(name)}"', "") == known.replace('value="Bert"', "")


def escaped(name: str) -> str:
    from html import escape

    return escape(name.strip()[:256])


def test_only_the_password_itself_is_right(site: Site) -> None:
    for password in ("", " ", PASSWORD.upper(), f"{PASSWORD} ", "x" * 5000, PASSWORD[:-1]):
        assert Browser(site).log_in("Anna", password).status == 401


def test_what_was_typed_is_shown_as_text(site: Site) -> None:
    text = Browser(site).log_in('"><script>alert(1)</script>', "not the password", after='/"><script>').text
    assert "<script" not in text


@pytest.mark.parametrize(
    "after", ["//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)",
              "", "/\t/evil.example", "/\n/evil.example", "evil", "/login", "/logout", "/_stcore/health", "/media/x",
              "x" * 2000,
              "///evil.example", "/%0d%0aset-cookie:x", "http:/evil", " /x"],
)  # fmt: skip
def test_after_the_login_only_pages_of_the_app_are_opened(site: Site, after: str) -> None:
    answer = Browser(site).log_in("Anna", after=after)
    place = answer.header("location")
    assert answer.status == 303 and place.startswith("/") and "evil" not in place and "\n" not in place
    assert place == "/" or "%0d" in place


@pytest.mark.parametrize("path", ["/login", "/logout", "/login/password"])
def test_a_form_of_another_page_logs_nobody_in_or_out(site: Site, path: str) -> None:
    browser = Browser(site)
    browser.log_in("Anna")
    for origin in ("https://evil.example", "null", "http://class.example.org", "x"):
        sent = browser.ask(path, "POST", b"name=Bert&password=x", origin=origin)
        assert sent.status == 403 and browser.inside


@pytest.mark.parametrize(
    ("kind", "body"),
    [("application/json", b"{}"), ("text/plain", b"name=Anna"), ("", b""), ("multipart/form-data; boundary=x", b"x"),
     ("application/x-www-form-urlencoded", b"a=" + b"x" * 10_000),
     ("application/x-www-form-urlencoded", b"&".join(b"a=1" for _ in range(500))),
     ("application/x-www-form-urlencoded", b"\xff\xfe=\xff"), ("application/x-www-form-urlencoded", b"")],
)  # fmt: skip
def test_a_form_that_cannot_be_read_is_refused_in_words(site: Site, kind: str, body: bytes) -> None:
    answer = Browser(site).ask("/login", "POST", body, content_type=kind)
    assert answer.status in (400, 401) and 'role="alert"' in answer.text


def test_other_methods_are_refused(site: Site) -> None:
    for path in ("/login", "/logout", "/login/password", "/login/oidc"):
        assert Browser(site).ask(path, "PUT").status == 405


def test_every_login_has_an_id_of_its_own_and_ends_the_one_before_it(site: Site) -> None:
    browser, stolen = Browser(site), Browser(site)
    browser.cookies["__Host-fewshot-login"] = "chosen-by-somebody-else"
    browser.log_in("Anna")
    first = browser.cookies["__Host-fewshot-login"]
    assert first != "chosen-by-somebody-else" and len(first) >= 43
    stolen.cookies = dict(browser.cookies)
    browser.log_in("Anna")
    assert browser.cookies["__Host-fewshot-login"] != first and browser.inside and not stolen.inside


def test_log_out_ends_the_login_and_asks_before(site: Site) -> None:
    browser, stolen = Browser(site), Browser(site)
    browser.log_in("Anna")
    stolen.cookies = dict(browser.cookies)
    assert "Anna" in browser.ask("/logout").text and browser.inside
    answer = browser.form("/logout")
    assert answer.header("location") == "/login" and not stolen.inside
    assert "__Host-fewshot-login" not in browser.cookies
    assert Browser(site).form("/logout").status == 303


def test_log_out_on_all_devices_ends_every_login_of_this_account_and_of_no_other(site: Site) -> None:
    anna, also, bert = Browser(site), Browser(site), Browser(site)
    for browser, name in ((anna, "Anna"), (also, "Anna"), (bert, "Bert")):
        browser.log_in(name)
    assert "on all devices" in anna.ask("/logout").text
    assert Browser(site).form("/logout", everywhere="yes").status == 303 and anna.inside
    assert anna.form("/logout", everywhere="yes").header("location") == "/login"
    assert not anna.inside and not also.inside and bert.inside
    anna.log_in("Anna")
    also.log_in("Anna")
    anna.form("/logout")
    assert not anna.inside and also.inside


def test_a_reset_and_a_removal_end_every_login_of_the_account_and_of_no_other(site: Site) -> None:
    anna, also, bert = Browser(site), Browser(site), Browser(site)
    anna.log_in("Anna")
    also.log_in("Anna")
    bert.log_in("Bert")
    site.accounts.reset("Anna", OTHER)
    assert not anna.inside and not also.inside and bert.inside
    assert anna.log_in("Anna", PASSWORD).status == 401
    assert anna.log_in("Anna", OTHER).status == 303
    site.accounts.remove("Anna")
    assert not anna.inside and anna.log_in("Anna", OTHER).status == 401 and bert.inside


def test_a_login_ends_after_12_hours_without_a_click_and_after_7_days_in_any_case(site: Site) -> None:
    when = [datetime.now(UTC)]
    site.accounts.logins = Logins(site.accounts.database, lambda: when[0])
    browser = Browser(site)
    browser.log_in("Anna")
    for _ in range(3):
        when[0] += IDLE - timedelta(minutes=1)
        assert browser.inside
    when[0] += IDLE + timedelta(seconds=1)
    assert not browser.inside
    browser.log_in("Anna")
    end = when[0] + ABSOLUTE
    while when[0] < end - timedelta(hours=11):
        when[0] += timedelta(hours=11)
        assert browser.inside
    when[0] = end
    assert not browser.inside


def test_pictures_and_health_keep_no_login_awake(site: Site) -> None:
    when = [datetime.now(UTC)]
    site.accounts.logins = Logins(site.accounts.database, lambda: when[0])
    browser = Browser(site)
    browser.log_in("Anna")
    for _ in range(13):
        when[0] += timedelta(hours=1)
        browser.ask("/_stcore/host-config")
        browser.ask("/static/x.js")
    assert not browser.inside


def test_the_database_holds_no_token_and_no_password(site: Site) -> None:
    browser = Browser(site)
    browser.log_in("Anna")
    path = site.accounts.database.path
    data = b"".join(part.read_bytes() for part in path.parent.glob(f"{path.name}*"))
    assert browser.cookies["__Host-fewshot-login"].encode() not in data and PASSWORD.encode() not in data


def test_many_wrong_tries_lock_a_name_for_everybody_whether_it_exists_or_not(site: Site) -> None:
    for name in ("Anna", "nobody"):
        for number in range(tries.BY_NAME):
            assert Browser(site, address=f"198.51.100.{number}").log_in(name, "wrong password").status == 401
        answer = Browser(site, address="203.0.113.9").log_in(name.upper())
        assert answer.status == 429 and "Try again in 15 minutes" in answer.text and int(answer.header("retry-after"))
    assert Browser(site).log_in("Bert").status == 303
    again = Site(Accounts(open_database()))  # a restart
    assert Browser(again, address="203.0.113.10").log_in("Anna").status == 429
    site.accounts.reset("Anna", OTHER)
    assert Browser(again, address="203.0.113.10").log_in("Anna", OTHER).status == 303
    again.close()


def test_a_lock_ends_by_itself_and_a_right_password_forgets_the_wrong_ones(site: Site) -> None:
    when = [datetime.now(UTC)]
    site.desk.tries = tries.Tries(site.accounts.database, lambda: when[0])
    for _ in range(2):
        for number in range(tries.BY_NAME - 1):
            Browser(site, address=f"198.51.100.{number}").log_in("Anna", "wrong password")
        assert Browser(site).log_in("Anna").status == 303
    for number in range(tries.BY_NAME):
        Browser(site, address=f"198.51.100.{number}").log_in("Anna", "wrong password")
    assert Browser(site).log_in("Anna").status == 429
    when[0] += tries.LOCKED + timedelta(seconds=1)
    assert Browser(site).log_in("Anna").status == 303


@pytest.mark.parametrize(
    ("address", "neighbour", "stranger"),
    [("198.51.100.1", "198.51.100.1", "198.51.100.2"), ("2001:db8::1", "2001:db8::ffff:1", "2001:db8:0:1::1")],
)
def test_many_wrong_tries_from_one_address_stop_it_and_no_other(
    site: Site, address: str, neighbour: str, stranger: str
) -> None:
    for number in range(30):
        assert Browser(site, address=address).log_in(f"name {number}", "wrong password").status == 401
    assert Browser(site, address=neighbour).log_in("Anna").status == 429
    assert Browser(site, address=stranger).log_in("Anna").status == 303


def test_a_header_of_the_browser_changes_no_address(site: Site) -> None:
    body = b"name=Anna&password=wrong"
    kind = "application/x-www-form-urlencoded"
    for number in range(30):
        far = f"10.0.0.{number}"
        other = body.replace(b"Anna", b"n%d" % number)
        Browser(site).ask("/login", "POST", other, content_type=kind, x_forwarded_for=far)
    assert Browser(site).ask("/login", "POST", body, content_type=kind, x_forwarded_for="10.9.9.9").status == 429


def test_a_refused_login_is_logged_without_name_and_password(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    Browser(site).log_in("my other secret", "the password that I typed")
    assert "login refused" in caplog.text and "192.0.2.7" in caplog.text
    assert "secret" not in caplog.text and "that I typed" not in caplog.text


def test_a_one_time_password_is_good_for_choosing_another_one_only(site: Site) -> None:
    site.accounts.reset("Anna", PASSWORD, one_time=True)
    browser = Browser(site)
    browser.log_in("Anna", after="/live")
    assert browser.ask("/live").header("location") == "/login/password"
    assert browser.ask("/media/x.png").status == 403 and browser.ask("/_stcore/host-config").status == 403
    assert [message["type"] for message in talk(browser, [])] == ["websocket.close"]
    for old, new, again in (
        (PASSWORD, PASSWORD, PASSWORD), (PASSWORD, OTHER, "other"), ("wrong password", OTHER, OTHER),
        (PASSWORD, "x", "x"),
    ):  # fmt: skip
        answer = browser.form("/login/password", old=old, new=new, again=again)
        assert answer.status in (400, 401) and 'role="alert"' in answer.text and not browser.inside
    before = dict(browser.cookies)
    assert browser.form("/login/password", old=PASSWORD, new=OTHER, again=OTHER).status == 303
    assert browser.inside and browser.cookies != before and not site.inner.reached[:-1]
    browser.cookies = before
    assert not browser.inside


def test_a_shared_window_needs_a_login_and_is_its_owners(site: Site) -> None:
    stranger = Browser(site)
    assert stranger.ask("/share/?ticket=x").header("location").startswith("/login")
    assert [message["type"] for message in talk(stranger, [], path="/share/socket")] == ["websocket.close"]
    anna = Browser(site)
    anna.log_in("Anna")
    talk(anna, [], path="/share/socket")
    (scope,) = site.inner.reached
    owner = owner_in(scope, site.desk)
    assert owner is not None and owner.name == "Anna"
    forged = {**scope, "headers": [*scope["headers"], (HEADER.encode(), b"2")]}
    assert owner_in(forged, site.desk) is None
    assert owner_in({**scope, "headers": []}, site.desk) is None
    anna.form("/logout")
    assert owner_in(scope, site.desk) is None
