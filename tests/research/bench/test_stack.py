"""The stack as plain processes: what it says where it cannot start, and what it hands to the app."""

from __future__ import annotations

from pathlib import Path

import pytest

from fewshot.errors import FewshotError
from fewshot.research.bench.stack import browser, checks, programs
from fewshot.research.bench.stack.programs import Stack, stack


@pytest.fixture
def idle(tmp_path: Path) -> Stack:
    """A stack of which nothing runs."""
    return Stack(tmp_path, tmp_path, {"database": 1, "app": 2, "https": 3, "turn": 4})


def test_without_caddy_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs.shutil, "which", lambda name: None if name == "caddy" else f"/usr/bin/{name}")
    with pytest.raises(FewshotError, match="apt-get install caddy"), stack(tmp_path):
        pytest.fail("it started")


def test_what_was_started_is_stopped_when_the_next_program_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    def database(self: Stack) -> None:
        self._start("database", ["sleep", "60"], None)
        made.append(self)

    monkeypatch.setattr(programs, "why_not", lambda: "")
    monkeypatch.setattr(Stack, "start_database", database)
    monkeypatch.setattr(Stack, "make_database", lambda self: 1 / 0)
    (tmp_path / "make_secrets.sh").write_text("mkdir -p $(dirname $0)/secrets")
    with pytest.raises(ZeroDivisionError), stack(tmp_path):
        pytest.fail("it started")
    (one,) = made
    assert one.running == {} and not one.folder.exists()


def test_a_program_that_ends_at_once_is_reported_with_its_log(idle: Stack) -> None:
    idle._start("caddy", ["sh", "-c", "echo the reason; exit 3"], None)
    with pytest.raises(FewshotError, match="the reason"):
        idle._until("caddy", lambda: False)


def test_no_secret_and_no_setting_of_this_computer_reaches_the_app(
    idle: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FEWSHOT_KEY", "mine")
    monkeypatch.setenv("FEWSHOT_DATABASE", "sqlite:////home/me/mine.db")
    given = idle.environment
    assert "FEWSHOT_KEY" not in given and "mine.db" not in given["FEWSHOT_DATABASE"]
    assert {name for name in given if name.endswith("_FILE") and name.startswith("FEWSHOT")} == {
        "FEWSHOT_DATABASE_PASSWORD_FILE",
        "FEWSHOT_KEY_FILE",
        "FEWSHOT_TURN_PASSWORD_FILE",
    }


def test_a_check_that_fails_is_a_row_and_the_next_one_runs(idle: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    def bad(_stack: Stack) -> str:
        raise checks.CheckFailed("an open door")

    monkeypatch.setattr(checks, "CHECKS", {"first": bad, "second": lambda _stack: "fine"})
    assert [(row["held"], row["result"]) for row in checks.run_checks(idle)] == [
        ("NO", "CheckFailed: an open door"),
        ("yes", "fine"),
    ]


def test_without_a_browser_its_checks_are_not_run_and_say_what_to_install(
    idle: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install playwright")
    monkeypatch.delenv("FEWSHOT_CHROMIUM", raising=False)
    monkeypatch.setattr(browser.shutil, "which", lambda _name: None)
    monkeypatch.setattr(checks, "CHECKS", {"page": browser.lesson_of_a_shared_window})
    (row,) = checks.run_checks(idle)
    assert row["held"] == "not run" and "apt-get install chromium" in row["result"]
