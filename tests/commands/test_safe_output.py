"""What people and files are called must not give orders to a terminal."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import fewshot
from fewshot.classroom.store import ClassStore
from fewshot.cli import app
from fewshot.commands.terminal import cell, tell
from fewshot.errors import FewshotError, Note, printable
from fewshot.session.lessons import LessonStore

COMMANDS = Path(fewshot.__file__).parent / "commands"
DANGEROUS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2028\u2029\u2060\u2066-\u2069\ufeff]"
)
EVIL = [
    "\x1b]0;owned\x07", "\x1b[2J\x1b[H", "\x9b31m", "\x9d0;x\x9c", "gpj.\u202eexe", "\u2066x\u2069", "Jo\u200b", "a\rb",
    "\x08\x08\x08", "\x7f", "\ufeffx", "\u2028x", "x\u200d", "\x1b[31mred", "\u200ex", "[red]x[/red]\x1b", "\udc9b31m",
]  # fmt: skip


@pytest.mark.parametrize("text", EVIL)
def test_no_text_gives_orders(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    for shown in (printable(text), cell(text), str(FewshotError(text)), FewshotError("x", hint=text).hint):
        assert not DANGEROUS.search(shown) and not any("\ud800" <= letter <= "\udfff" for letter in shown)
    tell("Title:", text, 1)
    assert not DANGEROUS.search(capsys.readouterr().out.replace("\n", ""))
    assert printable(printable(text)) == printable(text)


@pytest.mark.parametrize("text", ["Zoë", "علی‌رضا", "नर्‍मदा", "物理", "two\nlines", "a\tb", "👨‍👩‍👧", "Straße 5 %", ""])
def test_what_people_write_stays(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize("text", EVIL[:-1])
def test_titles_of_lessons_reach_no_terminal_raw(text: str) -> None:
    LessonStore().create(title=f"Maths {text}", source=f"/tmp/{text}.mp4")
    ClassStore().create("Physics")
    commands = (
        ["lessons"], ["lessons", f"No {text}"], ["roster", f"No {text}"], ["analyze", f"{text}.mp4"], [text],
        ["report", text, "--out", "x.html"], ["app", "--host", text], ["models", "pull", text],
    )  # fmt: skip
    for command in commands:
        done = CliRunner().invoke(app, command)
        assert done.exit_code in {0, 1, 2} and (done.exit_code == 0 or command != ["lessons"]), done.output
        said = done.output + (str(done.exception) if isinstance(done.exception, FewshotError) else "")
        assert not DANGEROUS.search(said.replace("\n", "")), (command, said)


def test_errors_notes_and_the_log_of_the_real_command_are_safe(tmp_path: Path) -> None:
    name = "x\x1b[31m\u202e\x9b.mp4"
    for command in (["analyze", name], ["enroll", "A", name]):
        line = [sys.executable, "-m", "fewshot", *command]
        done = subprocess.run(line, capture_output=True, text=True, cwd=tmp_path, timeout=120, check=False)
        assert done.returncode in {1, 2}
        assert not DANGEROUS.search((done.stdout + done.stderr).replace("\n", "")), done


def test_a_note_is_printed_safely(capsys: pytest.CaptureFixture[str]) -> None:
    from fewshot.commands.terminal import print_error, say

    say([Note("a \x1b[31m"), "b \u202e"])
    print_error("c \x9b")
    assert not DANGEROUS.search(capsys.readouterr().err.replace("\n", ""))


@pytest.mark.parametrize("path", sorted(COMMANDS.glob("*.py")), ids=lambda path: path.name)
def test_commands_print_only_with_what_makes_text_safe(path: Path) -> None:
    if path.name == "terminal.py":
        return
    tree = ast.parse(path.read_text())
    names = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert not names & {"print", "escape"}, "use tell(...) or cell(...) of terminal.py"
