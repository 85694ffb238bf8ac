"""When the app asks for a login, when it refuses to start, and what it warns about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("streamlit", reason="needs the extra app")

from fewshot.accounts import oidc
from fewshot.accounts.accounts import Accounts
from fewshot.app import launch as launching
from fewshot.app import server
from fewshot.app.guard import Policy
from fewshot.app.launch import launch
from fewshot.errors import UsageError
from tests.app.login_client import PASSWORD

pytestmark = pytest.mark.usefixtures("cheap_hashes")
PUBLIC = "https://class.example.org"


@pytest.fixture(autouse=True)
def quiet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty_database: Any, fewshot_home: Path) -> None:
    empty_database(fewshot_home)
    monkeypatch.delenv("STREAMLIT_SERVER_ADDRESS", raising=False)
    for name in (oidc.ISSUER, oidc.CLIENT, oidc.SECRET, oidc.NAME):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(launching, "_load_first_page", lambda: None)


def started(monkeypatch: pytest.MonkeyPatch, **arguments: Any) -> bool:
    """Whether the app that starts asks for a login."""
    seen: list[Any] = []
    monkeypatch.setattr(launching, "serve_app", lambda policy, options, opened, desk: seen.append(desk))
    launch(browser=False, **arguments)
    return seen[0] is not None


def test_on_this_computer_nobody_logs_in_unless_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not started(monkeypatch)
    with pytest.raises(UsageError, match="there is no account yet") as refused:
        started(monkeypatch, login=True)
    assert "fewshot accounts add" in refused.value.hint
    Accounts().add("Anna", password=PASSWORD)
    assert not started(monkeypatch) and started(monkeypatch, login=True)
    with pytest.raises(UsageError, match="contradict"):
        started(monkeypatch, login=True, without_login=True)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", ""])
def test_elsewhere_it_starts_only_if_somebody_can_log_in(
    monkeypatch: pytest.MonkeyPatch, host: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UsageError, match="does not start") as refused:
        started(monkeypatch, host=host)
    assert "fewshot accounts add" in refused.value.hint
    Accounts().owners.add("somebody who cannot log in")
    with pytest.raises(UsageError, match="does not start"):
        started(monkeypatch, host=host)
    Accounts().add("Anna", password=PASSWORD)
    assert started(monkeypatch, host=host)
    assert "it has no TLS" in capsys.readouterr().err
    assert started(monkeypatch, host=host, public_urls=[PUBLIC])
    assert capsys.readouterr().err == ""
    assert not started(monkeypatch, host=host, without_login=True)
    assert "no login and no TLS" in capsys.readouterr().err


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_behind_a_proxy_with_tls_nobody_comes_in_beside_it(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    Accounts().add("Anna", password=PASSWORD)
    policies: list[Policy] = []
    monkeypatch.setattr(launching, "desk_for", policies.append)

    def answers(name: str, **arguments: Any) -> str | None:
        launching.launch(8599, False, host, serve=lambda _: None, **arguments)
        headers = [(b"host", name.encode())]
        return policies[-1].refusal({"type": "http", "method": "GET", "path": "/", "headers": headers})

    with monkeypatch.context() as alone:
        alone.setattr(launching, "free_port", lambda *_: 8599)
        alone.setattr("fewshot.app.listening._own_addresses", lambda: {"192.0.2.7"})
        lan = "192.0.2.7:8599"
        assert answers(lan) is None
        assert answers(lan, public_urls=["http://class.example.org"]) is None  # warned about
        assert answers(lan, public_urls=[PUBLIC]) and policies[-1].home == PUBLIC
        assert answers("localhost:8599", public_urls=[PUBLIC]) is None
        assert answers(PUBLIC.removeprefix("https://"), public_urls=[PUBLIC]) is None
        alone.setenv("STREAMLIT_SERVER_SSL_CERT_FILE", "/certificate.pem")
        assert answers(lan, public_urls=[PUBLIC]) is None  # with TLS of its own


def test_behind_a_proxy_it_starts_only_if_somebody_can_log_in(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for public in ([PUBLIC], ["http://localhost:8080", PUBLIC], ["http://class.example.org"]):
        with pytest.raises(UsageError, match="does not start: --public-url lets other computers reach it") as refused:
            started(monkeypatch, public_urls=public)
        assert "class.example.org" in refused.value.text and "fewshot accounts add" in refused.value.hint
    assert "no login and no TLS" in refused.value.text  # at http://
    Accounts().add("Anna", password=PASSWORD)
    assert started(monkeypatch, public_urls=[PUBLIC])
    assert capsys.readouterr().err == ""
    Accounts().remove("Anna")
    with pytest.raises(UsageError, match="its last account was removed"):
        started(monkeypatch, public_urls=[PUBLIC])
    assert not started(monkeypatch, public_urls=[PUBLIC], without_login=True) and not started(monkeypatch)
    assert "must ask for a password" in capsys.readouterr().err


@pytest.mark.parametrize("url", ["http://127.0.0.1:9000", "http://localhost:9000", "https://class.localhost",
                                 "http://[::1]:9000", "http://127.1.2.3", "http://LOCALHOST.:80"])  # fmt: skip
def test_a_name_of_this_computer_is_not_public(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], url: str
) -> None:
    assert not started(monkeypatch, public_urls=[url])
    assert capsys.readouterr().err == ""
    assert started_demo(monkeypatch, url)


@pytest.mark.parametrize("url", ["https://localhost.example.org", "http://192.168.1.7", "http://[2001:db8::1]",
                                 "https://127.0.0.1.example.org", "http://0.0.0.0", "http://mylocalhost"])  # fmt: skip
def test_a_name_that_only_looks_like_this_computer_is_public(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    with pytest.raises(UsageError, match="does not start"):
        started(monkeypatch, public_urls=[url])


def started_demo(monkeypatch: pytest.MonkeyPatch, *urls: str) -> bool:
    """Whether the demo starts without a login."""
    monkeypatch.setenv("FEWSHOT_DEMO", "1")
    asks = started(monkeypatch, public_urls=urls)
    monkeypatch.delenv("FEWSHOT_DEMO")
    return not asks


def test_the_demo_is_public_without_a_login(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert started_demo(monkeypatch, "https://demo.example.org") and capsys.readouterr().err == ""


def test_an_identity_provider_is_enough_and_half_of_one_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(oidc.ISSUER, "https://login.example.org")
    with pytest.raises(UsageError, match="needs both"):
        started(monkeypatch, host="0.0.0.0")
    monkeypatch.setenv(oidc.CLIENT, "fewshot")
    assert started(monkeypatch, host="0.0.0.0")


def test_with_a_certificate_there_is_no_warning(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Accounts().add("Anna", password=PASSWORD)
    monkeypatch.setenv("STREAMLIT_SERVER_SSL_CERT_FILE", "/certificate.pem")
    assert started(monkeypatch, host="0.0.0.0")
    said = capsys.readouterr()
    assert said.err == "" and "https://localhost" in said.out
    monkeypatch.delenv("STREAMLIT_SERVER_SSL_CERT_FILE")
    Path(".streamlit").mkdir()
    Path(".streamlit/config.toml").write_text('[server]\nsslCertFile = "/certificate.pem"\n')
    assert started(monkeypatch, host="0.0.0.0") and capsys.readouterr().err == ""


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    Accounts().add("Anna", password=PASSWORD)
    monkeypatch.setattr("fewshot.app.login.setup._NEEDED", {"no_such_module": "no-such-package"})
    with pytest.raises(UsageError, match="no-such-package"):
        started(monkeypatch, login=True)


def test_without_a_proxy_nobody_is_believed_about_where_a_request_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:

    told: list[str | None] = []

    class Runner:
        def __init__(self, app: Any) -> None:
            import os

            told.append(os.environ.get("FORWARDED_ALLOW_IPS"))

        def run(self) -> None:
            pass

    monkeypatch.setattr("streamlit.web.server.starlette.starlette_server.UvicornRunner", Runner)
    monkeypatch.setattr("streamlit.web.bootstrap.load_config_options", lambda options: None)
    monkeypatch.setattr(server, "build", lambda *_: None)
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "10.0.0.1")
    server.serve(Policy(frozenset(), {"a.org": "https://a.org"}), {})
    server.serve(Policy(frozenset()), {})
    assert told == ["10.0.0.1", ""]


def test_every_route_of_streamlit_is_closed_to_strangers(site: Any) -> None:
    import re

    from streamlit import config
    from streamlit.runtime import Runtime
    from streamlit.web.server.starlette.starlette_app import App, create_streamlit_routes

    from tests.app.login_client import Browser, talk

    config.get_option("server.port")
    runtime = App(server.MAIN)._create_runtime()
    try:
        routes = create_streamlit_routes(runtime)
        paths = [re.sub(r"\{[^}]*\}", "x", getattr(route, "path", "")) for route in routes]
        assert len(paths) > 12
        for path in {path or "/index.html" for path in paths}:
            assert [message["type"] for message in talk(Browser(site), [], path=path)] == ["websocket.close"]
            for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"):
                answer = Browser(site).ask(path, method)
                if path == "/_stcore/health" and method in ("GET", "HEAD"):
                    assert answer.text in ("ok\n", "") and answer.cookies == ["_streamlit_xsrf=1; Secure"]
                else:
                    assert answer.status in (303, 401, 404), (method, path)
        assert {scope["path"] for scope in site.inner.reached} == {"/_stcore/health"}
    finally:
        runtime.stop() if runtime.state.name not in ("INITIAL",) else None
        Runtime._instance = None
