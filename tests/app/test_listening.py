"""Where the app listens: never to other computers without a word, however that is written."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fewshot.app import launch as launching
from fewshot.app.launch import launch
from fewshot.app.listening import listening_at, origin_of, public_origins
from fewshot.cli import app
from fewshot.errors import UsageError

pytest.importorskip("streamlit", reason="needs the extra app")

EVERYWHERE = [
    "0.0.0.0",
    "::",
    "[::]",
    "",
    "  ",
    "*",
    "0",
    "0x0",
    "::ffff:0.0.0.0",
    "192.0.2.7",
    "2001:db8::1",
    "10.0.0.4",
]
HERE = ["127.0.0.1", "localhost", "LOCALHOST", "127.1", "127.0.0.2", "::1", "[::1]", "::ffff:127.0.0.1"]


def served(monkeypatch: pytest.MonkeyPatch, **arguments: Any) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    monkeypatch.setattr(launching, "_load_first_page", lambda: None)
    launch(serve=seen.update, browser=False, **arguments)
    return seen


@pytest.fixture(autouse=True)
def streamlit_without_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STREAMLIT_SERVER_ADDRESS", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("host", EVERYWHERE)
def test_other_computers_are_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    with pytest.raises(UsageError, match=r"no login and no TLS.*ssh -L.*reverse proxy.*--without-login") as refused:
        served(monkeypatch, host=host)
    assert "--host" in refused.value.text


def test_a_name_that_also_means_another_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def both(name: str, *_: Any, **__: Any) -> list[Any]:
        return [(2, 1, 6, "", (address, 0)) for address in ("127.0.0.1", "192.168.1.5")]

    monkeypatch.setattr(socket, "getaddrinfo", both)
    with pytest.raises(UsageError, match=r"school\.lan"):
        served(monkeypatch, host="school.lan")


def test_a_name_is_resolved_once_and_the_address_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda name, *_, **__: [(2, 1, 6, "", ("127.0.0.1", 0))])
    assert served(monkeypatch, host="my-computer")["server.address"] == "127.0.0.1"


@pytest.mark.parametrize("host", ["no such name.invalid", "unix:///tmp/x.sock", "1.2.3.4.5", "a" * 300, "\x00"])
def test_what_is_no_address_is_refused_in_words(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    with pytest.raises(UsageError, match="not an address of this computer"):
        served(monkeypatch, host=host)


@pytest.mark.parametrize("host", HERE)
def test_this_computer_is_always_allowed(host: str) -> None:
    assert listening_at(host).local


def test_the_variable_of_streamlit_is_no_way_around(monkeypatch: pytest.MonkeyPatch) -> None:
    for host in EVERYWHERE:
        monkeypatch.setenv("STREAMLIT_SERVER_ADDRESS", host)
        with pytest.raises(UsageError, match="variable STREAMLIT_SERVER_ADDRESS"):
            served(monkeypatch)
    assert served(monkeypatch, host="127.0.0.1")["server.address"] == "127.0.0.1"


@pytest.mark.parametrize("folder", [".", "user"])
def test_the_file_of_streamlit_is_no_way_around(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: str) -> None:
    config = tmp_path / folder / ".streamlit" / "config.toml"
    config.parent.mkdir(parents=True)
    for written in ('[server]\naddress = "0.0.0.0"\n', 'server.address = "::"\n', '[server]\naddress = "env:WHERE"\n'):
        monkeypatch.setenv("WHERE", "0.0.0.0")
        config.write_text(written)
        with pytest.raises(UsageError, match=r"server\.address in .*config\.toml"):
            served(monkeypatch)
    config.write_text("[server\n")
    with pytest.raises(UsageError, match=r"config\.toml cannot be read"):
        served(monkeypatch)


def test_whoever_wants_it_all_the_same_is_warned(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert served(monkeypatch, host="0.0.0.0", without_login=True)["server.address"] == "0.0.0.0"
    said = capsys.readouterr()
    assert "no login and no TLS" in said.err and "http://localhost" in said.out
    served(monkeypatch)
    assert capsys.readouterr().err == ""


def test_the_command_refuses_with_the_exit_code_of_wrong_usage() -> None:
    done = CliRunner().invoke(app, ["app", "--no-browser", "--host", "0.0.0.0"])
    assert isinstance(done.exception, UsageError) or done.exit_code == 2


def test_a_public_address_is_warned_about_the_login_that_the_proxy_must_have(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    served(monkeypatch, public_urls=["https://Class.Example.org/", "http://plain.example.org"], without_login=True)
    said = capsys.readouterr().err
    assert "https://class.example.org must ask for a password" in said and "plain.example.org has no TLS" in said


@pytest.mark.parametrize(
    "url", ["class.example.org", "https://", "https://*.example.org", "https://a@b.org", "https://a.org/x", "ftp://a.org",
            "https://a.org:99999", "javascript:alert(1)", "", "https://a.org?x=1"],
)  # fmt: skip
def test_what_is_no_address_of_a_site_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    for option in ({"public_urls": [url]}, {"framed_by": [url]}):
        with pytest.raises(UsageError, match=r"Expected https://NAME"):
            served(monkeypatch, **option)


def test_origins_are_written_as_browsers_write_them() -> None:
    assert origin_of("https://A.org:443/") == "https://a.org" and origin_of("http://a.org:8080") == "http://a.org:8080"
    assert public_origins(["http://[::1]:9000"]) == {"[::1]:9000": "http://[::1]:9000"}


def test_the_names_that_are_ours() -> None:
    here = listening_at("127.0.0.1").hosts(8501)
    assert here == {"127.0.0.1:8501", "localhost:8501", "[::1]:8501"}
    assert {"localhost:80", "localhost"} <= listening_at("127.0.0.1").hosts(80)
    assert f"{socket.gethostname().lower()}:8501" in listening_at("0.0.0.0").hosts(8501)
    assert not any("evil" in name for name in listening_at("0.0.0.0").hosts(8501))


def test_an_address_of_another_computer_and_a_port_that_is_none_are_named() -> None:
    with pytest.raises(UsageError, match="not an address of this computer"):
        launching.free_port(8600, "192.0.2.7")
    with pytest.raises(UsageError, match="There is no port 99999"):
        launching.free_port(99999)
