"""Starting the app: options, ports, and what is said where something is missing."""

from __future__ import annotations

import socket
import subprocess
import sys
from typing import Any

import pytest

from fewshot.app import launch as launching
from fewshot.app.launch import HOST, OPTIONS, free_port, launch
from fewshot.errors import UsageError

pytest.importorskip("streamlit", reason="needs the extra app")


def served(monkeypatch: pytest.MonkeyPatch, **arguments: Any) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    monkeypatch.setattr(launching, "_load_first_page", lambda: None)
    launch(serve=seen.update, **arguments)
    return seen


def test_it_listens_to_this_computer_only_and_asks_the_internet_for_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options = served(monkeypatch, browser=False)
    assert options["server.address"] == HOST and options["browser.gatherUsageStats"] is False
    assert options["server.headless"] is True and options["client.showErrorDetails"] == "none"
    assert f"http://localhost:{options['server.port']}" in capsys.readouterr().out


def test_no_other_site_may_send_the_app_messages() -> None:
    # Streamlit's own list has *.streamlit.app, where anybody can have a page.
    assert OPTIONS["client.allowedOrigins"] == []


def test_every_option_is_one_that_streamlit_knows() -> None:
    from streamlit import config

    known = set(config.get_config_options())
    assert set(OPTIONS) - known == set()


@pytest.mark.parametrize(("display", "headless"), [("", True), (":0", False)])
def test_the_browser_opens_where_there_is_one(monkeypatch: pytest.MonkeyPatch, display: str, headless: bool) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert served(monkeypatch)["server.headless"] is headless
    assert served(monkeypatch, browser=False)["server.headless"] is True


def test_a_port_that_is_taken_is_named_and_the_next_one_is_found() -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"Port {port} is in use"):
            free_port(port)
    assert free_port(None) >= launching.PORT


def test_what_is_not_installed_is_named_with_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launching, "_NEEDED", ("streamlit", "no_such_package"))
    with pytest.raises(UsageError, match=r"no_such_package.*make app"):
        launch(serve=lambda options: None)


def test_the_command_says_what_it_takes_and_imports_no_streamlit() -> None:
    script = (
        "import sys\nfrom typer.testing import CliRunner\nfrom fewshot.cli import app\n"
        "done = CliRunner().invoke(app, ['app', '--help'])\nprint(done.output, 'streamlit' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "--no-browser" in done.stdout.replace("\x1b", "") and done.stdout.strip().endswith("False")


def test_the_largest_upload_is_the_one_that_the_pages_name() -> None:
    from fewshot.app.uploads import MOST_MEGABYTES

    assert OPTIONS["server.maxUploadSize"] == MOST_MEGABYTES <= 500


def test_streamlits_own_way_of_starting_shows_nothing_without_the_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    from streamlit.runtime import Runtime

    from fewshot.app import server

    assert server.is_guarded()  # no server at all
    monkeypatch.setattr(Runtime, "_instance", Runtime.__new__(Runtime))
    monkeypatch.setattr(server, "_built", [])
    assert not server.is_guarded()
    monkeypatch.setattr(server, "_built", [object()])
    assert server.is_guarded()
