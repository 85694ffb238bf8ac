"""Texts for users: no patterns that read like a translation, and no command where the next step is a click."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import fewshot

PACKAGE = Path(fewshot.__file__).parent
TRANSLATED = (
    r"\b(whoever|anew|of one's own|as it were)\b",
    r"\bso many\b",
    r"\b(is|are|was|were|be) (told|asked)\b",
    r"\b(?<!there )(is|are) no (face|lesson|picture|point|state|stream|video|emotion|index)s?\b",
    r"\b(frames?|people|seconds?|rows?|tiles?|photos?|lines?|strips?|bars?|one|faces|pixels) an? "
    r"(second|frame|student|minute|line|photo|emotion|state|class|lesson)\b",
    r"\bby (himself|herself|itself|themselves)\b",
)
"""Patterns of a translation that rarely occur in good English."""
JARGON = (r"\bembeddings?\b", r"\bepisodes?\b", r"\blogits?\b", r"\bprototypes? (set|store)\b", r"\binference\b")
COMMAND = (
    r"\bfewshot (app|demo|doctor|enroll|lessons|live|models|report|roster|watch)\b"
    r"|(^|[\s'`])--[a-z](?![a-z-]*:)|\bpip install\b"
)
ERROR = re.compile(r"(Error|Mismatch|Unavailable|NotFound|Unreachable)$")
ON_PAGES = sorted({*(PACKAGE / "app").rglob("*.py"), *(PACKAGE / "session").rglob("*.py")})
SHOWN = [*ON_PAGES, *sorted((PACKAGE / "demo").rglob("*.py"))]
NOT_THE_APP = (
    "app/launch.py",
    "app/listening.py",
    "app/login/setup.py",
    "app/next_click.py",
    "cli.py",
    "commands",
    "demo/run.py",
    "live/sinks",
    "research",
)
"""Parts that only the command line runs, and the table that turns commands into clicks."""
IN_THE_APP = [
    path
    for path in sorted(PACKAGE.rglob("*.py"))
    if not str(path.relative_to(PACKAGE).as_posix()).startswith(NOT_THE_APP)
]


def texts(tree: ast.AST) -> Iterator[str]:
    """String constants that may reach a user: no docstrings, and no hints of errors."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
            continue
        if isinstance(child, ast.keyword) and child.arg == "hint":
            continue
        if isinstance(child, ast.Constant) and isinstance(child.value, str):
            yield child.value
        elif isinstance(child, ast.JoinedStr):  # one sentence, its values left out
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in child.values)
            yield from (text for part in child.values if not isinstance(part, ast.Constant) for text in texts(part))
        else:
            yield from texts(child)


def errors(tree: ast.AST) -> Iterator[ast.Call]:
    """Calls that make one of the errors a user may see."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and ERROR.search(node.func.id):
            yield node


def found(text: str, patterns: tuple[str, ...]) -> list[str]:
    return [match.group() for pattern in patterns if (match := re.search(pattern, text, re.IGNORECASE))]


@pytest.mark.parametrize(
    "text",
    ["one line a frame", "15 frames a second", "whoever comes", "after so many days", "nobody is told", "is no face"],
)
def test_the_patterns_find_what_they_are_for(text: str) -> None:
    assert found(text, TRANSLATED)


@pytest.mark.parametrize(
    "text", ["Type: fewshot enroll physics", "Give --consent-by", "Run: pip install x", "--offline"]
)
def test_commands_are_recognised(text: str) -> None:
    assert found(text, (COMMAND,))


@pytest.mark.parametrize("path", SHOWN, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_texts_do_not_read_like_a_translation(path: Path) -> None:
    assert {text: bad for text in texts(ast.parse(path.read_text())) if (bad := found(text, TRANSLATED))} == {}


@pytest.mark.parametrize("path", ON_PAGES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_teachers_meet_no_jargon(path: Path) -> None:
    sentences = [text for text in texts(ast.parse(path.read_text())) if " " in text.strip()]
    assert {text: bad for text in sentences if (bad := found(text, JARGON))} == {}


@pytest.mark.parametrize("path", IN_THE_APP, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_errors_that_the_app_may_show_keep_their_command_in_the_hint(path: Path) -> None:
    made = [text for call in errors(ast.parse(path.read_text())) for text in texts(call)]
    assert {text: bad for text in made if (bad := found(text, (COMMAND,)))} == {}


@pytest.mark.parametrize(
    "path",
    [path for path in ON_PAGES if path in IN_THE_APP],
    ids=lambda path: path.relative_to(PACKAGE).as_posix(),
)
def test_pages_and_reports_name_no_command(path: Path) -> None:
    assert {text: bad for text in texts(ast.parse(path.read_text())) if (bad := found(text, (COMMAND,)))} == {}
