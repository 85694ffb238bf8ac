"""Login with an identity provider: what is believed of its answer, and what is not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

pytest.importorskip("authlib", reason="needs the extra app")

from fewshot.accounts import oidc
from fewshot.accounts.oidc import Provider, ProviderError, Settings, from_environment
from fewshot.errors import UsageError
from tests.accounts.fake_provider import CLIENT, SECRET, FakeProvider, fake_provider

HERE = "http://localhost:8501/login/oidc/callback"


@pytest.fixture
def fake() -> Iterator[FakeProvider]:
    with fake_provider() as provider:
        yield provider


def provider_of(fake: FakeProvider, **more: Any) -> Provider:
    return Provider(Settings(fake.issuer, CLIENT, SECRET), **more)


def through(fake: FakeProvider, provider: Provider) -> tuple[str, str, str]:
    """(state, code, binding) as a browser brings them back."""
    url, binding = provider.begin(HERE, "/live")
    back = dict(parse_qsl(urlsplit(fake.authorize(urlsplit(url).query)).query))
    return back["state"], back["code"], binding


def test_who_the_provider_knows_is_known_by_subject_and_verified_address(fake: FakeProvider) -> None:
    provider = provider_of(fake)
    person, after = provider.finish(*through(fake, provider))
    assert (person.issuer, person.subject, person.email) == (fake.issuer, "anna-1", "Anna@School.example")
    assert after == "/live"


def test_the_provider_is_asked_with_state_nonce_and_pkce(fake: FakeProvider) -> None:
    url, _ = provider_of(fake).begin(HERE, "/")
    fields = dict(parse_qsl(urlsplit(url).query))
    assert fields["code_challenge_method"] == "S256" and fields["redirect_uri"] == HERE
    assert min(len(fields[name]) for name in ("state", "nonce", "code_challenge")) >= 43
    assert fields["response_type"] == "code" and "openid" in fields["scope"]


@pytest.mark.parametrize("verified", [False, None, "true", 1])
def test_an_address_that_was_not_verified_is_no_address(fake: FakeProvider, verified: object) -> None:
    fake.claims["email_verified"] = verified
    provider = provider_of(fake)
    assert provider.finish(*through(fake, provider))[0].email == ""


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "of another login"}, {"nonce": None}, {"aud": "another-app"}, {"aud": None}, {"aud": []},
        {"iss": "https://other.example"}, {"iss": None}, {"exp": 1}, {"exp": None}, {"exp": "soon"}, {"iat": None},
        {"sub": None}, {"sub": ""}, {"sub": 7}, {"sub": "x" * 300}, {"sub": "x\x00"}, {"azp": "another-app"},
        {"aud": [CLIENT, "another-app"]}, {"nbf": 99999999999},
    ],
    ids=str,
)  # fmt: skip
def test_a_token_for_another_login_app_or_time_logs_nobody_in(fake: FakeProvider, claims: dict[str, Any]) -> None:
    fake.claims |= claims
    provider = provider_of(fake)
    with pytest.raises(ProviderError, match="Nobody was logged in"):
        provider.finish(*through(fake, provider))


@pytest.mark.parametrize("lie", ["unsigned", "signed with the public key", "other key", "no token"])
def test_a_token_that_the_provider_did_not_sign_logs_nobody_in(fake: FakeProvider, lie: str) -> None:
    fake.lies.add(lie)
    provider = provider_of(fake)
    with pytest.raises(ProviderError, match="Nobody was logged in"):
        provider.finish(*through(fake, provider))


@pytest.mark.parametrize("lie", ["issuer", "endpoint"])
def test_a_provider_that_describes_itself_wrongly_is_not_asked(fake: FakeProvider, lie: str) -> None:
    fake.lies.add(lie)
    with pytest.raises(ProviderError, match="cannot be trusted"):
        provider_of(fake).begin(HERE, "/")
    assert "/token" not in fake.asked


def test_a_login_ends_only_in_the_browser_where_it_began_once_and_in_time(fake: FakeProvider) -> None:
    clock = [0.0]
    provider = provider_of(fake, clock=lambda: clock[0])
    state, code, binding = through(fake, provider)
    with pytest.raises(ProviderError, match="not begun in this browser"):
        provider.finish(state, code, "another browser")
    with pytest.raises(ProviderError, match="not begun in this browser"):
        provider.finish(state, code, through(fake, provider)[2])
    provider.finish(state, code, binding)
    with pytest.raises(ProviderError, match="not begun"):
        provider.finish(state, code, binding)
    late = through(fake, provider)
    clock[0] += oidc.BEGUN_FOR + 1
    with pytest.raises(ProviderError, match="too long"):
        provider.finish(*late)
    for state in ("", "made up"):
        with pytest.raises(ProviderError):
            provider.finish(state, "x", "")


def test_a_code_that_the_provider_does_not_know_is_a_sentence(fake: FakeProvider) -> None:
    provider = provider_of(fake)
    state, _, binding = through(fake, provider)
    with pytest.raises(ProviderError, match="gave no answer"):
        provider.finish(state, "made up", binding)


def test_logins_that_strangers_begin_push_nobodys_out(fake: FakeProvider) -> None:
    provider = provider_of(fake)
    first = through(fake, provider)
    for _ in range(1100):
        provider.begin(HERE, "/")
    assert provider.finish(*first)[1] == "/live"


def test_what_a_browser_brings_back_is_as_it_was_given(fake: FakeProvider) -> None:
    provider = provider_of(fake)
    state, code, binding = through(fake, provider)
    text, _, mark = binding.partition(".")
    assert len(binding) < 3000 and binding.isascii()
    other = provider_of(fake).begin(HERE, "/")[1]  # of another server, or of this one before a restart
    for wrong in ("", ".", text, f"{text}.", f".{mark}", f"A{text}.{mark}", f"{text}.{mark}0", f"é{binding}", other):
        with pytest.raises(ProviderError, match="not begun in this browser"):
            provider.finish(state, code, wrong)
    assert len(provider.begin(HERE, "/" + "x" * 3000)[1]) < 1500
    provider.finish(state, code, binding)


def test_a_provider_that_does_not_answer_is_a_sentence() -> None:
    with fake_provider() as gone:
        issuer = gone.issuer
    with pytest.raises(ProviderError, match="log in with a password"):
        Provider(Settings(issuer, CLIENT)).begin(HERE, "/")


def test_the_environment_names_the_provider_completely_or_not_at_all() -> None:
    assert from_environment({}) is None
    names = {oidc.ISSUER: "https://login.example.org", oidc.CLIENT: "x"}
    assert from_environment(names) == Settings("https://login.example.org", "x")
    assert from_environment({**names, oidc.NAME: "Campus"}).name == "Campus"
    for missing in names:
        with pytest.raises(UsageError, match="needs both"):
            from_environment({name: value for name, value in names.items() if name != missing})


@pytest.mark.parametrize("issuer", ["http://login.example.org", "login.example.org", "ftp://x", "https://a@b.org", "x"])
def test_an_address_without_tls_is_refused(issuer: str) -> None:
    with pytest.raises(UsageError, match="not a safe address"):
        from_environment({oidc.ISSUER: issuer, oidc.CLIENT: "x"})
