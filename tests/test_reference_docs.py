"""The reference pages name everything that the code has: commands, options, environment variables, public names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.core
import typer.main

import fewshot
from fewshot import errors
from fewshot.cli import app

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*(DOCS / "reference").glob("*.md"), *(DOCS / "explanation").glob("*.md")])
ELSEWHERE = {"__version__"}
"""Public names that need no entry of their own on the page."""


def commands(command: object = None, path: tuple[str, ...] = ("fewshot",)) -> Iterator[tuple[str, object]]:
    """Every command and subcommand: ("fewshot models list", its click command)."""
    command = command or typer.main.get_command(app)
    yield " ".join(path), command
    for name, child in getattr(command, "commands", {}).items():
        yield from commands(child, (*path, name))


def sections(page: str) -> dict[str, str]:
    """Heading of the second level -> the text below it."""
    parts = re.split(r"^## ", page, flags=re.MULTILINE)[1:]
    return {part.partition("\n")[0]: part for part in parts}


def unnamed(page: str) -> list[str]:
    """Commands and options that a page about the command line does not name, each where it belongs."""
    below = sections(page)
    missing = []
    for path, command in commands():
        words = path.split()
        own = [text for title, text in below.items() if re.match(rf"`{re.escape(' '.join(words[:2]))}\b", title)]
        if len(words) == 1:
            own = [page]
        if not own or f"`{path}" not in own[0]:
            missing.append(path)
            continue
        for parameter in command.params:  # type: ignore[attr-defined]
            if isinstance(parameter, typer.core.TyperOption):
                for option in (*parameter.opts, *parameter.secondary_opts):
                    if not re.search(rf"{re.escape(option)}(?![\w-])", own[0]):
                        missing.append(f"{path} {option}")
    return missing


def test_the_page_of_the_command_line_names_every_option() -> None:
    assert unnamed((DOCS / "reference/cli.md").read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("left_out", ["--budget-ms", "--no-browser", "`fewshot models verify`", "## `fewshot roster"])
def test_an_option_that_is_left_out_is_found(left_out: str) -> None:
    page = (DOCS / "reference/cli.md").read_text(encoding="utf-8")
    assert left_out in page
    assert unnamed(page.replace(left_out, "")) != []


def test_the_page_of_the_command_line_names_no_option_that_is_not_there() -> None:
    page = (DOCS / "reference/cli.md").read_text(encoding="utf-8")
    there = {
        option
        for _, command in commands()
        for parameter in command.params  # type: ignore[attr-defined]
        for option in (*parameter.opts, *parameter.secondary_opts)
    }
    assert set(re.findall(r"--[a-z][a-z-]+", page)) - there - {"--help"} == set()


def test_the_page_of_the_configuration_names_every_environment_variable() -> None:
    page = (DOCS / "reference/configuration.md").read_text(encoding="utf-8")
    used = {
        name
        for path in (ROOT / "fewshot").rglob("*.py")
        for name in re.findall(r"\bFEWSHOT_[A-Z_]+\b", path.read_text(encoding="utf-8"))
    }
    assert {name for name in used if f"`{name}`" not in page} == set()


def test_the_page_of_the_api_has_every_public_name() -> None:
    page = (DOCS / "reference/api.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"^::: fewshot(?:\.\w+)*\.(\w+)$", page, re.MULTILINE))
    assert set(fewshot.__all__) - ELSEWHERE - shown == set()
    ours = {name for name, value in vars(errors).items() if getattr(value, "__module__", "") == errors.__name__}
    assert {name for name in ours if isinstance(getattr(errors, name), type)} - shown == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_paths_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link]
    assert [link for link in links if link and not (page.parent / link).exists()] == []
    files = re.findall(r"`((?:fewshot|experiments|conf|tests|docs)/[\w./-]+\.\w+)`", text)
    assert [file for file in files if not (ROOT / file).exists()] == []
